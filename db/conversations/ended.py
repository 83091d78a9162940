"""Whether a conversation's team was merged or retired since it got the conversation."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.team_changes import FormerNames, Kind
from db.conversations.label_names import names_by_now
from db.tables import ConversationRow, DecisionRow, FailedItemRow, LabelChangeRow

_CHANGE = LabelChangeRow
ENDS = _CHANGE.kind.in_((Kind.MERGE, Kind.RETIRE))


def ended_by() -> ColumnElement[bool]:
    """Whether this change ended the conversation's team, with no decision on the conversation since.

    A name may be given again: a later decision is about the team that has the name now.
    """
    later = exists().where(
        DecisionRow.conversation_id == ConversationRow.id,
        DecisionRow.task == ConversationRow.task,
        DecisionRow.at >= _CHANGE.at,
    )
    return and_(ENDS, _CHANGE.task == ConversationRow.task, _CHANGE.before == ConversationRow.label, ~later)


async def of_ended_teams(session: AsyncSession, rows: Sequence[ConversationRow]) -> set[int]:
    """Those of the conversations whose team was merged or retired since it got them.

    A conversation that cannot be handed on, and was set aside for people to look at, counts as its former team's.
    """
    tasks = {row.task for row in rows if row.label is not None}
    if not tasks:
        return set()
    newest = select(_CHANGE.task, _CHANGE.before, func.max(_CHANGE.at)).where(ENDS, _CHANGE.task.in_(tasks))
    found = await session.execute(newest.group_by(_CHANGE.task, _CHANGE.before))
    ends = {(task, label): at for task, label, at in found}
    suspected = {row.id: ends[of] for row in rows if (of := (row.task or "", row.label or "")) in ends}
    if not suspected:
        return set()
    # Read by an index for each conversation: joined with the changes, PostgreSQL would scan all conversations
    decided = select(DecisionRow.conversation_id, func.max(DecisionRow.at)).where(
        DecisionRow.conversation_id.in_(suspected), DecisionRow.task.in_(tasks)
    )
    known = dict((await session.execute(decided.group_by(DecisionRow.conversation_id))).all())
    aside = select(FailedItemRow.item).where(FailedItemRow.step == "hand_on", FailedItemRow.set_aside_at.is_not(None))
    stuck = set(await session.scalars(aside.where(FailedItemRow.item.in_([str(one) for one in suspected]))))
    return {one for one, at in suspected.items() if known.get(one, at) < at and str(one) not in stuck}


@dataclass(frozen=True, slots=True)
class Named:
    """Teams of a task by the names that they had at a moment."""

    task: str
    labels: Collection[str]
    since: datetime


@dataclass(frozen=True, slots=True)
class Heirs:
    """Of teams that ended, who has their requests now, by its present name."""

    merged: Mapping[str, str] = field(default_factory=dict)
    """Merged team -> the one it became part of."""
    retired: Mapping[str, str] = field(default_factory=dict)


async def heirs_of(session: AsyncSession, named: Collection[Named]) -> list[Heirs]:
    """The heirs of those of the teams that ended since, in order; one statement where no team ever ended."""
    tasks = {one.task for one in named if one.labels}
    wanted = select(_CHANGE).where(ENDS, _CHANGE.task.in_(tasks)).order_by(_CHANGE.id.desc())
    ends = (await session.scalars(wanted)).all() if tasks else []
    names = {task: await names_by_now(session, task) for task in {row.task for row in ends}}
    return [_heirs(one, [row for row in ends if row.task == one.task], names.get(one.task)) for one in named]


def _heirs(named: Named, ends: Sequence[LabelChangeRow], names: FormerNames | None) -> Heirs:
    """`ends`: the changes that ended a team of the task, newest first."""
    if names is None:
        return Heirs()
    # Of several the oldest since then counts: a later team of that name is another
    first = {row.before: row for row in ends if row.before in named.labels and row.at >= named.since}
    heirs = {label: (row.kind, names.now(row.after, row.at)) for label, row in first.items()}
    merged = {label: heir for label, (kind, heir) in heirs.items() if kind == Kind.MERGE}
    return Heirs(merged, {label: heir for label, (_, heir) in heirs.items() if label not in merged})
