"""How often each rule of the settings applied, and how often leads corrected it."""

from collections.abc import Mapping

from sqlalchemy import BigInteger, Select, and_, cast, exists, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.rule_record import RuleRecord
from db.tables import CorrectionRow, DecisionRow, RuleCountRow


async def counted_rules(session: AsyncSession, up_to: object) -> Mapping[str, int]:
    """Name -> how often the rule applied in all: as counted up to that decision, and since."""
    known = {row.rule: row.count for row in await session.scalars(select(RuleCountRow))}
    for rule, count in await session.execute(_of(up_to)):
        known[rule] = known.get(rule, 0) + count
    return known


async def fold_rules(session: AsyncSession, after: object, newest: int) -> None:
    """Add the rules applied in decisions after that one, up to `newest`, to the stored counts."""
    fresh = insert(RuleCountRow).from_select(["rule", "count"], _of(after, newest))
    added = {"count": RuleCountRow.count + fresh.excluded.count}
    await session.execute(fresh.on_conflict_do_update(index_elements=["rule"], set_=added))


async def records(session: AsyncSession) -> Mapping[str, RuleRecord]:
    """Name -> how often the rule applied, and how often leads disagreed, or agreed."""
    ruled = and_(
        CorrectionRow.conversation_id == DecisionRow.conversation_id,
        CorrectionRow.task == DecisionRow.task,
        CorrectionRow.withdrawn_at.is_(None),
    )
    figures = select(
        DecisionRow.rule,
        func.count(),
        func.count().filter(exists().where(ruled, ~CorrectionRow.confirms)),
        func.count().filter(exists().where(ruled, CorrectionRow.confirms)),
    )
    found = await session.execute(figures.where(DecisionRow.rule.is_not(None)).group_by(DecisionRow.rule))
    return {str(name): RuleRecord(*counts) for name, *counts in found}


def _of(after: object, newest: int | None = None) -> Select[str, int]:
    wanted = select(
        func.coalesce(DecisionRow.rule, literal_column("''")), cast(func.count(), BigInteger).label("count")
    )
    wanted = wanted.where(DecisionRow.rule.is_not(None), DecisionRow.id > after)
    return (wanted if newest is None else wanted.where(DecisionRow.id <= newest)).group_by(DecisionRow.rule)
