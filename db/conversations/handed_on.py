"""Open requests whose team was merged or retired: they were opened again since, and another team gets them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import PendingReactions, State
from bot.domain.decisions import Decision
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change
from bot.domain.posts import Post
from bot.domain.team_changes import Kind, Teamless
from db.conversations.claims import free, held, lease, release
from db.conversations.decisions import move
from db.conversations.ended import ENDS, ended_by, has_ended
from db.conversations.failures import backs_off, is_set_aside, readable
from db.conversations.label_names import names_by_now
from db.conversations.reactions import pending_reactions
from db.engine import announce
from db.posts.enqueue import enqueue
from db.tables import ConversationRow, LabelChangeRow

_CHANGE = LabelChangeRow


async def claim_teamless(session: AsyncSession, task: str, now: datetime, limit: int) -> list[Teamless]:
    ended = (await session.scalars(select(_CHANGE.before).where(_CHANGE.task == task, ENDS).distinct())).all()
    if not ended:
        return []
    opened = and_(ConversationRow.state == State.ROUTED, ConversationRow.label.in_(ended), has_ended())
    waiting = (
        select(ConversationRow)
        .where(opened, ConversationRow.task == task, free(now))
        .where(~backs_off("hand_on", ConversationRow.id, now), ~is_set_aside("hand_on", ConversationRow.id))
        .order_by(ConversationRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=ConversationRow)
    )
    found = (await session.scalars(waiting)).all()
    await lease(session, found, now)

    async def read(rows: Sequence[ConversationRow]) -> list[Teamless]:
        pendings = await pending_reactions(session, rows)
        return [await _teamless(session, row, one) for row, one in zip(rows, pendings, strict=True)]

    return await readable(session, found, read, lambda row: ItemKey("hand_on", str(row.id), row.id), now)


async def _teamless(session: AsyncSession, row: ConversationRow, pending: PendingReactions) -> Teamless:
    newest = select(_CHANGE).where(ended_by(), ConversationRow.id == row.id).order_by(_CHANGE.id.desc()).limit(1)
    change = (await session.scalars(newest)).one()
    names = await names_by_now(session, change.task)
    return Teamless(pending, change.kind == Kind.MERGE, names.now(change.after, change.at))


async def conclude_teamless(
    session: AsyncSession, request: Teamless, decision: Decision, posts: Sequence[Post], now: datetime
) -> None:
    row = await held(session, request.conversation)
    if row is None:
        await release(session, request.conversation.id)
        await announce(session, Change.FREED)
        return
    await move(session, row.id, decision, now)
    await enqueue(session, row.id, posts, now)
    # As when a team's open requests are handed over: the other team may have topics of its own
    lacking = update(ConversationRow).where(ConversationRow.id == row.id).values(lacks_answers=True)
    await session.execute(lacking.execution_options(synchronize_session=False))
    await release(session, row.id)
    await announce(session, Change.OWED, Change.NEXT, Change.FREED)
