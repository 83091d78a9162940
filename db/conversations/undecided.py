"""Conversations that need a decision, and those in which there is nothing to decide yet."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import BigInteger, BindParameter, Integer, Select, Table, Update, and_, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from bot.domain.conversations import State, UndecidedConversation
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change
from bot.domain.posts import Post
from db.conversations.answers import answers_of
from db.conversations.claims import LEASE, free, release
from db.conversations.decisions import moment
from db.conversations.failures import backs_off, is_set_aside, readable
from db.engine import announce, claimant, forgettable
from db.posts.enqueue import enqueue
from db.posts.latest import open_questions
from db.reading.mappers import conversation, own_messages
from db.tables import ConversationRow
from db.tables.read import plain
from db.tables.read import read as read_row
from db.wrong_clocks import heard_by

_ROW = ConversationRow
_TABLE = cast(Table, ConversationRow.__table__)


async def claim_undecided(
    session: AsyncSession, now: datetime, settle: timedelta, patience: timedelta, limit: int
) -> list[UndecidedConversation]:
    told = {"now": now, "quiet": now - settle, "unanswered": now - patience, "until": now + LEASE, "limit": limit}
    told["who"] = claimant(session)
    found = (await session.execute(_CLAIMED, told)).all()
    rows = sorted((read_row(ConversationRow, row) for row in found), key=lambda row: (row.heard_at, row.id))

    async def read(some: Sequence[ConversationRow]) -> list[UndecidedConversation]:
        said = await own_messages(session, [row.id for row in some])
        asked = await open_questions(session, [row.id for row in some if row.asked])
        answers = await answers_of(session, [row.id for row in some if row.wanted])
        return [
            UndecidedConversation(
                conversation=conversation(row),
                messages=said[row.id],
                version=row.version,
                unanswered=row.asked_at is not None and row.asked_at <= now - patience,
                question=asked.get(row.id),
                answers=answers.get(row.id, ()),
            )
            for row in some
        ]

    return await readable(session, rows, read, lambda row: ItemKey("sort", str(row.id), row.id), now)


def _moment(name: str) -> BindParameter[datetime]:
    return bindparam(name, type_=_ROW.heard_at.type)


def _claimed() -> ReturningUpdate[Any]:
    """The due conversations, leased up to the moment `until`: rows of the table, see `db.tables.read`."""
    due = _due(_moment("now")).limit(bindparam("limit", type_=Integer())).cte("due")
    who = {"claimed_at": _moment("now"), "claimed_by": bindparam("who", type_=BigInteger())}
    leased = (
        update(_TABLE).add_cte(due).where(_TABLE.c.id == plain("due").c.id).values(leased_until=_moment("until"), **who)
    )
    return leased.returning(*_TABLE.c, forgettable())


def _due(now: BindParameter[datetime]) -> Select[int]:
    """Conversations last heard of by `quiet`, or asked by `unanswered` and silent since."""
    quiet = heard_by(_moment("quiet"), _ROW.heard_at, now)
    new = and_(_ROW.state == State.NEW, ~_ROW.resting, quiet)
    news = and_(_ROW.state == State.ASKED, _ROW.version > _ROW.asked_version, quiet)
    unanswered = and_(_ROW.state == State.ASKED, _ROW.asked_at <= _moment("unanswered"))
    return (
        select(_ROW.id)
        .where(free(now), or_(new, news, unanswered))
        .where(~backs_off("sort", _ROW.id, now), ~is_set_aside("sort", _ROW.id))
        .order_by(_ROW.heard_at, _ROW.id)
        .with_for_update(skip_locked=True)
    )


_CLAIMED = _claimed()
"""Built once: building it for every claim cost more processor time than the rest of the claim."""


def _still(case: UndecidedConversation) -> Update:
    """The conversation, if it has not changed since it was claimed."""
    return update(_ROW).where(
        _ROW.id == case.conversation.id,
        _ROW.version == case.version,
        _ROW.state.in_([State.NEW, State.ASKED]),
    )


async def overtaken(session: AsyncSession, case: UndecidedConversation) -> bool:
    """Release the conversation, which a message has overtaken, so that it is looked at again; returns False."""
    await release(session, case.conversation.id)
    await announce(session, Change.FREED)
    return False


async def ask_for_words(session: AsyncSession, case: UndecidedConversation, posts: Sequence[Post]) -> bool:
    # A person asked for their team may have deleted all but a greeting: the question stands, and there is no news
    rested = _still(case).where(~_ROW.resting)
    rested = rested.values(asked_for_words=True, resting=True, asked_version=_ROW.version, leased_until=None)
    at = (await session.execute(rested.returning(moment()))).scalar_one_or_none()
    if at is None:
        return await overtaken(session, case)
    if not case.conversation.asked_for_words:
        await enqueue(session, case.conversation.id, posts, at)
    await announce(session, Change.OWED)
    return True
