"""The facts that determine each correction's stage of life: read with one join for a task, however many there are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Label, Select, SQLColumnExpression, Subquery, and_, case, false, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.correction_life import Facts, Stage, stage_of
from bot.domain.guards import Held
from bot.domain.learning import Phase, Side, Source
from db.tables import AdapterRow, CycleRow, ExampleRow, PromotionRow

CORRECTION = and_(ExampleRow.source == Source.CORRECTION, ExampleRow.conversation_id.is_not(None))


def _serving() -> Subquery:
    """(task, the adapter that serves, since when corrections came too late for its training set)."""
    newest = select(PromotionRow.task, PromotionRow.adapter).ext(distinct_on(PromotionRow.task))
    pointer = newest.order_by(PromotionRow.task, PromotionRow.id.desc()).subquery()
    begun = select(CycleRow.task, CycleRow.adapter, func.min(CycleRow.started_at).label("at"))
    drawn = begun.group_by(CycleRow.task, CycleRow.adapter).subquery()
    same_adapter = and_(AdapterRow.task == pointer.c.task, AdapterRow.name == pointer.c.adapter)
    same_cycle = and_(drawn.c.task == pointer.c.task, drawn.c.adapter == pointer.c.adapter)
    since = func.coalesce(drawn.c.at, AdapterRow.made_at).label("since")
    told = select(pointer.c.task, pointer.c.adapter, since).join(AdapterRow, same_adapter)
    return told.outerjoin(drawn, same_cycle).subquery()


def _drawn() -> Subquery:
    """(task, when the newest training set of a cycle that did not fail was drawn up)."""
    newest = select(CycleRow.task, func.max(CycleRow.started_at).label("at"))
    return newest.where(CycleRow.phase != Phase.FAILED).group_by(CycleRow.task).subquery()


def with_facts(*columns: SQLColumnExpression[Any]) -> Select[*tuple[Any, ...]]:
    """These columns of corrections, followed by the columns for `facts_of`, named `fact_0` and so on."""
    serving, drawn = _serving(), _drawn()
    learned = case((ExampleRow.recorded_at < serving.c.since, serving.c.adapter))
    facts: list[SQLColumnExpression[Any]] = [
        ExampleRow.side,
        ExampleRow.withdrawn_at.is_not(None),
        func.coalesce(ExampleRow.held, case((ExampleRow.quarantined, Held.DISPUTED.value))),  # older versions'
        func.coalesce(ExampleRow.recorded_at < drawn.c.at, false()),
        learned,
        ExampleRow.retired_by,
    ]
    named: list[Label[Any]] = [fact.label(f"fact_{n}") for n, fact in enumerate(facts)]
    found = select(*columns, *named).select_from(ExampleRow).outerjoin(serving, serving.c.task == ExampleRow.task)
    return found.outerjoin(drawn, drawn.c.task == ExampleRow.task).where(CORRECTION)


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of corrections by task and stage, and the moment they are of."""

    by_stage: Mapping[tuple[str, Stage], int]
    since: int
    """Rows written by this transaction or later ones are not counted."""
    learned: str | None
    """A digest of the cycles and promotions at that moment."""


async def counts(session: AsyncSession, known: Counts | None) -> Counts:
    """The counts as of now; counted anew only if something was written since `known`, for they cover all time."""
    asked = {"since": 0 if known is None else known.since}
    horizon, changed, learned = (await session.execute(_NEWS, asked)).one()
    if known is not None and not changed and learned == known.learned:
        return known
    return Counts(await _counted(session), horizon, learned)


_NEWS = text("""
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
        EXISTS (SELECT FROM examples WHERE changed >= :since),
        (SELECT md5(string_agg(concat_ws(' ', id, phase, adapter, started_at), ',' ORDER BY id)) FROM cycles)
            || ' ' || (SELECT coalesce(max(id), 0) FROM promotions)
""")


async def _counted(session: AsyncSession) -> Mapping[tuple[str, Stage], int]:
    one = with_facts(ExampleRow.task.label("task")).subquery()
    found: Counter[tuple[str, Stage]] = Counter()
    for task, *facts, count in await session.execute(select(*one.c, func.count()).group_by(*one.c)):
        found[task, stage_of(facts_of(facts))] += count
    return found


def facts_of(row: Sequence[object]) -> Facts:
    side, withdrawn, held, drawn, learned_by, retired_by = row
    return Facts(
        Side(str(side)),
        bool(withdrawn),
        None if held is None else Held(str(held)),
        bool(drawn),
        None if learned_by is None else str(learned_by),
        None if retired_by is None else str(retired_by),
    )
