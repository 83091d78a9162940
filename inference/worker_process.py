"""Processes that work for the bot: they leave the processors to whoever is awaited, and end with their parent."""

import os
import threading
from collections.abc import Mapping

from inference.child_environment import needed

ASLEEP = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Threads that wait for each other sleep meanwhile. GNU's OpenMP spins otherwise, for milliseconds at a time, and takes
the processor from the very thread it waits for as soon as there are more threads than processors. Three trainings
on two processors made sixteen times as many steps asleep (`benchmarks/waiting_threads.py`)."""


def environment() -> Mapping[str, str]:
    """What it needs of ours, with what keeps it from spinning; whoever set that otherwise is obeyed."""
    return {**ASLEEP, **needed(os.environ)}


def end_with_parent() -> None:
    """Watch standard input from now on, and end at once when it closes, which it does even if the parent was killed."""
    threading.Thread(target=_wait_and_end, daemon=True).start()


def _wait_and_end() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)  # nobody is left to want the result
