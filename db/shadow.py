"""The candidate in the shadow, and what it would have decided."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from bot.domain.decisions import Author
from bot.domain.learning import Adapter
from bot.domain.model_ports import Registry
from bot.domain.shadow import ShadowFigures, Shadows, Unheard
from bot.domain.team_changes import FormerNames
from db.conversations.label_names import by_now, names_by_now
from db.engine import Database
from db.reading.shadow import in_shadow
from db.tables import ConversationRow, CorrectionRow, DecisionRow, ShadowRow


class PostgresShadows:
    """Shadows in PostgreSQL."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self._database = database
        self._registry = registry

    async def shadow(self, task: str, base: str) -> Adapter | None:
        async with self._database.transaction() as session:
            newest = await in_shadow(session, task)
        made = [one for one in await self._registry.adapters(task) if one.name == newest and one.base == base]
        return made[0] if made else None

    async def unheard(self, shadow: Adapter, limit: int) -> list[Unheard]:
        known = exists().where(
            ShadowRow.conversation_id == DecisionRow.conversation_id,
            ShadowRow.task == shadow.task,
            ShadowRow.adapter == shadow.name,
        )
        waiting = (
            select(DecisionRow.conversation_id, ConversationRow.text)
            .join(ConversationRow, ConversationRow.id == DecisionRow.conversation_id)
            .where(DecisionRow.task == shadow.task, DecisionRow.at >= shadow.made, _UNASKED, ~known)
            .where(ConversationRow.text.is_not(None), ConversationRow.text != "")
            .order_by(DecisionRow.id.desc())
            .limit(limit)
        )
        async with self._database.transaction() as session:
            rows = (await session.execute(waiting)).all()
        return [Unheard(conversation, text) for conversation, text in dict(row for row in rows).items() if text]

    async def heard(self, shadow: Adapter, labels: Mapping[int, str], now: datetime) -> None:
        rows = [
            {"task": shadow.task, "adapter": shadow.name, "conversation_id": conversation, "label": label, "at": now}
            for conversation, label in labels.items()
        ]
        if rows:
            async with self._database.transaction() as session:
                await session.execute(insert(ShadowRow).values(rows).on_conflict_do_nothing())

    async def shadow_figures(self, task: str) -> Sequence[ShadowFigures]:
        async with self._database.transaction() as session:
            names = await names_by_now(session, task)
            return [ShadowFigures(*row) for row in (await session.execute(_figures(task, names))).all()]


def _figures(task: str, names: FormerNames) -> Select[str, int, int, int]:
    """The figures of each shadow. Teams are compared by their current names: a renamed team is the same team."""
    first = (
        select(DecisionRow.conversation_id, DecisionRow.label, DecisionRow.at)
        .ext(distinct_on(DecisionRow.conversation_id))
        .where(DecisionRow.task == task, _UNASKED)
        .order_by(DecisionRow.conversation_id, DecisionRow.id)
        .subquery()
    )
    wanted, got = by_now(ShadowRow.label, ShadowRow.at, names), by_now(first.c.label, first.c.at, names)
    otherwise = wanted != got
    agreed = exists().where(
        CorrectionRow.conversation_id == ShadowRow.conversation_id,
        CorrectionRow.task == task,
        CorrectionRow.withdrawn_at.is_(None),
        CorrectionRow.label == wanted,  # a ruling that stands bears the team's present name
    )
    return (
        select(ShadowRow.adapter, func.count(), _sum(otherwise), _sum(and_(otherwise, agreed)))
        .join(first, first.c.conversation_id == ShadowRow.conversation_id)
        .where(ShadowRow.task == task)
        .group_by(ShadowRow.adapter)
        .order_by(func.max(ShadowRow.id).desc())
    )


_UNASKED = and_(
    DecisionRow.by.not_in((Author.PERSON, Author.LEAD)),
    func.cardinality(DecisionRow.candidates) == 0,
)


def _sum(holds: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((holds, 1), else_=0)), 0)


_: type[Shadows] = PostgresShadows
