"""Processes that work for the bot: they yield the processors to whoever somebody waits for, and end with their
parent."""

import os
import threading
from collections.abc import Mapping

from inference.child_environment import needed

ASLEEP = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Makes threads that wait for each other sleep. GNU's OpenMP otherwise spins for milliseconds at a time and, as soon as
there are more threads than processors, takes the processor from the very thread it waits for. Three trainings on two
processors made sixteen times as many steps asleep (`benchmarks/waiting_threads.py`)."""


def environment() -> Mapping[str, str]:
    """The variables of ours that it needs, and those that keep it from spinning; a value already set by the user
    stays."""
    return {**ASLEEP, **needed(os.environ)}


def end_with_parent() -> None:
    """Watch standard input from now on, and exit at once when it closes, which happens even if the parent is killed."""
    threading.Thread(target=_wait_and_end, daemon=True).start()


def _wait_and_end() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)  # nobody is left to use the result
