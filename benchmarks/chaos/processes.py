"""The processes of a campaign: bots that are restarted whenever they die, and a model server that can be killed."""

import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.chaos.victim import KILL, NOTE, PASSES
from tests.acceptance.processes import REPOSITORY, Home, Running, free_address

AT_RANDOM = "at any moment"
_NOT_OURS = "ended by itself"


@dataclass(slots=True)
class Deaths:
    """How often a bot was killed at which step, and the seconds until each worked again."""

    steps: "Counter[str]" = field(default_factory=Counter)
    recovered: list[float] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    """The moments of deaths by the clock that timers use; the database's deaths, too."""


class Replica:
    """One bot, kept running: whenever it dies, it is restarted, armed to die at the wanted step."""

    def __init__(self, home: Home, config: str, address: str, deaths: Deaths, dice: random.Random) -> None:
        self._home, self._config, self.address = home, config, address
        self._deaths, self._dice = deaths, dice
        self._note = home.folder / f"note-{config}"
        self._running: Running | None = None
        self._meant = False
        self.arm: list[str] = []
        """The steps at which the next processes are to die, one each."""

    async def keep(self) -> None:
        """Start the bot and restart it whenever it dies, until cancelled."""
        died: float | None = None
        try:
            while True:
                self._note.unlink(missing_ok=True)
                self._running = await self._start()
                if await self._hears() and died is not None:
                    self._deaths.recovered.append(round(time.monotonic() - died, 1))
                await self._running.process.wait()
                died = time.monotonic()
                self._deaths.moments.append(died)
                self._deaths.steps[self._why()] += 1
        finally:
            if self._running is not None:
                self._running.kill()
                await self._running.process.wait()

    async def hears(self) -> bool:
        """Whether all its parts work now, apart from the model."""
        async with httpx.AsyncClient(base_url=f"http://{self.address}", trust_env=False, timeout=5) as web:
            with suppress(httpx.HTTPError, ValueError):
                parts = (await web.get("/readyz")).json()
                return bool(parts) and all(works for part, works in parts.items() if part != "model")
        return False

    def kill(self) -> None:
        """Kill it now, whatever it is doing."""
        if self._running is not None and self._running.process.returncode is None:
            self._meant = True
            self._running.kill()

    def signal(self, number: signal.Signals) -> None:
        if self._running is not None and self._running.process.returncode is None:
            self._running.process.send_signal(number)

    @property
    def pid(self) -> int | None:
        return None if self._running is None else self._running.process.pid

    def said(self) -> str:
        """The output of the latest process."""
        return "" if self._running is None else self._running.said()

    async def stop(self) -> int | None:
        """Stop it as Ctrl-C does; return the exit code. `keep` must have been cancelled, or the bot is restarted."""
        assert self._running is not None
        return (await self._running.stops()).code

    async def _start(self) -> Running:
        more = {}
        if self.arm:
            more = {KILL: self.arm.pop(0), PASSES: str(self._dice.choice((1, 1, 2, 3, 5))), NOTE: str(self._note)}
        home = Home(self._home.folder, dict(self._home.environment) | more)
        return await home.start("run", "--config", self._config, module="benchmarks.chaos.victim")

    async def _hears(self) -> bool:
        assert self._running is not None
        while self._running.process.returncode is None:
            if await self.hears():
                return True
            await asyncio.sleep(0.1)
        return False

    def _why(self) -> str:
        meant, self._meant = self._meant, False
        if self._note.exists():
            return self._note.read_text("utf-8")
        return AT_RANDOM if meant else _NOT_OURS


class ModelServer:
    """The scripted model server, in a process of its own at an address that stays the same."""

    def __init__(self) -> None:
        self.listen = free_address()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://{self.listen}"

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start it; return once it answers."""
        port = self.listen.rpartition(":")[2]
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.chaos.model", port),
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as web:
            for _ in range(600):
                with suppress(httpx.TransportError):
                    await web.get("/health")
                    return
                await asyncio.sleep(0.05)
        raise TimeoutError("the scripted model does not start")

    async def behave(self, how: str) -> None:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as web:
            await web.post("/_behave", json={"as": how})

    async def kill(self) -> None:
        """End it with kill -9."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


def postmaster(home: Path) -> int | None:
    """The process number of the embedded PostgreSQL's first process; None: none runs."""
    file = home / "var" / "postgres" / "data" / "postmaster.pid"
    try:
        return int(file.read_text("utf-8").partition("\n")[0])
    except (OSError, ValueError):
        return None
