"""Trains on a Ray cluster as `inference.train` does here: run folder in, progress on stdout, adapter and done.json out.

    python -m inference.ray_train var/runs/routing-7 --address ray://head:10001 --base starter

SIGTERM stops the training there and has its folder removed; where it stood comes back, so that the next one goes on
from there. When this process is killed, or the bot is, the training goes on for a while, and the same command finds it.
"""

import argparse
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from threading import Event
from typing import NoReturn, Protocol
from urllib.parse import urlsplit

from bot.domain.errors import SwitchboardError, TrainingFailed, Unreachable
from inference.ray_worker import Files, Standing
from inference.run_folder import CHECKPOINT, TEXTS, finished, inputs_of, sync
from inference.worker_process import end_with_parent

WAIT_FOR_ROOM = 3600.0
"""How long a training waits until the cluster has room for it."""
_AGAIN = "nothing was learned, and the next learning cycle trains again"
_PORT = 10001
_ASK_EVERY = 1.0
_ANSWERS_WITHIN = 5.0
"""Seconds; a place that does not answer by then is taken back, and its process and folder go with it."""
Told = Callable[[float, str], None]


class Place(Protocol):
    """The place of one training on the cluster, found by its name; every call raises Unreachable."""

    def ready(self, seconds: float) -> bool:
        """Whether the cluster has room for it within that time."""

    def take(self, files: Files, base: str) -> None:
        """See `ray_worker.RemoteTraining`."""

    def standing(self) -> Standing | None:
        """See `ray_worker.RemoteTraining`."""

    def bring(self) -> Files:
        """See `ray_worker.RemoteTraining`."""

    def stop(self) -> Files:
        """See `ray_worker.RemoteTraining`."""

    def release(self) -> None:
        """Give the place back to the cluster."""


class Stopped(Exception):
    """SIGTERM came: the training is no longer wanted."""


def train_there(
    folder: Path, place: Place, base: str, told: Told, stopping: Event | None = None, every: float = _ASK_EVERY
) -> None:
    """Bring the finished adapter into the folder. Raises TrainingFailed, Unreachable; Stopped, once it is stopped
    there."""
    try:
        stopping = stopping or Event()
        _wait_for_room(place, told, stopping)
        if place.standing() is None:
            place.take(_taken_along(folder), base)
        _follow(place, told, stopping, every)
        keep(folder, place.bring())
    except Stopped:
        for name, content in _stopped(place).items():
            if name == CHECKPOINT:
                _write(folder / name, content)
        raise
    except TrainingFailed:
        _stopped(place)  # the cycle fails: nothing takes this training up again
        raise
    except Unreachable as error:
        _stopped(place)
        raise Unreachable(f"{error}; {_AGAIN}") from error
    _stopped(place)


def _wait_for_room(place: Place, told: Told, stopping: Event) -> None:
    given_up = time.monotonic() + WAIT_FOR_ROOM
    while not place.ready(_ASK_EVERY):
        _look(stopping)
        told(0.0, "waiting for room on the cluster")
        if time.monotonic() > given_up:
            raise TrainingFailed(
                f"the Ray cluster had no room for the training within {WAIT_FOR_ROOM / 60:.0f} minutes"
            )


def _taken_along(folder: Path) -> Files:
    wanted = ("task.json", TEXTS, CHECKPOINT)
    return {name: (folder / name).read_bytes() for name in wanted if (folder / name).is_file()}


def _look(stopping: Event) -> None:
    if stopping.is_set():
        raise Stopped


def _follow(place: Place, told: Told, stopping: Event, every: float) -> None:
    while (standing := place.standing()) is not None:
        if standing.ended is not None:
            if standing.ended:
                raise TrainingFailed(f"on the Ray cluster it ended with {standing.ended}: {standing.words}")
            return
        told(standing.share, standing.doing)
        stopping.wait(every)
        _look(stopping)
    raise TrainingFailed("the Ray cluster knows nothing of the training any more")


