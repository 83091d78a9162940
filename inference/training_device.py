"""Where and in what numbers a training computes: chosen by what the machine has, so that nobody has to."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

_ROOM = 1.3
_STEPS_BYTES = 2 * 2**30
"""A LoRA's training needs the weights, a third for what is computed from them, and some for the messages of a step."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to compute with."""

    free: Sequence[int]
    """Bytes that each GPU has left; empty where there is none."""
    fast_bfloat16: bool
    """Whether the processor itself computes in bfloat16 fast."""
    four_bit: bool
    """Whether bitsandbytes is installed."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How the base is loaded."""

    device: str
    bfloat16: bool = True
    spread: bool = False
    """Over all GPUs, by accelerate."""
    four_bit: bool = False
    """Frozen weights in four bits, by bitsandbytes: a quarter of the memory, and a rougher base to learn beside."""


def chosen(machine: Machine, weights: int) -> Choice:
    """For a base of so many bytes: what serves it as it is comes first, then several GPUs, then four bits.

    Where nothing is enough the largest GPU is tried all the same, since the estimate is rough; it says so by itself.
    """
    if not machine.free:
        return Choice("cpu", bfloat16=machine.fast_bfloat16)
    largest = max(machine.free)
    device = f"cuda:{machine.free.index(largest)}"
    if _fits(weights, largest):
        return Choice(device)
    if len(machine.free) > 1 and _fits(weights, sum(machine.free)):
        return Choice("cuda:0", spread=True)
    return Choice(device, four_bit=machine.four_bit)


def _fits(weights: int, free: int) -> bool:
    return weights * _ROOM + _STEPS_BYTES <= free


def this_machine() -> Machine:
    """What is here now."""
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_available() else range(0)
    return Machine(
        free=[torch.cuda.mem_get_info(gpu)[0] for gpu in gpus],
        fast_bfloat16=torch.ops.mkldnn._is_mkldnn_bf16_supported(),
        four_bit=find_spec("bitsandbytes") is not None,
    )


def weights_of(base: Path) -> int:
    """Bytes of the base's weights."""
    return sum(path.stat().st_size for path in base.glob("*.safetensors"))


def in_words(choice: Choice) -> str:
    """For the log."""
    where = "several GPUs" if choice.spread else choice.device
    numbers = "four bits" if choice.four_bit else "bfloat16" if choice.bfloat16 else "float32"
    return f"training on {where}, the base in {numbers}"
