"""On which device and in which number format a training computes: chosen by what the machine has."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

_ROOM = 1.3
_STEPS_BYTES = 2 * 2**30
"""A LoRA's training needs memory for the weights, a third more for what is computed from them, and some for a step's
messages."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a machine has to compute with."""

    free: Sequence[int]
    """Free bytes of each GPU; empty without one."""
    fast_bfloat16: bool
    """Whether the processor itself computes fast in bfloat16."""
    four_bit: bool
    """Whether bitsandbytes is installed."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How the base is loaded."""

    device: str
    bfloat16: bool = True
    spread: bool = False
    """Spread over all GPUs, by accelerate."""
    four_bit: bool = False
    """Frozen weights in four bits, by bitsandbytes: a quarter of the memory, but a coarser base to learn on."""


def chosen(machine: Machine, weights: int) -> Choice:
    """The choice for a base of so many bytes: one GPU in full precision first, then several GPUs, then four bits.

    If nothing suffices, the largest GPU is tried all the same, since the estimate is rough; running out of memory
    shows.
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
    """What this machine has now."""
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_available() else range(0)
    return Machine(
        free=[torch.cuda.mem_get_info(gpu)[0] for gpu in gpus],
        fast_bfloat16=torch.ops.mkldnn._is_mkldnn_bf16_supported(),
        four_bit=find_spec("bitsandbytes") is not None,
    )


def weights_of(base: Path) -> int:
    """The size of the base's weights in bytes."""
    return sum(path.stat().st_size for path in base.glob("*.safetensors"))


def in_words(choice: Choice) -> str:
    """The choice as a line for the log."""
    where = "several GPUs" if choice.spread else choice.device
    numbers = "four bits" if choice.four_bit else "bfloat16" if choice.bfloat16 else "float32"
    return f"training on {where}, the base in {numbers}"
