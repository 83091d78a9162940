"""Voices beside the model that answer as a test wants, and record what they were fitted on."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field

from bot.domain import model_ports
from bot.domain.asking import Record
from bot.domain.errors import SwitchboardError
from bot.domain.mixture import ADAPTER, USUAL, without
from bot.domain.model_ports import Lesson, Said, Vector
from bot.domain.tasks import Task


@dataclass
class FakeVoices:
    """Gives the same answer for every text."""

    said: Said = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    fits: list[Sequence[Lesson]] = field(default_factory=list)
    unheard: Mapping[str, Said] = field(default_factory=dict)
    failure: SwitchboardError | None = None
    record: Record | None = None
    asked: list[Set[str]] = field(default_factory=list)
    """The texts that were asked about, call by call."""
    counted: Mapping[str, int] = field(default_factory=dict)
    loud_without: Mapping[str, float] | None = None
    languages: Mapping[str, float] = field(default_factory=dict)

    @property
    def usual(self) -> Mapping[str, float]:
        return {voice: weight for voice, weight in USUAL.items() if voice != ADAPTER}

    def fitted_on(self, task: str) -> str | None:
        return self.stamps.get(task)

    def without_adapter(self, task: str) -> Mapping[str, float]:
        if self.loud_without is not None:
            return self.loud_without
        return without(USUAL) if self.said else {}

    def proved(self, task: str) -> Record | None:
        return self.record

    def counts(self, task: str) -> Mapping[str, int]:
        return self.counted

    def taught(self, task: str) -> Mapping[str, float]:
        return self.languages

    async def fit(self, task: str, digest: str, lessons: Sequence[Lesson]) -> None:
        self.fits.append(lessons)
        if self.failure is not None:
            raise self.failure
        self.stamps[task] = digest

    async def say(
        self, task: str, texts: Sequence[str], vectors: Sequence[Vector | None], asked: Collection[str]
    ) -> list[Said]:
        self.asked.append(set(asked))
        return [{voice: row for voice, row in self.said.items() if voice in asked} for _ in texts]

    def unseen(self, task: str, keys: Collection[str]) -> Mapping[str, Said]:
        return {key: said for key, said in self.unheard.items() if key in keys}

    def fit_weights(self, said: Sequence[Said], truth: Sequence[str]) -> Mapping[str, float]:
        return dict.fromkeys(sorted(set[str]().union(*said)), 0.5)


@dataclass
class FakeLessons:
    """Lessons that a test changes."""

    known: list[Lesson] = field(default_factory=list)

    async def stamp(self, task: Task, embedder: str) -> str:
        return f"{len(self.known)} of {task.name}"

    async def lessons(self, task: Task, embedder: str, limit: int) -> list[Lesson]:
        return self.known[:limit]


_voices: type[model_ports.ExampleVoices] = FakeVoices
_lessons: type[model_ports.VoiceLessons] = FakeLessons
