"""Retires the corrections that the serving adapter gets right alone, so that the memory no longer votes with them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.domain.correction_life import Corrections
from bot.domain.errors import SwitchboardError
from bot.domain.memory_vote import Neighbours
from bot.domain.model_ports import Memory, Query, Vector
from bot.domain.tasks import Task
from bot.flow.score import Scorer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NoMemory:
    """A memory without examples, to ask the other voices alone."""

    async def nearest(self, task: Task, vector: Vector, text: str, leave_out_itself: bool = False) -> Neighbours:
        """See `model_ports.Memory`."""
        return Neighbours()

    async def nearest_many(
        self,
        task: Task,
        vectors: Sequence[Vector],
        texts: Sequence[str],
        leave_out_itself: bool = False,
        askers: Sequence[str] = (),
    ) -> list[Neighbours]:
        return [Neighbours() for _ in texts]

    async def unembedded(self, embedder: str, limit: int) -> list[tuple[int, str]]:
        return []

    async def count_unembedded(self, embedder: str) -> int:
        return 0

    async def remember(self, embedder: str, vectors: Mapping[int, Vector]) -> None:
        return


@dataclass(frozen=True, slots=True)
class LetGo:
    """Asks the voices that serve, without the memory, about every correction that their adapter has learned.

    Those that they get right without asking the person are retired. With the others, even if retired before, the
    memory votes.
    """

    corrections: Corrections

    async def __call__(self, scorer: Scorer, task: Task) -> int:
        """Retire corrections and return how many; 0, and nothing changes, where a voice is silent: the cycle stands."""
        try:
            return await self._settle(scorer, await scorer.classifier.query(task))
        except SwitchboardError as error:
            log.warning("corrections not let go of", extra={"task": task.name, "problem": type(error).__name__})
            return 0

    async def _settle(self, scorer: Scorer, query: Query) -> int:
        if query.adapter is None:
            return 0
        task, adapter = query.task, query.adapter.name
        known = [(id, e) for id, e in await self.corrections.learned(task.name, adapter) if e.label in task.names]
        alone = replace(scorer, classifier=replace(scorer.classifier, memory=NoMemory()))
        answered = await alone.answers(query, [example for _, example in known], patient=True)
        decisions = [(id, one.decision, one.example.label) for (id, _), one in zip(known, answered, strict=True)]
        right = [id for id, made, label in decisions if made.label == label and not made.candidates]
        gone = await self.corrections.let_go(task.name, adapter, [id for id, _ in known], right)
        log.info("corrections let go of", extra={"task": task.name, "learned": len(known), "retired": gone})
        return gone


_: type[Memory] = NoMemory
