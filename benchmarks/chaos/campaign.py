"""Rounds of a campaign: people write, things go wrong, all work drains, and the invariants are checked."""

import asyncio
import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psycopg

from benchmarks.chaos.clock import CLOCK
from benchmarks.chaos.copies import UNEXPLAINED, causes, warnings
from benchmarks.chaos.disks import Disks
from benchmarks.chaos.faults import DATABASE, FAULTS, Faults
from benchmarks.chaos.invariants import Copies, Findings, check, check_replicas
from benchmarks.chaos.people import People
from benchmarks.chaos.platforms import ChaoticSlack, ChaoticTelegram, Weather
from benchmarks.chaos.processes import Deaths, ModelServer, Replica, postmaster
from benchmarks.chaos.records import Ledger, until
from benchmarks.chaos.victim import STEPS
from db.server.cluster import prepared
from tests.acceptance.processes import Home, free_address, sweep
from tests.worlds.company import Town, settled

Named = Mapping[str, Sequence[str]]
_TALK_SECONDS, _DRAIN_SECONDS, _START_SECONDS = 90.0, 240.0, 240.0
HOMES = {"billing": "slack", "delivery": "telegram"}
"""Two teams that live on one platform each, whichever platform people write from."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The contents of one round; the same for the same seed."""

    number: int
    step: str
    fault: str
    each: int
    """Number of people on each platform."""


@dataclass(frozen=True, slots=True)
class Round:
    """The results of a round."""

    number: int
    step: str
    fault: str
    seconds: float
    drained_after: float | None
    """Seconds from the end of all faults; None: some work was left."""
    left: Mapping[str, int]
    kills: Mapping[str, int]
    recovered: Sequence[float]
    counts: Mapping[str, int]
    doubled: Named
    lost: Named
    broken: Named
    database_back_after: float | None = None


