"""What runs on a Ray cluster: one training, in a folder that is removed when nobody asks for it any more.

The texts arrive as arguments of a call and lie in a folder of their own, which a process beside the worker removes:
when the bot has its results, when it no longer wants them, when the worker dies for any reason, and when nobody has
asked for `LEASE` seconds. What a machine that lost power left behind, the next training there removes.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from inference.run_folder import CHECKPOINT, LOG
from inference.scratch_guard import BEGIN
from inference.worker_process import environment

LEASE = 900.0
"""A bot that is killed and restarted within this time finds its training; after a longer absence it starts it again."""
TRAINER = ("nice", "-n", "10", sys.executable, "-m", "inference.train")
PREFIX = "switchboard-run-"
_LAST_LINES = 2
_GONE_WITHIN = 30.0

Files = Mapping[str, bytes]
"""Path in the run folder -> the file's content."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a training is."""

    share: float
    doing: str
    ended: int | None = None
    """The exit status; None while it trains."""
    words: str = ""
    """The log's last lines, if it did not end well."""


class RemoteTraining:
    """One training. Every call shows that somebody still wants it."""

    def __init__(self, lease: float = LEASE, trainer: Sequence[str] = TRAINER) -> None:
        self._trainer = tuple(trainer)
        self._asked = time.monotonic()
        self._standing: Standing | None = None
        self._folder: Path | None = None
        self._line: IO[bytes] | None = None
        self._said: threading.Thread | None = None
        self._beginning = threading.Lock()
        threading.Thread(target=self._watch, args=(lease,), daemon=True).start()

    def take(self, files: Files, base: str) -> None:
        """Begin the training; a repeated call continues with what it has."""
        with self._beginning:
            if self._folder is None:
                self._begin(files, base)
            self._asked = time.monotonic()

    def _begin(self, files: Files, base: str) -> None:
        remove_left()
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        held = os.open(self._folder, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        command = (sys.executable, "-m", "inference.scratch_guard", str(self._folder), *self._trainer)
        with (self._folder / LOG).open("wb") as log:
            guard = subprocess.Popen(
                [*command, str(self._folder), "--base", base],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=(held,),
                env=environment(),
            )
        os.close(held)  # the guard holds it: while the guard lives, nobody takes the folder for a dead training's
        guard.wait()  # the guard goes on without a parent
        assert guard.stdin is not None  # noqa: S101  asked for with PIPE
        assert guard.stdout is not None  # noqa: S101  as well
        self._line = guard.stdin
        self._hand_over(files)
        self._standing = Standing(0.0, "starting")
        self._said = threading.Thread(target=self._listen, args=(guard.stdout,), daemon=True)
        self._said.start()

    def _hand_over(self, files: Files) -> None:
        """Give the files to the guard, which removes the folder from here on, whatever becomes of us."""
        assert self._folder is not None  # noqa: S101  it was made
        assert self._line is not None  # noqa: S101  as well
        try:
            for name, content in files.items():
                (self._folder / name).write_bytes(content)
            self._line.write(BEGIN)
            self._line.flush()
        except OSError:
            shutil.rmtree(self._folder, ignore_errors=True)  # the guard could not begin, or the disk is full
            raise

    def standing(self) -> Standing | None:
        """How far the training is; None: `take` was not called yet."""
        self._asked = time.monotonic()
        return self._standing

    def bring(self) -> Files:
        """The files of a training that ended well."""
        self._asked = time.monotonic()
        assert self._folder is not None  # noqa: S101  asked of a training that ended
        paths = [self._folder / "done.json", *(self._folder / "adapter").iterdir()]
        return {str(path.relative_to(self._folder)): path.read_bytes() for path in paths if path.is_file()}

    def stop(self) -> Files:
        """End the training and have its folder removed; return an unfinished one's checkpoint, from which it can go
        on."""
        self._asked = time.monotonic()
        unfinished: Files = {}
        if self._folder is not None and (self._folder / CHECKPOINT).is_file():
            unfinished = {CHECKPOINT: (self._folder / CHECKPOINT).read_bytes()}
        self._let_go()
        return unfinished

    def _let_go(self) -> None:
        with self._beginning:  # a training that is just starting gets its guard first
            if self._line is not None and self._said is not None:
                self._line.close()
                self._said.join(_GONE_WITHIN)

    def _listen(self, said: IO[bytes]) -> None:
        with said:
            for line in said:
                try:
                    told = json.loads(line)
                    if "ended" in told:
                        self._standing = self._at_its_end(int(told["ended"]))
                    else:
                        self._standing = Standing(float(told["progress"]), str(told["doing"]))
                except (ValueError, TypeError, KeyError):
                    continue  # libraries print there, too

    def _at_its_end(self, status: int) -> Standing:
        assert self._folder is not None  # noqa: S101  it was taken
        try:
            last = (self._folder / LOG).read_text("utf-8", "replace").strip().splitlines()[-_LAST_LINES:]
        except FileNotFoundError:
            last = []  # it was stopped, and its folder is gone
        return Standing(1.0, "ended", status, "\n".join(last) if status else "")

    def _watch(self, lease: float) -> None:
        while self._wanted(lease):
            time.sleep(min(1.0, lease / 10))
        self._let_go()
        self._leave()

    def _wanted(self, lease: float) -> bool:
        with self._beginning:
            return time.monotonic() - self._asked < lease

    def _leave(self) -> None:
        os._exit(0)  # end the process: Ray then forgets its name and gets the place back


def remove_left() -> None:
    """Remove the folders of trainings that ended when this machine went down."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            held = os.open(folder, os.O_RDONLY)
        except OSError:
            continue  # another user's, or removed meanwhile
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue  # in use
        finally:
            os.close(held)
