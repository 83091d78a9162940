"""Open requests whose team was merged or retired: they were opened again since, and another team gets them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from bot.domain.conversations import PendingReactions, State
from bot.domain.decisions import Decision
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change
from bot.domain.posts import Post
from bot.domain.team_changes import Kind, Teamless
from db.conversations.claims import free, held, lease, release
from db.conversations.decisions import move
from db.conversations.ended import ENDS, ended_by, of_ended_teams
from db.conversations.failures import backs_off, readable
from db.conversations.label_names import names_by_now
from db.conversations.reactions import pending_reactions
from db.engine import announce
from db.posts.enqueue import enqueue
from db.tables import ConversationRow, LabelChangeRow

_CHANGE = LabelChangeRow
_PAGE = 200


async def claim_teamless(session: AsyncSession, task: str, now: datetime, limit: int) -> list[Teamless]:
    ended = (await session.scalars(select(_CHANGE.before).where(_CHANGE.task == task, ENDS).distinct())).all()
    theirs = await _open_without_team(session, task, ended, limit) if ended else []
    if not theirs:
        return []
    waiting = (
        select(ConversationRow)
        .where(ConversationRow.id.in_(theirs), ConversationRow.state == State.ROUTED, free(now))
        .where(~backs_off("hand_on", ConversationRow.id, now))
        .order_by(ConversationRow.id)
        .with_for_update(skip_locked=True, of=ConversationRow)
        .execution_options(populate_existing=True)
    )
    found = (await session.scalars(waiting)).all()
    await lease(session, found, now)

    async def read(rows: Sequence[ConversationRow]) -> list[Teamless]:
        pendings = await pending_reactions(session, rows)
        return [await _teamless(session, row, one) for row, one in zip(rows, pendings, strict=True)]

    return await readable(session, found, read, lambda row: ItemKey("hand_on", str(row.id), row.id), now)


async def _open_without_team(session: AsyncSession, task: str, labels: Sequence[str], limit: int) -> list[int]:
    """The open conversations whose team has ended, looked for among all with such a label, the oldest first.

    Page by page, because a label may have been given again to a team that is busy.
    """
    row = ConversationRow
    # Both conditions on the state: with them the index of open conversations answers
    opened = row.state.in_([State.ASKED, State.ROUTED]), row.state == State.ROUTED
    wanted = select(row).where(*opened, row.task == task, row.label.in_(labels)).order_by(row.started_at, row.id)
    wanted = wanted.options(defer(row.vector), defer(row.text)).limit(_PAGE)
    found: list[int] = []
    page = (await session.scalars(wanted)).all()
    while page:
        ended = await of_ended_teams(session, page)
        found += [one.id for one in page if one.id in ended]
        if len(found) >= limit or len(page) < _PAGE:
            break
        after = tuple_(row.started_at, row.id) > (page[-1].started_at, page[-1].id)
        page = (await session.scalars(wanted.where(after))).all()
    return found[:limit]


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
