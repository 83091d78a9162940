"""What the flow needs in order to think and to learn: model, memory, examples, registry. Ports, too."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bot.domain.decisions import Prediction
from bot.domain.learning import Adapter, Cycle, Example, Phase, Progress, Verdict
from bot.domain.memory_vote import Neighbours
from bot.domain.tasks import Task

Vector = Sequence[float]
"""A text's embedding, of length 1."""


@dataclass(frozen=True, slots=True)
class Query:
    """What the model is asked: a task, the codes of its labels, and the adapter that answers."""

    task: Task
    codes: Mapping[str, str]
    adapter: Adapter | None
    """None: the base model itself."""


class Predictor(Protocol):
    """The model behind its server."""

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        """Raw (uncalibrated) exact distributions over the task's labels, one a text.

        Raises Unreachable when the server is down, slow or answers nonsense; Refused when the base model cannot answer
        without an adapter trained for the task (the starter), or the adapter is not known to the server.
        """

    def alphabet(self) -> Sequence[str]:
        """The base model's one-token codes that labels may be given, in the order they are given out."""


class AdapterHost(Protocol):
    """Adapters in the running server."""

    async def load(self, adapter: Adapter) -> None:
        """Make it answer. Loading a loaded one changes nothing. Raises Refused for a half-written folder."""

    async def unload(self, name: str) -> None:
        """Take it out. Unloading what is not there changes nothing."""


class Embedder(Protocol):
    """Texts to vectors."""

    @property
    def name(self) -> str:
        """Which model; vectors of different names are not comparable."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]: ...


class Memory(Protocol):
    """Examples by nearness."""

    async def nearest(self, task: Task, vector: Vector, text: str, leave_out_itself: bool = False) -> Neighbours:
        """The nearest corrections and anchors (train side: seed, import, confirmation), at most 5 of each.

        Corrections and taps of both sides count, a lead's word before the person's own; quarantined and withdrawn ones
        never. `leave_out_itself` hides every example with the same text, so that held-out ones can be scored honestly.
        """

    async def nearest_many(
        self, task: Task, vectors: Sequence[Vector], texts: Sequence[str], leave_out_itself: bool = False
    ) -> list[Neighbours]:
        """The same for many texts at once, in their order: one search, not one after the other."""

    async def unembedded(self, embedder: str, limit: int) -> list[tuple[int, str]]:
        """(id, text) of examples that have no vector of this embedder yet."""

    async def remember(self, embedder: str, vectors: Mapping[int, Vector]) -> None:
        """Store vectors by example id."""


class Examples(Protocol):
    """Labelled texts. Adding one again (same task, text, label and source) changes nothing."""

    async def add_examples(self, task: str, examples: Sequence[Example]) -> int:
        """Returns how many were new. A file's newer label for a text that a file had labelled replaces the older."""

    async def examples(self, task: str) -> list[Example]:
        """All that may be learned from: not withdrawn, not quarantined, not erased."""

    async def waiting_corrections(self, task: str) -> int:
        """Corrections newer than the last training set."""


class Registry(Protocol):
    """Adapters, the pointer to the one that serves, label codes, learning cycles."""

    async def codes(self, task: Task, base: str, alphabet: Sequence[str]) -> dict[str, str]:
        """Label -> code, given for life: missing ones are given out now, a retired label's code is never reused."""

    async def adopt_codes(self, task: str, base: str, codes: Mapping[str, str]) -> bool:
        """Take over the codes an adapter was trained with. False: the task has codes already; nothing changed."""

    async def add_adapter(self, adapter: Adapter) -> None: ...

    async def adapters(self, task: str) -> list[Adapter]:
        """All of the task, oldest first."""

    async def champion(self, task: str, base: str) -> Adapter | None:
        """The adapter that serves; None before the first promotion, or when it was made for another base."""

    async def promote(self, task: str, adapter: str, by: str, reason: str, now: datetime) -> None:
        """Move the pointer. Raises UsageError for an unknown name. Promoting the champion changes nothing."""

    async def rollback(self, task: str, by: str, now: datetime) -> Adapter:
        """Move the pointer to the adapter that served before; again, one further back.

        Raises UsageError when there is none.
        """

    async def next_name(self, task: str) -> str:
        """A name no adapter of the task ever had: routing-1, routing-2, …"""

    async def request_cycle(self, task: str, by: str, key: str, now: datetime) -> bool:
        """Ask for a learning cycle. `key` makes the request unique (a cron tick); False: asked already or one waits."""

    def claim_cycle(self, now: datetime) -> AbstractAsyncContextManager[Cycle | None]:
        """The next requested cycle, held while the context lasts; None when none waits or another process learns.

        One at a time over all processes. A cycle whose process died is claimed again.
        """

    async def update_cycle(self, cycle: int, phase: Phase, progress: float, adapter: str | None = None) -> None: ...

    async def conclude_cycle(self, cycle: int, verdict: Verdict | None, problem: str, now: datetime) -> None:
        """DONE with a verdict, or FAILED with a problem."""

    async def cycles(self, task: str, limit: int) -> list[Cycle]:
        """Newest first."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What a training process is given."""

    folder: Path
    base: Path
    task: Task
    codes: Mapping[str, str]
    examples: Sequence[Example]


class Trainer(Protocol):
    """Trains adapters, each in a process of its own."""

    async def train(self, run: TrainingRun, progress: Progress) -> Path:
        """The finished adapter's folder. A finished run is not trained again. Cancelling ends the process.

        Raises TrainingFailed.
        """
