"""The current names of former teams."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, case, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from bot.domain.decisions import Decision
from bot.domain.team_changes import FormerNames, Kind, former_names
from db.tables import LabelChangeRow


async def names_by_now(session: AsyncSession, task: str) -> FormerNames:
    """What the labels of past decisions are called now."""
    return (await names_of(session, {task})).get(task, FormerNames())


async def names_of(session: AsyncSession, tasks: Collection[str]) -> Mapping[str, FormerNames]:
    """The same for each of these tasks of which a label ever changed."""
    change = LabelChangeRow
    made = select(change.task, change.kind, change.before, change.after, change.at).where(change.task.in_(tasks))
    found: dict[str, list[tuple[Kind, str, str, datetime]]] = {}
    for task, kind, before, after, at in await session.execute(made.order_by(change.id)):
        found.setdefault(task, []).append((Kind(kind), before, after, at))
    return {task: former_names(rows) for task, rows in found.items()}


def by_present_names(made: Decision, names: FormerNames, at: datetime) -> Decision:
    """The decision of that moment in its labels' present names; labels that are one by now share their probability."""
    probabilities: dict[str, float] = {}
    for label, share in made.probabilities.items():
        now = names.now(label, at)
        probabilities[now] = probabilities.get(now, 0.0) + share
    return replace(made, label=names.now(made.label, at), probabilities=probabilities)


def by_now(
    label: ColumnElement[str] | InstrumentedAttribute[str],
    at: ColumnElement[datetime] | InstrumentedAttribute[datetime],
    names: FormerNames,
) -> ColumnElement[str]:
    """As `FormerNames.now`, in a query."""
    known = [(and_(label == row.name, at <= row.until), row.now) for row in names.rows]
    return case(*known, else_=label) if known else type_coerce(label, String)
