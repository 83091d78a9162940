"""What a simulated company with adapters does besides: learning cycles, watching over adapters, and keeping months."""

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.simulated_office import Model, Office
from bot.console import share_of
from bot.domain.learning import Outcome, Phase, RegistryEvent
from bot.domain.retention import Retention
from bot.domain.tasks import Learning, Task
from bot.flow.canary import CanaryWatch
from bot.flow.fit_voices import VoiceFitter
from bot.flow.learn import Learner
from bot.flow.let_go import LetGo
from bot.flow.retain import Retainer
from bot.flow.rollback import AutomaticRollback
from bot.flow.score import Scorer
from bot.flow.shadow import Shadow
from bot.flow.shadow_cards import ShadowCardKeeper
from db.corrections import PostgresCorrections
from db.retention import PostgresRetention
from db.shadow import PostgresShadows
from db.shadow_cards import PostgresShadowCards
from inference.adapters import VllmAdapters
from inference.base_models import base_folder
from inference.client import VllmPredictor
from inference.kept_files import KeptFiles
from inference.prompt import PromptBuilder
from inference.run_folder import TEXTS, RunFolders
from inference.server import EmbeddedServer
from inference.server_command import ServerSettings
from inference.trainer_process import TrainerProcess

BASE = "starter"
LEARNING = Learning(min_corrections=0, shadow=True, canary=0.3)
"""There is a cycle every four weeks, however few corrections wait; canaries serve three requests of ten."""
RETENTION = Retention(runs=timedelta(days=14))
"""A company that keeps the folders of refused candidates for two weeks."""
_FAR_BACK = 1_000
_DONE = "state.json"


@dataclass(frozen=True, slots=True)
class Event:
    """What became of an adapter."""

    day: float
    """Days since the year began."""
    what: str
    """An `Outcome`, "trained" or "failed"."""
    adapter: str
    why: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is left of the year's adapters at its end."""

    adapters: int
    folders: int
    megabytes: float
    texts: int
    """Folders that still hold the texts of a training."""
    loaded: int
    """Adapters in the model server."""
    stages: Mapping[str, int]
    """Stage of life -> number of corrections."""
    retired_by_others: int
    """Retired corrections whose adapter does not serve."""


@dataclass(frozen=True, slots=True)
class ModelServer:
    """A vLLM server with the starter, asked by every company in turn."""

    base: Path
    prompts: PromptBuilder
    server: EmbeddedServer

    @classmethod
    @asynccontextmanager
    async def started(cls, folder: Path) -> AsyncIterator["ModelServer"]:
        """The server, running until the context ends."""
        base = base_folder(BASE)
        with share_of("model server") as told:
            async with EmbeddedServer(ServerSettings(base, BASE, folder), told) as server:
                told(1.0, "model server")
                yield cls(base, PromptBuilder(base), server)


