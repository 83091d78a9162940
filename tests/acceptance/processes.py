"""The product as its users run it: `switchboard` processes in their own home, controlled from outside."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Protocol, TypeVar

import httpx
import psycopg

from db.server.cluster import prepared
from tests.acceptance.warm import start_warm

T = TypeVar("T")
REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 240.0
"""Seconds that a start may take on a busy machine; these tests do not measure speed."""
_numbers = count(1)
_begun: set[str] = set()
"""The commands that this session has started without the shared process."""


class Process(Protocol):
    """A command's process, however it was started."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> int: ...

    def send_signal(self, signal: int) -> None: ...

    def kill(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, object]]:
        """Its output for machines: JSON, one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def json(self) -> dict[str, object]:
        [only] = self.lines
        return only

    @property
    def told(self) -> str:
        """Its output for people, without line breaks from the terminal's width."""
        return " ".join(self.err.split())


@dataclass(frozen=True, slots=True)
class Home:
    """A folder with a settings file and all stored data, and the environment of its processes."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def settings(self, text: str) -> None:
        self.folder.joinpath("switchboard.toml").write_text(text, "utf-8")

    def file(self, name: str, text: str) -> str:
        """Write a file in the home; return its name as a command takes it."""
        self.folder.joinpath(name).write_text(text, "utf-8", errors="surrogatepass")
        return name

    async def start(self, *arguments: str, module: str = "bot.cli", cold: bool = False) -> "Running":
        """Start a command that keeps running, as the leader of its own process group.

        It is `python -m bot.cli` if `cold`, or if it is the first of its name in this session, so that what a command
        imports by itself is tested once. Later ones are forked from a process that has imported it. Another `module` is
        never forked.
        """
        log = self.folder / f"output-{next(_numbers)}"
        environment = _PLAIN | {"HOME": str(self.folder), "PYTHONPATH": str(REPOSITORY)} | dict(self.environment)
        command = "--help" if "--help" in arguments else arguments[0]
        if module == "bot.cli" and command in _begun and not cold:
            return Running(start_warm(arguments, self.folder, environment, log), log)
        _begun.add(command)
        return Running(await self._started((module, *arguments), environment, log), log)

    async def _started(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> Process:
        with log.with_suffix(".out").open("wb") as out, log.with_suffix(".err").open("wb") as err:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *words),
                cwd=self.folder,
                env=environment,
                stdin=DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    async def does(self, *arguments: str, seconds: float = START_SECONDS, cold: bool = False) -> Done:
        """Run a command to its end; see `start` for `cold`."""
        running = await self.start(*arguments, cold=cold)
        try:
            await asyncio.wait_for(running.process.wait(), seconds)
        except TimeoutError as error:
            running.kill()
            raise AssertionError(f"{arguments} did not end in {seconds} s:\n{running.said()}") from error
        return running.done()

    async def succeeds(self, *arguments: str, cold: bool = False) -> Done:
        """Run a command to its end; it must succeed."""
        done = await self.does(*arguments, cold=cold)
        assert done.code == 0, f"{arguments} ended with {done.code}:\n{done.err}"
        return done

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Rows from the home's database; its embedded PostgreSQL must be running."""
        with psycopg.connect(prepared(self.folder / "var" / "postgres").url) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def processes(self) -> dict[int, str]:
        """Every process started from this home, recognised by its command, its environment or its folder."""
        home = str(self.folder)
        return {pid: command for pid, command, traces in _processes() if any(home in trace for trace in traces)}

    async def until_left_alone(self, but: str = "\0", seconds: float = 30) -> None:
        """Wait until no process of this home is left, except those whose command contains `but`."""
        deadline = time.monotonic() + seconds
        while left := {pid: command for pid, command in self.processes().items() if but not in command}:
            assert time.monotonic() < deadline, f"still there: {left}"
            await asyncio.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Running:
    """A command that keeps running."""

    process: Process
    log: Path

    def done(self) -> Done:
        assert self.process.returncode is not None
        return Done(self.process.returncode, self._read(".out"), self._read(".err"))

    def said(self) -> str:
        """Everything it has written so far."""
        return self._read(".out") + self._read(".err")

    async def until_ready(self, address: str) -> None:
        """Wait until all its parts work."""
        async with httpx.AsyncClient(base_url=address, trust_env=False) as web:

            async def ready() -> bool:
                assert self.process.returncode is None, f"it ended:\n{self.said()}"
                try:
                    answer = await web.get("/readyz")
                except httpx.TransportError:
                    return False
                return answer.status_code == 200 and all(answer.json().values())

            await until(ready, START_SECONDS, self.said)

    async def until_says(self, words: str) -> None:
        async def says() -> bool:
            assert self.process.returncode is None, f"it ended:\n{self.said()}"
            return words in " ".join(self.said().split())

        await until(says, START_SECONDS, self.said)

    async def stops(self, number: signal.Signals = signal.SIGTERM) -> Done:
        """Tell it to stop, and wait until it has stopped."""
        self.process.send_signal(number)
        await asyncio.wait_for(self.process.wait(), 60)
        return self.done()

    def kill(self) -> None:
        """kill -9 for this process only: the processes that it started have to notice by themselves."""
        if self.process.returncode is None:
            self.process.kill()

    def _read(self, suffix: str) -> str:
        return self.log.with_suffix(suffix).read_text("utf-8", "replace")


@asynccontextmanager
async def running(home: Home, *arguments: str, address: str) -> AsyncIterator[Running]:
    """A command that is ready, and is stopped at the end as by Ctrl-C: no complaint, exit code 0, no process left."""
    process = await home.start(*arguments)
    try:
        await process.until_ready(address)
        yield process
        done = await process.stops()
    finally:
        process.kill()
        await process.process.wait()
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    await home.until_left_alone()


async def until(holds: Callable[[], Awaitable[T]], seconds: float = 60, explain: Callable[[], str] = lambda: "") -> T:
    """Wait until the value is true (or not empty), and return it. Raises AssertionError with the explanation."""
    deadline = time.monotonic() + seconds
    while not (found := await holds()):
        assert time.monotonic() < deadline, f"still not so after {seconds} s\n{explain()}"
        await asyncio.sleep(0.1)
    return found


def sweep(folder: Path) -> None:
    """Kill the processes that a failed test left under this folder."""
    for pid in Home(folder).processes():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def free_address() -> str:
    """HOST:PORT on which nothing listens at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


_PLAIN = {
    # Wide enough that no sentence is wrapped, because tests search for sentences
    "COLUMNS": "4000",
    "LANG": "C.UTF-8",
    **{name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "OMP_NUM_THREADS") if name in os.environ},
}


def _processes() -> Iterator[tuple[int, str, tuple[str, ...]]]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            environment = (folder / "environ").read_bytes().decode("utf-8", "replace")
            traces = (command, environment, str((folder / "cwd").readlink()))
        except OSError:  # it ended in the meantime, or it is a zombie, which does not count
            continue
        yield int(folder.name), command, traces
