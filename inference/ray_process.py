"""Trains on a Ray cluster through the trainer process used here, with another command and time to stop the remote
run."""

import os
import sys

from inference.trainer_process import TrainerProcess

STOP_SECONDS = 60.0
"""How long a stopped training has to leave the cluster; for an unreachable cluster see `ray_worker.LEASE`."""


def ray_trainer(address: str, base: str, cpus: float, gpus: float, mask: bool) -> TrainerProcess:
    """`base` is the base's name in the settings, by which each machine finds its own copy. Ray's variables are passed
    on."""
    command = (sys.executable, "-m", "inference.ray_train", "--with-parent", "--address", address, "--base", base)
    wanted = ("--cpus", f"{cpus:g}", "--gpus", f"{gpus:g}")
    theirs = {name: value for name, value in os.environ.items() if name.startswith("RAY_")}
    return TrainerProcess((*command, *wanted), mask, STOP_SECONDS, theirs)
