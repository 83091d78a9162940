"""Trains on a Ray cluster by the process that trains here: another command, and time to stop what runs there."""

import os
import sys

from inference.trainer_process import TrainerProcess

STOP_SECONDS = 60.0
"""So long a stopped training has to be gone from the cluster; see `ray_worker.LEASE` for one that is away."""


def ray_trainer(address: str, base: str, cpus: float, gpus: float, mask: bool) -> TrainerProcess:
    """`base`: the word in the settings, by which each machine finds its own copy. Ray's own variables go along."""
    command = (sys.executable, "-m", "inference.ray_train", "--with-parent", "--address", address, "--base", base)
    wanted = ("--cpus", f"{cpus:g}", "--gpus", f"{gpus:g}")
    theirs = {name: value for name, value in os.environ.items() if name.startswith("RAY_")}
    return TrainerProcess((*command, *wanted), mask, STOP_SECONDS, theirs)
