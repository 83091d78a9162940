"""Where a fit does its work: a folder beside what serves, which holds texts and must not outlive its process."""

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
    """A new folder below `voices`, gone at the end; of a name of its own, for `run` and `learn` may fit the same task.

    Its lock says that somebody is at it: the system takes it back from a process that died.
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
    """Remove what fits that were killed have left behind, with the texts in it; how many folders."""
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
    """While it lasts, nobody else makes a folder and has no lock on it yet, or removes one."""
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
