"""The faults of a round besides the deaths of bots; each ends again."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg

from benchmarks.chaos.disks import PLACES, Disks
from benchmarks.chaos.platforms import MISDEEDS, Weather
from benchmarks.chaos.processes import Deaths, ModelServer, Replica, postmaster
from benchmarks.chaos.records import Ledger, until
from tests.acceptance.processes import Home

DATABASE = "database killed"
MODEL = ("killed", "hangs", "half", "other", "fails")
DISK_FULL: Mapping[str, str] = {f"disk of the {what} full": what for what in PLACES}
CLOCKS = {"clock an hour ahead, then right": 3600.0, "clock an hour behind, then right": -3600.0}
FAULTS = (
    DATABASE,
    *(f"{platform} {misdeed}" for misdeed in MISDEEDS for platform in ("slack", "telegram")),
    *(f"model {what}" for what in MODEL),
    "bot suspended",
    "machine suspended",
    "pool exhausted",
    "training killed",
    *DISK_FULL,
    *CLOCKS,
)
"""The faults besides the deaths of bots; the database's own death comes in every third round."""
_LOCKED = "LOCK TABLE messages, conversations, posts IN ACCESS EXCLUSIVE MODE"
"""Makes every query wait, until every connection of every pool is busy."""
_POOL_WAITS = 13.0
"""Seconds: longer than anything waits for a connection of its pool."""
_TRAININGS = ("inference.train", "inference.voices.fit")
_TRAINS_WITHIN, _BACK_WITHIN = 60.0, 120.0


@dataclass(slots=True)
class Faults:
    """Causes each fault in the scene's processes, and ends it."""

    home: Path
    replicas: Sequence[Replica]
    model: ModelServer
    weather: Weather
    deaths: Deaths
    ledger: Ledger
    dice: random.Random
    disks: Disks
    clock: Path
    """The file that sets the bots' clocks."""
    counts: "Counter[str]" = field(default_factory=Counter)
    """What really happened, for faults that do not always succeed."""

    async def happen(self, fault: str) -> float | None:
        """Cause the fault and return once it is over: the seconds until the database was back, if it was killed."""
        if fault == DATABASE:
            return await self._kill_database()
        if fault:
            await self._what(fault)(self.dice.uniform(3, 10))
        return None

    def _what(self, fault: str) -> Callable[[float], Awaitable[None]]:
        if fault in DISK_FULL:
            return partial(self._fill, DISK_FULL[fault])
        if fault in CLOCKS:
            return partial(self._step_clock, CLOCKS[fault])
        named: Mapping[str, Callable[[float], Awaitable[None]]] = {
            "bot suspended": self._suspend_bot,
            "machine suspended": self._suspend_machine,
            "pool exhausted": self._exhaust,
            "training killed": self._kill_training,
        }
        whom, _, what = fault.partition(" ")
        return named.get(fault) or partial(self._misuse_model if whom == "model" else self._storm, whom, what)

    async def _storm(self, platform: str, misdeed: str, seconds: float) -> None:
        self.weather.misdeed, self.weather.odds, self.weather.about = misdeed, 0.4, platform
        await asyncio.sleep(seconds + 5)
        self.weather.over()

    async def _misuse_model(self, _: str, how: str, seconds: float) -> None:
        if how == "killed":
            await self.model.kill()
            await asyncio.sleep(seconds)
            await self.model.start()
            return
        await self.model.behave(how)
        await asyncio.sleep(seconds)
        await self.model.behave("answers")

    async def _suspend_bot(self, seconds: float) -> None:
        one = self.dice.choice(self.replicas)
        one.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        one.signal(signal.SIGCONT)

    async def _suspend_machine(self, seconds: float) -> None:
        """Suspend the bots, their children and PostgreSQL, and let them continue as if nothing had happened."""
        stopped = [*Home(self.home).processes(), *([self.model.pid] if self.model.pid else [])]
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in stopped:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            if number == signal.SIGSTOP:
                await asyncio.sleep(seconds)

    async def _exhaust(self, _: float) -> None:
        """Occupy every connection for longer than anybody waits for one."""
        with suppress(psycopg.Error):  # the database's own time limit, or its death
            async with await psycopg.AsyncConnection.connect(self.ledger.url, connect_timeout=5) as holding:
                await holding.execute("SET lock_timeout = '10s'")
                await holding.execute(_LOCKED)
                await asyncio.sleep(_POOL_WAITS)
                self.counts["pools exhausted"] += 1

    async def _fill(self, what: str, seconds: float) -> None:
        if not self.disks.mounted:
            self.counts["disks that could not be filled"] += 1
            return
        await asyncio.to_thread(self.disks.fill, what)
        self.counts["disks filled"] += 1
        await asyncio.sleep(seconds)
        self.disks.free(what)
        if what == "database":  # which has stopped, or stores no receipts
            self.deaths.moments.append(time.monotonic())

    async def _step_clock(self, ahead: float, seconds: float) -> None:
        self.clock.write_text(str(ahead), "utf-8")
        await asyncio.sleep(seconds)
        self.clock.unlink()
        self.counts["clock steps"] += 2

    async def _kill_training(self, _: float) -> None:
        """Kill a fit or a training as soon as one runs: corrections start one within seconds."""
        found: list[int] = []

        def one_trains() -> bool:
            commands = Home(self.home).processes()
            found.extend(pid for pid, command in commands.items() if any(one in command for one in _TRAININGS))
            return bool(found)

        await until(one_trains, _TRAINS_WITHIN)
        for pid in set(found):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.counts["trainings killed"] += bool(found)

    async def _kill_database(self) -> float | None:
        """kill -9 of PostgreSQL's first process, with which all its others end; return the seconds until it was
        back."""
        number = postmaster(self.home)
        if number is None:
            return None
        self.counts["kills of the database"] += 1
        began = time.monotonic()
        os.kill(number, signal.SIGKILL)
        self.deaths.moments.append(began)

        def back() -> bool:
            with suppress(psycopg.Error):
                return postmaster(self.home) != number and self.ledger.count("SELECT 1") == 1
            return False

        return round(time.monotonic() - began, 1) if await until(back, _BACK_WITHIN, pause=0.1) else None