def _stopped(place: Place) -> Files:
    """Remove the texts there and give the place back. An unreachable cluster does so itself when the lease is over."""
    try:
        unfinished = place.stop() if place.ready(_ANSWERS_WITHIN) else {}
        place.release()
    except Unreachable as error:
        sys.stderr.write(f"the training there was not stopped, and ends by itself: {error}\n")
        return {}
    return unfinished


def keep(folder: Path, files: Files) -> None:
    """Store the returned files, done.json last. Raises TrainingFailed if they are not of the training sent from
    here."""
    inside = [PurePosixPath(name) for name in files]
    if any(path.parts[:-1] not in ((), ("adapter",)) or path.name in ("", "..") for path in inside):
        raise TrainingFailed("the Ray cluster sent back files that no training makes")
    (folder / "done.json").unlink(missing_ok=True)
    (folder / "adapter").mkdir(exist_ok=True)
    for path in sorted(inside, key=lambda path: path.name == "done.json"):
        if path.parts[:-1] or path.name == "done.json":
            _write(folder / path, files[str(path)])
    if finished(folder) is None:
        (folder / "done.json").unlink(missing_ok=True)
        raise TrainingFailed("what came back from the Ray cluster is not what was trained there: its digest differs")
    (folder / CHECKPOINT).unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f"{path.name}.tmp")
    unfinished.write_bytes(content)
    sync(unfinished)
    unfinished.replace(path)
    sync(path.parent)


def main() -> None:
    """Run from the command line to done.json; an expected failure is one sentence on stderr and exit code 1."""
    parser = argparse.ArgumentParser(
        prog="python -m inference.ray_train", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("run", type=Path, help="the run folder")
    parser.add_argument("--address", required=True, help="ray://HOST:PORT")
    parser.add_argument("--base", required=True, help="the base model, as the machines there know it")
    parser.add_argument("--cpus", type=float, default=1.0)
    parser.add_argument("--gpus", type=float, default=0.0)
    parser.add_argument("--with-parent", action="store_true", help="end when stdin is closed")
    args = parser.parse_args()
    if args.with_parent:
        end_with_parent()
    stopping = Event()  # checked between calls: an exception in the middle of a call leaves Ray's client stuck
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stopping.set())
    try:
        _tell(0.0, "asking the Ray cluster")
        knock(args.address)
        from inference.ray_cluster import connect  # imports Ray, which only this process does

        place = connect(args.address)(f"{args.run.name}-{inputs_of(args.run)[:16]}", args.cpus, args.gpus)
        signal.signal(signal.SIGTERM, lambda _signal, _frame: stopping.set())  # Ray has replaced the handler
        train_there(args.run, place, args.base, _tell, stopping)
        _tell(1.0, "done")
    except Stopped:
        sys.exit(128 + signal.SIGTERM)
    except ModuleNotFoundError as error:
        _fail(f'{error.name} is not installed here: install the extra `ray`, or write training.where = "local"')
    except (SwitchboardError, OSError) as error:
        _fail(str(error))


def knock(address: str) -> None:
    """Raise Unreachable if nothing listens at `ray://HOST:PORT`: Ray itself would try for minutes."""
    where = urlsplit(address)
    try:
        socket.create_connection((where.hostname or "", where.port or _PORT), _ANSWERS_WITHIN).close()
    except OSError as error:
        problem = f'{error.strerror or error}; start it, or write training.where = "local"'
        raise Unreachable(f"the Ray cluster at {address} does not answer: {problem}") from error


def _fail(sentence: str) -> NoReturn:
    """Say why, in a line of its own apart from whatever Ray writes into the log, and end at once.

    At exit Ray would take leave of the cluster: one that is gone lets it wait, and write a traceback.
    """
    sys.stdout.write(json.dumps({"failed": sentence}) + "\n")
    sys.stdout.flush()
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
    os._exit(1)


def _tell(share: float, doing: str) -> None:
    sys.stdout.write(json.dumps({"progress": round(share, 4), "doing": doing}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
