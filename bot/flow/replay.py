"""Past conversations through the serving path again, as another adapter or threshold would have decided them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.domain.errors import UsageError
from bot.domain.model_ports import Query, Registry
from bot.domain.outcomes import Outcome
from bot.domain.replay import Replayed
from bot.domain.tasks import Task
from bot.flow.classify import BATCH, Classifier


@dataclass(frozen=True, slots=True)
class Replayer:
    """Decides again. Each text is hidden from the memory while it is asked, or it would be its own proof."""

    classifier: Classifier
    registry: Registry

    async def query(self, task: Task, adapter: str | None, threshold: float | None) -> Query:
        """The question; without an adapter the one that serves. Raises UsageError for a name that nothing has."""
        asked = task if threshold is None else replace(task, ask_below=threshold)
        query = await self.classifier.query(asked)
        if adapter is None:
            return query
        known = {one.name: one for one in await self.registry.adapters(task.name)}
        if adapter not in known:
            raise UsageError(f"no adapter called {adapter}; there are {', '.join(known) or 'none yet'}")
        return replace(query, adapter=known[adapter])

    async def replay(
        self, query: Query, outcomes: Sequence[Outcome], told: Callable[[int], None]
    ) -> tuple[list[Replayed], int]:
        """(each with what would be decided, in order; on how many the model said nothing, so that the others did)."""
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
