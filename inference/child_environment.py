"""The environment of a child process: where programs, devices and caches are, and none of our secrets."""

import re
from collections.abc import Mapping

_NEEDED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|TZ|TMPDIR|TMP|TEMP|LANG|LANGUAGE|LC_\w+|XDG_\w+|VIRTUAL_ENV|"
    r"PYTHON\w*|LD_\w+|SSL_CERT_\w+|"
    r"(?:CUDA|NVIDIA|NCCL|CUBLAS|CUDNN|ROCM|ROCR|HIP|HSA|GPU|ONEAPI|SYCL|ZE|VLLM|TORCH|TORCHINDUCTOR|PYTORCH|TRITON|XLA|"
    r"OMP|GOMP|KMP|MKL|OPENBLAS|BLIS|NUMEXPR|VECLIB|HF|HUGGINGFACE|TRANSFORMERS|TOKENIZERS|SAFETENSORS)_\w+"
)
_SECRET = re.compile(r"TOKEN(?!IZERS)|SECRET|PASSW|API_?KEY|CREDENTIAL", re.IGNORECASE)


def needed(ours: Mapping[str, str]) -> dict[str, str]:
    """The variables that a model server or a training needs.

    A list of what may pass, because nobody can list what is secret: tokens, a database's URL, and whatever else the
    account's environment holds stay with the bot, and out of `/proc/PID/environ` of processes that load models.
    """
    return {name: value for name, value in ours.items() if _NEEDED.fullmatch(name) and not _SECRET.search(name)}
