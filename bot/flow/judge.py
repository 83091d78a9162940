"""Compares candidate and champion as whole systems, memory included, on the same held-out texts; the gate decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.alpha_spending import YEAR
from bot.domain.gate import Circumstances, Unasked, judge
from bot.domain.learning import Adapter, Example, Progress, Side, Source, Verdict
from bot.domain.model_ports import Query, Registry
from bot.domain.tasks import Task
from bot.flow.score import Answered, Scorer


@dataclass(frozen=True, slots=True)
class Judge:
    """Asks both through the serving path and hands the answers to the gate."""

    scorer: Scorer
    registry: Registry
    now: Callable[[], datetime]

    async def verdict(
        self,
        query: Query,
        candidate: Adapter,
        held_out: Sequence[Example],
        tell: Progress,
        objections: Sequence[str] = (),
    ) -> Verdict:
        """The verdict on a candidate against what `query` asks now.

        That is the champion or, before the first adapter, the other voices and the memory alone.
        """
        of_nobody = _of_nobody(query.task, self.now())
        whole, scored = 2 * (len(held_out) + len(of_nobody)), 0

        def told(more: int) -> None:
            nonlocal scored
            scored += more
            tell(scored / max(whole, 1), "candidate against champion")

        asked = replace(query, adapter=candidate)
        after = await self.scorer.score(asked, held_out, told, patient=True)
        before = await self.scorer.score(query, held_out, told, patient=True)
        strangers = (
            await self.scorer.answers(query, of_nobody, told, patient=True),
            await self.scorer.answers(asked, of_nobody, told, patient=True),
        )
        about = Circumstances(
            new_labels=[] if query.adapter is None else [n for n in query.task.names if n not in query.adapter.codes],
            first=query.adapter is None,
            look=1 + await self.registry.looks(query.task.name, self.now() - YEAR),
            unasked=Unasked(*([_unasked(query.task, one) for one in answers] for answers in strangers)),
            objections=objections,
        )
        return judge(before, after, about)


def _of_nobody(task: Task, now: datetime) -> list[Example]:
    return [Example(text, task.fallback, Source.SETTINGS, Side.HELD_OUT, now) for text in task.learning.out_of_scope]


def _unasked(task: Task, answered: Answered) -> bool:
    """Whether the text went to a team without asking the person."""
    return answered.decision.label != task.fallback and not answered.decision.candidates
