"""The state of an unfinished training, in the run folder: a killed one goes on from there instead of from the start.

The file holds the weights learned so far, AdamW's moments and torch's random state. Batches are not stored: they are
drawn anew from their seed, and those already learned from are skipped. The format is safetensors: reading it runs no
code.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from inference.recipe import Recipe
from inference.run_folder import CHECKPOINT, inputs_of, sync

FORMAT = 1
"""Increased by every change that makes the same inputs lead elsewhere: checkpoints of another number are not used."""
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a training is."""

    losses: Sequence[float] = ()
    """The loss of every step so far, in nats."""
    seconds: float = 0.0
    """Seconds of training so far."""
    accuracy: float = -1.0
    """The accuracy of the checkpoint that is kept; see `train.Best`."""
    peak: float = -1.0
    best: Sequence[torch.Tensor] = ()
    """The weights of the checkpoint that is kept."""


@dataclass(slots=True)
class Checkpoints:
    """Stores the state of one training at intervals, and finds it again if the training was killed."""

    folder: Path
    made_of: str
    """A digest of everything that decides where the training leads; see `made_of`."""
    every: float
    """Seconds between two checkpoints."""
    say: Callable[[str], None]
    _kept: float = field(default_factory=time.monotonic)

    @property
    def path(self) -> Path:
        return self.folder / CHECKPOINT

    def due(self) -> bool:
        return time.monotonic() - self._kept >= self.every

    def keep(self, weights: Sequence[torch.nn.Parameter], optimizer: torch.optim.Optimizer, now: Standing) -> None:
        """Write the checkpoint completely or not at all. If the disk is full, the training goes on without the
        checkpoint."""
        tensors = {"random": torch.get_rng_state()}
        for at, weight in enumerate(weights):
            tensors[f"weight.{at}"] = weight.detach()
            tensors |= {f"{moment}.{at}": optimizer.state[weight][moment] for moment in _MOMENTS}
        tensors |= {f"best.{at}": weight for at, weight in enumerate(now.best)}
        figures = {"losses": list(now.losses), "seconds": now.seconds, "accuracy": now.accuracy, "peak": now.peak}
        unfinished = self.path.with_name(f"{CHECKPOINT}.tmp")
        try:
            save_file(tensors, unfinished, {"made_of": self.made_of, "figures": json.dumps(figures)})
            sync(unfinished)
            unfinished.replace(self.path)
            sync(self.folder)
        except (OSError, SafetensorError) as error:
            unfinished.unlink(missing_ok=True)
            self.say(f"no checkpoint could be kept, a killed training would start afresh: {error}")
        self._kept = time.monotonic()

    def take_up(self, weights: Sequence[torch.nn.Parameter], optimizer: torch.optim.Optimizer) -> Standing:
        """Put back the weights and the optimizer, and return the state; the initial state if there is none to continue.

        A checkpoint that cannot be read, or is of other inputs, another base or another version, is removed.
        """
        try:
            standing = self._read(weights, optimizer)
        except (OSError, SafetensorError, ValueError, KeyError) as error:
            self.say(f"the checkpoint cannot be read, training starts afresh: {type(error).__name__}")
            standing = None
        if standing is None:
            self.clear()
            return Standing()
        self.say(f"going on after step {len(standing.losses)}, where an earlier training ended")
        return standing

    def clear(self) -> None:
        """Remove the checkpoint: nothing continues from it."""
        self.path.unlink(missing_ok=True)
        self.path.with_name(f"{CHECKPOINT}.tmp").unlink(missing_ok=True)

    def _read(self, weights: Sequence[torch.nn.Parameter], optimizer: torch.optim.Optimizer) -> Standing | None:
        if not self.path.exists():
            return None
        with safe_open(self.path, framework="pt") as file:
            known: Mapping[str, str] = file.metadata() or {}
            if known.get("made_of") != self.made_of:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no mapping
        figures = json.loads(known["figures"])
        moments = [{moment: tensors[f"{moment}.{at}"] for moment in _MOMENTS} for at in range(len(weights))]
        with torch.no_grad():
            for at, weight in enumerate(weights):
                weight.copy_(tensors[f"weight.{at}"])
                rest = {name: moments[at][name].to(weight.device) for name in _MOMENTS[1:]}
                optimizer.state[weight] = {"step": moments[at]["step"], **rest}
        torch.set_rng_state(tensors["random"])
        best = tuple(tensors[f"best.{at}"] for at in range(len(weights)) if f"best.{at}" in tensors)
        return Standing(figures["losses"], figures["seconds"], figures["accuracy"], figures["peak"], best)


def made_of(folder: Path, base: Path, recipe: Recipe, llama: torch.nn.Module) -> str:
    """sha256 of what decides where a training leads: its inputs, the base's files, the recipe, precision, versions."""
    files = sorted((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in base.glob("*.safetensors"))
    weight = next(llama.parameters())
    parts = (FORMAT, version("switchboard"), torch.__version__, inputs_of(folder), files, recipe, weight.dtype)
    return hashlib.sha256(repr((*parts, weight.device.type)).encode()).hexdigest()
