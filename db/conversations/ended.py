"""Whether a conversation's team was merged or retired since it got the conversation."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.team_changes import Kind
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


async def heirs_of(
    session: AsyncSession, task: str, labels: Collection[str], since: datetime
) -> tuple[dict[str, str], dict[str, str]]:
    """({merged team: the one it became part of}, {retired team: the one that got its requests}) of the teams that had
    these names at that moment and ended since; each heir by its present name."""
    wanted = select(_CHANGE).where(ENDS, _CHANGE.task == task, _CHANGE.before.in_(labels), _CHANGE.at >= since)
    ends = (await session.scalars(wanted.order_by(_CHANGE.id.desc()))).all()
    if not ends:
        return {}, {}
    names = await names_by_now(session, task)
    first = {row.before: row for row in ends}  # the oldest since then; a later team of that name is another
    heirs = {label: (row.kind, names.now(row.after, row.at)) for label, row in first.items()}
    merged = {label: heir for label, (kind, heir) in heirs.items() if kind == Kind.MERGE}
    return merged, {label: heir for label, (_, heir) in heirs.items() if label not in merged}