class Workshop:
    """What trains, judges and watches over the adapters of one company, by its own clock."""

    def __init__(self, server: ModelServer, company: str, began: datetime) -> None:
        """Companies share the server and see only their own adapters. `began`: when the year did."""
        self._server, self._began = server, began
        self.adapters = VllmAdapters(server.server.line, server.base, workspace=company)
        self.model = Model(VllmPredictor(server.prompts, BASE, self.adapters), BASE)

    async def cycle(self, office: Office, month: int) -> list[Event]:
        """One learning cycle; what became of it besides what the registry tells."""
        learner, task, day = self._learner(office), office.task, days(office.clock, self._began)
        await learner.due(task, f"month {month}")
        with share_of(f"cycle of month {month + 1}") as told:
            await learner.step(told)
        [cycle] = await office.registry.cycles(task.name, 1)
        if cycle.phase is Phase.FAILED:
            return [Event(day, "failed", cycle.adapter or "", cycle.problem)]
        return [Event(day, "trained", cycle.adapter or "", figures(cycle.verdict.figures if cycle.verdict else {}))]

    async def watches(self, office: Office) -> None:
        """What the bot looks after every few minutes: rollback, canary, shadow and its card, retention."""
        task, now = office.task, office.now
        shadows = PostgresShadows(office.database, office.registry)
        cards = PostgresShadowCards(office.database, BASE)
        kept = PostgresRetention(office.database)
        await AutomaticRollback([task], BASE, office.registry, now).step()
        await CanaryWatch([task], BASE, office.canaries, now).step()
        await Shadow([task], office.classifier, shadows, now).step()
        await ShadowCardKeeper([task], BASE, shadows, cards, office.registry, now).step()
        await Retainer(RETENTION, kept, KeptFiles(office.runs, kept.never_served), now).step()
        await office.settles()

    async def tells(self, office: Office, since: datetime, until: datetime) -> list[Event]:
        """What the company's registry tells of that time."""
        return told(await office.registry.history(office.task.name, _FAR_BACK), self._began, since, until)

    async def inventory(self, office: Office) -> Inventory:
        """What there is now."""
        task, folders = office.task.name, [one for one in office.runs.glob("*") if one.is_dir()]
        size = sum(path.stat().st_size for path in office.runs.rglob("*") if path.is_file())
        lives = await PostgresCorrections(office.database).lives(task, _FAR_BACK * 10)
        champion = await office.registry.champion(task, BASE)
        serves = champion.name if champion else None
        others = sum(one.facts.retired_by not in (None, serves) for one in lives)
        made, loaded = await office.registry.adapters(task), await self.adapters.loaded()
        texts = sum((folder / TEXTS).exists() for folder in folders)
        stages = Counter(one.stage.value for one in lives)
        return Inventory(len(made), len(folders), round(size / 1e6, 1), texts, len(loaded), dict(stages), others)

    def _learner(self, office: Office) -> Learner:
        return Learner(
            {office.task.name: office.task},
            office.examples,
            office.registry,
            Scorer(office.classifier),
            self.adapters,
            TrainerProcess(),
            *(office.runs, self._server.base, office.now),
            VoiceFitter([office.task], office.lessons, office.voices, office.embedder.name),
            LetGo(PostgresCorrections(office.database)),
            RunFolders(office.runs),
        )


def learning(task: Task) -> Task:
    """The same task, with adapters."""
    return replace(task, learning=LEARNING)


def days(at: datetime, began: datetime) -> float:
    """Days since the year began."""
    return round((at - began).total_seconds() / 86_400, 2)


def figures(of: Mapping[str, float]) -> str:
    """A verdict's figures in short; empty where nothing was compared."""
    if "candidate_accuracy" not in of:
        return ""
    compared = f"{of['candidate_accuracy']:.1%} right, the champion {of['champion_accuracy']:.1%}, of {of['n']:.0f}"
    compared += f"; off by {of['candidate_ece']:.3f}, the champion by {of['champion_ece']:.3f}"
    return f"{compared}; look {of['look']:.0f}" if "look" in of else compared


def told(history: Sequence[RegistryEvent], began: datetime, since: datetime, until: datetime) -> list[Event]:
    """What the registry tells of that time, oldest first."""
    return [
        Event(days(one.at, began), one.what.value, one.adapter, one.why)
        for one in sorted(history, key=lambda one: one.at)
        if since <= one.at < until
    ]


def counted(events: Sequence[Event]) -> dict[str, int]:
    """How often each thing happened: what was trained, promoted, refused, rolled back, and so on."""
    names = {Outcome.SERVES.value: "promoted"}
    found = Counter(names.get(one.what, one.what) for one in events)
    return {what: found[what] for what in sorted(found)}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a company's year is kept at the end of each month, so that a killed command goes on from there."""

    folder: Path

    def keep(self, company: Path, month: int, state: Mapping[str, object]) -> None:
        """Copy all the company's files, whose database must be stopped. The copy before is removed."""
        unfinished, done = self.folder / "unfinished", self.folder / f"month-{month:02}"
        for old in (unfinished, done):
            shutil.rmtree(old, ignore_errors=True)
        unfinished.mkdir(parents=True)
        subprocess.run(["cp", "-a", str(company), str(unfinished / "company")], check=True)  # keeps the owners
        (unfinished / _DONE).write_text(json.dumps(state), "utf-8")
        unfinished.rename(done)
        for old in self.folder.glob("month-*"):
            if old != done:
                shutil.rmtree(old)

    def take(self, company: Path) -> Mapping[str, object] | None:
        """Put the last copy where the company lives, and return its state; None if there is none."""
        kept = sorted(self.folder.glob("month-*"))
        if not kept:
            return None
        company.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", f"{kept[-1] / 'company'}/.", str(company)], check=True)
        state: dict[str, object] = json.loads((kept[-1] / _DONE).read_text("utf-8"))
        return state

    def clear(self) -> None:
        """The year is over."""
        shutil.rmtree(self.folder, ignore_errors=True)
