"""Linear voices that say what a test wants, and remember what they were fitted on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain import model_ports
from bot.domain.asking import Record
from bot.domain.errors import SwitchboardError
from bot.domain.mixture import USUAL, without
from bot.domain.model_ports import Lesson, Said, Vector
from bot.domain.tasks import Task


@dataclass
class FakeVoices:
    """Says the same of every text."""

    said: Said = field(default_factory=dict)
    stamp: str | None = None
    fits: list[Sequence[Lesson]] = field(default_factory=list)
    unheard: Mapping[str, Said] = field(default_factory=dict)
    failure: SwitchboardError | None = None
    record: Record | None = None

    def fitted_on(self, task: str) -> str | None:
        return self.stamp

    def without_adapter(self, task: str) -> Mapping[str, float]:
        return without(USUAL) if self.said else {}

    def proved(self, task: str) -> Record | None:
        return self.record

    async def fit(self, task: str, digest: str, lessons: Sequence[Lesson]) -> None:
        self.fits.append(lessons)
        if self.failure is not None:
            raise self.failure
        self.stamp = digest

    async def say(self, task: str, texts: Sequence[str], vectors: Sequence[Vector | None]) -> list[Said]:
        return [self.said for _ in texts]

    def unseen(self, task: str) -> Mapping[str, Said]:
        return self.unheard

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


_voices: type[model_ports.LinearVoices] = FakeVoices
_lessons: type[model_ports.VoiceLessons] = FakeLessons
