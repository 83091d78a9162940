"""The number of decisions of each kind, without reading all of them.

Decisions are only ever added. So those up to some row are counted once, and later ones whenever the counts are read; no
decision waits for a counter that every decision writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import BigInteger, Select, cast, func, literal, literal_column, select, text, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.errors import Unreachable
from bot.domain.languages import UNDETERMINED
from db.conversations.rule_counts import counted_rules, fold_rules
from db.engine import Database
from db.tables import ConversationRow, DecisionCountRow, DecisionRow, RollupRow

ENOUGH = 2_000
"""How many uncounted decisions are worth a fold."""
_NAME = "decisions"
_KEY = ("platform", "task", "label", "by", "language")
_Key = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Counts:
    """Decisions by platform, task, label, author and language, and how many of them were not folded yet."""

    totals: Mapping[_Key, int]
    uncounted: int


async def counted(session: AsyncSession) -> Counts:
    """The counts of all decisions, as of one moment."""
    row = DecisionCountRow
    known = select(row.platform, row.task, row.label, row.by, row.language, row.count, literal(False).label("new"))
    every = union_all(known, _of(up_to()).add_columns(literal(True).label("new"))).subquery()
    totals: dict[_Key, int] = {}
    uncounted = 0
    for platform, task, label, by, language, count, new in await session.execute(select(every)):
        key = platform, task, label, by, language
        totals[key] = totals.get(key, 0) + count
        uncounted += count if new else 0
    return Counts(totals, uncounted)


async def fold(database: Database) -> None:
    """Add the uncounted decisions to the stored counts. If the table is too busy, nothing changes and a later fold does
    it."""
    try:
        newest = await _newest(database)
    except Unreachable:
        return
    async with database.transaction() as session:
        await session.execute(insert(RollupRow).values(name=_NAME, up_to=0).on_conflict_do_nothing())
        mark = select(RollupRow).where(RollupRow.name == _NAME).with_for_update()
        rollup = (await session.scalars(mark)).one()
        if newest <= rollup.up_to:
            return
        fresh = insert(DecisionCountRow).from_select([*_KEY, "count"], _of(literal(rollup.up_to), newest))
        added = {"count": DecisionCountRow.count + fresh.excluded.count}
        await session.execute(fresh.on_conflict_do_update(index_elements=list(_KEY), set_=added))
        await fold_rules(session, literal(rollup.up_to), newest)
        rollup.up_to = newest


async def _newest(database: Database) -> int:
    """The last decision before which none can still be uncommitted: the lock waits for those just being written.

    Without the lock, a decision that got its number early and is committed late would never be counted.
    """
    async with database.transaction() as session:
        await session.execute(text("SET LOCAL lock_timeout = '200ms'"))
        await session.execute(text("LOCK TABLE decisions IN SHARE MODE"))
        return await session.scalar(select(func.max(DecisionRow.id))) or 0


async def rules_applied(session: AsyncSession) -> Mapping[str, int]:
    """How often each rule applied, as of one moment."""
    return await counted_rules(session, up_to())


def up_to() -> object:
    """The number of the last decision in the stored counts."""
    mark = select(RollupRow.up_to).where(RollupRow.name == _NAME).scalar_subquery()
    return func.coalesce(mark, 0)


def _of(after: object, newest: int | None = None) -> Select[str, str, str, str, str, int]:
    language = func.coalesce(
        DecisionRow.language, literal_column(f"'{UNDETERMINED}'")
    )  # no parameter: it is grouped by
    who = (ConversationRow.platform, DecisionRow.task, DecisionRow.label, DecisionRow.by, language)
    theirs = ConversationRow.id == DecisionRow.conversation_id
    wanted = select(*who, cast(func.count(), BigInteger).label("count")).where(theirs, DecisionRow.id > after)
    return (wanted if newest is None else wanted.where(DecisionRow.id <= newest)).group_by(*who)
