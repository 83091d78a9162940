"""The folder in which a fit works: beside the folders in use, holding texts, and gone when its process ends."""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

_SUFFIX = ".new"


@contextmanager
def work_folder(voices: Path, task: str) -> Iterator[Path]:
    """A new folder below `voices`, removed at the end. Its name is unique, for `run` and `learn` may fit the same task.

    A lock shows that it is in use; the system releases the lock of a process that died.
    """
    voices.mkdir(parents=True, exist_ok=True)
    with _turn(voices):
        folder = Path(tempfile.mkdtemp(prefix=f"{task}.", suffix=_SUFFIX, dir=voices))
        mine = os.open(folder, os.O_RDONLY)
        fcntl.flock(mine, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(mine)


def remove_left(voices: Path) -> int:
    """Remove the folders of killed fits, with the texts in them; return how many."""
    if not voices.is_dir():
        return 0
    with _turn(voices):
        left = [folder for folder in voices.glob(f"*{_SUFFIX}") if folder.is_dir() and not _in_use(folder)]
        for folder in left:
            shutil.rmtree(folder, ignore_errors=True)
    if left:
        log.info("folders of killed fits removed", extra={"folders": len(left)})
    return len(left)


@contextmanager
def _turn(voices: Path) -> Iterator[None]:
    """Hold the turn: nobody else removes a folder, or creates one that is not locked yet, meanwhile."""
    turn = os.open(voices, os.O_RDONLY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
    finally:
        os.close(turn)


def _in_use(folder: Path) -> bool:
    theirs = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(theirs, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(theirs)
    return False
