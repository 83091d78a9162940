"""Decides past conversations again through the serving path, with another adapter or threshold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.domain.errors import UsageError
from bot.domain.learning import Adapter
from bot.domain.model_ports import Query, Registry
from bot.domain.outcomes import Outcome
from bot.domain.replay import Replayed
from bot.domain.tasks import Task
from bot.flow.classify import BATCH, Classifier


async def adapter_called(registry: Registry, task: Task, name: str) -> Adapter:
    """The task's adapter of that name. Raises UsageError, naming those that there are, if there is none."""
    known = {one.name: one for one in await registry.adapters(task.name)}
    if name not in known:
        raise UsageError(f"no adapter called {name}; there are {', '.join(known) or 'none yet'}")
    return known[name]


@dataclass(frozen=True, slots=True)
class Replayer:
    """Decides texts again. Each is hidden from memory and voices meanwhile, or it would be its own proof."""

    classifier: Classifier
    registry: Registry

    async def query(self, task: Task, adapter: str | None, threshold: float | None) -> Query:
        """The question to this adapter; None: to the champion. Raises UsageError if no adapter has that name."""
        asked = task if threshold is None else replace(task, ask_below=threshold)
        query = await self.classifier.query(asked)
        if adapter is None:
            return query
        return replace(query, adapter=await adapter_called(self.registry, task, adapter))

    async def replay(
        self, query: Query, outcomes: Sequence[Outcome], told: Callable[[int], None]
    ) -> tuple[list[Replayed], int]:
        """(Outcomes with what would be decided now, in order; the number of texts that a voice could not be asked)."""
        done: list[Replayed] = []
        silent = 0
        for start in range(0, len(outcomes), BATCH):
            batch = outcomes[start : start + BATCH]
            considered = await self.classifier.consider(query, [one.text for one in batch], leave_out_itself=True)
            silent += sum(known.silent for known in considered)
            done += [
                Replayed(outcome, known.decided(query.task, may_ask=True))
                for outcome, known in zip(batch, considered, strict=True)
            ]
            told(len(batch))
        return done, silent