def plans(seed: int, only: str = "", each: int = 4) -> "list[Plan]":
    """At most two hundred rounds for this seed, whose step or fault contains one of the parts of `only` separated by
    |."""
    dice = random.Random(seed)
    steps, others = list(STEPS), [fault for fault in FAULTS if fault != DATABASE]
    dice.shuffle(steps)
    dice.shuffle(others)
    made = []
    for number in range(1_000):
        fault = DATABASE if number % 3 == 0 else others[(number - number // 3) % len(others)]
        made.append(Plan(number, steps[number % len(steps)], fault, each))
    wanted = only.split("|")
    return [plan for plan in made if any(one in plan.step or one in plan.fault for one in wanted)][:200]


@dataclass(slots=True)
class Scene:
    """Everything that runs: the platforms, the model, the bots and their database."""

    town: Town
    weather: Weather
    model: ModelServer
    replicas: Sequence[Replica]
    deaths: Deaths
    faults: Faults
    ledger: Ledger
    dice: random.Random
    copies: Copies = field(default_factory=Copies)
    warned: "Counter[str]" = field(default_factory=Counter)
    """Chat -> how often a bot said by now that a post may stand twice there."""

    async def play(self, plan: Plan, kills: int = 2) -> Round:
        """Play one round: a bot is killed at a random moment, then its next `kills` processes at the plan's step. 0: no
        kills."""
        began, before = time.monotonic(), Counter(self.deaths.steps)
        recovered, self.ledger.round = len(self.deaths.recovered), plan.number
        over = asyncio.Event()
        people = People(self.town, self.ledger, self.dice, over.is_set)
        following = asyncio.create_task(self.ledger.follow())
        writing = asyncio.create_task(people.write(plan.number, plan.each))
        try:
            victim = self.dice.choice(self.replicas)
            await asyncio.sleep(self.dice.uniform(0.2, 2.5))
            if kills:
                victim.arm = [plan.step] * kills
                victim.kill()
                await asyncio.sleep(self.dice.uniform(0, 6))
            back = await self.faults.happen(plan.fault)
            await asyncio.wait({writing}, timeout=_TALK_SECONDS)
            over.set()
            await writing
            victim.arm = []
            drained, left = await self._drain()
        finally:
            following.cancel()
        counts, doubled, lost, broken = self._looked_at(plan.number, people)
        return Round(
            *(plan.number, plan.step, plan.fault, round(time.monotonic() - began, 1), drained, left),
            kills=dict(self.deaths.steps - before),
            recovered=self.deaths.recovered[recovered:],
            counts=counts,
            doubled=doubled,
            lost=lost,
            broken=broken,
            database_back_after=back,
        )

    def _looked_at(self, number: int, people: People) -> tuple[dict[str, int], Named, Named, Named]:
        """Counts of what happened; what stands twice, what is missing, and what else is broken, by invariant."""
        said, posts = people.said, self.copies.found(self.town, self.ledger)
        counts = {
            "requests": len(said.requests),
            "follow-ups": len(said.messages) - len(said.requests),
            "notes": len(said.notes),
            "reactions": said.reactions,
            "presses": said.presses,
            **{f"posts on {name}": count for name, (count, _, _) in posts.items()},
            **self.weather.counts,
            **self.faults.counts,
        }
        self.weather.counts.clear()
        found = check(number, said, self.town, self.ledger)
        warned, self.warned = warnings(self.faults.home) - self.warned, warnings(self.faults.home)
        counts["warnings of copies on telegram"] = warned.total()
        copies = self.copies.new["telegram"]
        why = causes(copies, warned, self.weather.unanswered, self.weather.said, self.deaths.moments)
        counts |= {f"telegram copies: {cause}": n for cause, n in why.items()}
        found.unless(not why[UNEXPLAINED], "a copy on Telegram has a cause", why[UNEXPLAINED])
        self._look_at_replicas(found)
        self.faults.counts.clear()
        gave_up = self.ledger.rows("SELECT platform, kind, problem FROM posts WHERE given_up_at IS NOT NULL")
        for one in gave_up:
            found.unless(False, "nothing is given up that could be said", one)
        twice = {name: copies for name, (_, copies, _) in posts.items() if copies}
        gone = {name: missing for name, (_, _, missing) in posts.items() if missing}
        return counts, twice, gone, found.broken

    def _look_at_replicas(self, found: Findings) -> None:
        """Check the replicas. A killed database dropped the turn to poll: then overlapping polls do not count."""
        telegram = self.town.telegram
        assert isinstance(telegram, ChaoticTelegram)
        together, telegram.pollers.together = telegram.pollers.together, 0
        if len(self.replicas) > 1:
            killed = self.faults.counts["kills of the database"]
            check_replicas(found, self.ledger, 0 if killed else together)

    # --- what comes of it ---

    async def _drain(self) -> tuple[float | None, Mapping[str, int]]:
        """Seconds until nothing waits anywhere; otherwise what still waits."""
        began = time.monotonic()
        if await until(lambda: not self.waiting(), _DRAIN_SECONDS):
            return round(time.monotonic() - began, 1), {}
        return None, self.waiting()

    def waiting(self) -> Mapping[str, int]:
        """What is still on its way to the bots, and what waits in the database."""
        slack = [one for one in self.town.slack.deliveries if one.kind == "events_api" and not one.acked]
        coming = {"slack deliveries": len(slack), "telegram updates": len(self.town.telegram.feed.pending)}
        try:
            dead = max(0, self.ledger.count("SELECT count(*) FROM processes") - len(self.replicas))
            coming["processes that died unnoticed"] = dead
            return {what: count for what, count in coming.items() if count} or self.ledger.waiting()
        except psycopg.Error:
            return {"database": 1}


@asynccontextmanager
async def scene(seed: int, replicas: int = 1, database: str = "", first: str = "") -> AsyncIterator[Scene]:
    """Everything started and ready; removed afterwards, whatever happened.

    `database`: the URL of an existing database; by default the bots start their own. `first`: the step at which the
    first process of each bot dies.
    """
    dice = random.Random(seed)
    weather, folder = Weather(dice), Path(tempfile.mkdtemp(prefix="switchboard-chaos-"))
    async with ChaoticSlack(weather) as slack, ChaoticTelegram(weather) as telegram, asyncio.TaskGroup() as group:
        town, model, deaths = settled(slack, telegram), ModelServer(), Deaths()
        await model.start()
        disks, clock = Disks(folder), folder / "clock"
        disks.mount()
        home = Home(folder, town.environment() | {"SWITCHBOARD_LOG": "INFO", CLOCK: str(clock)})
        bots = []
        for number in range(replicas):
            address = free_address()
            text = town.settings(model.url, settle_seconds=0.3, homes=HOMES)
            text = text.replace('["en", "pt-BR", "es"]', '["en"]')  # one encoder instead of two, which starts sooner
            text = f'[database]\nurl = "{database or "embedded"}"\n{text}'
            text += '\n[tasks.routing.learning]\ndigest = "* * * * *"\n'
            name = home.file(f"replica-{number}.toml", text.replace(town.listen, address))
            bots.append(Replica(home, name, address, deaths, dice))
            bots[-1].arm = [first] if first else []
        keeping = []
        try:
            for one in bots:
                keeping.append(group.create_task(one.keep()))
                await _until_hearing(one)
            ledger = Ledger(database or prepared(folder / "var" / "postgres").url)
            faults = Faults(folder, bots, model, weather, deaths, ledger, dice, disks, clock)
            yield Scene(town, weather, model, bots, deaths, faults, ledger, dice)
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
            await model.kill()
            await asyncio.to_thread(_clear, folder, disks)


async def _until_hearing(bot: Replica) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not await bot.hears():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the bot does not start:\n{bot.said()}")
        await asyncio.sleep(0.2)


def _clear(folder: Path, disks: Disks) -> None:
    number = postmaster(folder)
    if number is not None:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGQUIT)
            for _ in range(100):
                os.kill(number, 0)
                time.sleep(0.1)
    sweep(folder)
    disks.unmount()
    shutil.rmtree(folder, ignore_errors=True)


async def campaign(
    seed: int,
    rounds: Sequence[Plan],
    out: Path,
    replicas: int,
    enough: Callable[[Sequence[Round]], bool],
    tell: Callable[[Round], None],
) -> list[Round]:
    """Play the rounds that `out` does not have yet, adding a line for each, until there are enough."""
    done = finished(out)
    todo = [plan for plan in rounds if plan.number not in {one.number for one in done}]
    if not todo or enough(done):
        return done
    async with scene(seed + len(done), replicas) as stage:
        for plan in todo:
            played = await stage.play(plan)
            done.append(played)
            with out.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(asdict(played), ensure_ascii=False) + "\n")
            tell(played)
            if enough(done):
                break
    return done


def finished(out: Path) -> list[Round]:
    """The rounds stored in the file."""
    if not out.exists():
        return []
    return [Round(**json.loads(line)) for line in out.read_text("utf-8").splitlines()]
