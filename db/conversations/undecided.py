"""Conversations that need a decision, and the decision."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, Update, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from bot.domain.conversations import State, UndecidedConversation
from bot.domain.decisions import Decision
from bot.domain.failures import ItemKey
from bot.domain.model_ports import Vector
from bot.domain.ports import Change
from bot.domain.posts import Post
from db.conversations.claims import LEASE, free, release
from db.conversations.decisions import record, with_its_team
from db.conversations.failures import backs_off, is_set_aside, readable
from db.engine import announce, forgettable
from db.posts.enqueue import enqueue
from db.posts.latest import open_questions
from db.reading.mappers import conversation, own_messages
from db.tables import ConversationRow, MessageRow

_ROW = ConversationRow


async def claim_undecided(
    session: AsyncSession, now: datetime, settle: timedelta, patience: timedelta, limit: int
) -> list[UndecidedConversation]:
    found = (await session.execute(_claimed(now, settle, patience, limit))).all()
    rows = sorted((row for row, _ in found), key=lambda row: (row.heard_at, row.id))

    async def read(some: Sequence[ConversationRow]) -> list[UndecidedConversation]:
        said = await own_messages(session, [row.id for row in some])
        asked = await open_questions(session, [row.id for row in some if row.asked])
        return [
            UndecidedConversation(
                conversation=conversation(row),
                messages=said[row.id],
                version=row.version,
                unanswered=row.asked_at is not None and row.asked_at <= now - patience,
                question=asked.get(row.id),
            )
            for row in some
        ]

    return await readable(session, rows, read, lambda row: ItemKey("sort", str(row.id), row.id), now)


def _claimed(
    now: datetime, settle: timedelta, patience: timedelta, limit: int
) -> ReturningUpdate[ConversationRow, object]:
    """What is due, leased."""
    due = _due(now, settle, patience).limit(limit).cte("due")
    held = update(_ROW).where(_ROW.id == due.c.id).values(leased_until=now + LEASE, claimed_at=now)
    return held.returning(_ROW, forgettable()).execution_options(synchronize_session=False)


def _due(now: datetime, settle: timedelta, patience: timedelta) -> Select[int]:
    quiet = _ROW.heard_at <= now - settle
    new = and_(_ROW.state == State.NEW, ~_ROW.resting, quiet)
    news = and_(_ROW.state == State.ASKED, _ROW.version > _ROW.asked_version, quiet)
    unanswered = and_(_ROW.state == State.ASKED, _ROW.asked_at <= now - patience)
    return (
        select(_ROW.id)
        .where(free(now), or_(new, news, unanswered))
        .where(~backs_off("sort", _ROW.id, now), ~is_set_aside("sort", _ROW.id))
        .order_by(_ROW.heard_at, _ROW.id)
        .with_for_update(skip_locked=True)
    )


async def decide(
    session: AsyncSession,
    case: UndecidedConversation,
    decision: Decision,
    posts: Sequence[Post],
    kept: dict[str, object],
) -> bool:
    """`kept` is what a later example needs: text, vector and embedder."""
    outcome = _asking(decision) if decision.candidates else with_its_team(decision, _moment())
    moved = _still(case).values(leased_until=None, **kept, **outcome).returning(_moment())
    at = (await session.execute(moved.execution_options(synchronize_session=False))).scalar_one_or_none()
    if at is None:
        return await _overtaken(session, case)
    # A press may have waited while an answer to the question was read
    changes = [Change.OWED, Change.FREED] if case.conversation.asked else [Change.OWED]
    await record(session, case.conversation.id, decision, at, *changes)
    await enqueue(session, case.conversation.id, posts, at)
    if not decision.candidates:
        await session.execute(_concluded(case, at))
    return True


def kept(text: str, vector: Vector | None, embedder: str) -> dict[str, object]:
    """The columns in which a conversation keeps what was classified."""
    return {
        "text": text,
        "vector": None if vector is None else list(vector),
        "embedder": None if vector is None else embedder,
    }


def _asking(decision: Decision) -> dict[str, object]:
    version = _ROW.version + 1
    asking = {
        "task": decision.task,
        "state": State.ASKED,
        "asked": True,
        "asked_at": _moment(),
        "asked_version": version,
    }
    return {**asking, "version": version, "resting": False}


def _moment() -> ColumnElement[datetime]:
    """When the case was claimed: the caller's clock, which `now` of the next claim is compared with."""
    return func.coalesce(_ROW.claimed_at, func.now())


def _still(case: UndecidedConversation) -> Update:
    """The conversation, if nothing came in between."""
    return update(_ROW).where(
        _ROW.id == case.conversation.id,
        _ROW.version == case.version,
        _ROW.state.in_([State.NEW, State.ASKED]),
    )


def _concluded(case: UndecidedConversation, at: datetime) -> Update:
    """What the person said is part of the decision; what others said in the thread is still to be relayed."""
    theirs = and_(
        MessageRow.conversation_id == case.conversation.id,
        MessageRow.author_id == case.conversation.person.id,
        MessageRow.concluded_at.is_(None),
    )
    return (
        update(MessageRow)
        .where(theirs)
        .values(concluded_at=at, decided=True)
        .execution_options(synchronize_session=False)
    )


async def _overtaken(session: AsyncSession, case: UndecidedConversation) -> bool:
    await release(session, case.conversation.id)
    await announce(session, Change.FREED)
    return False


async def ask_for_words(session: AsyncSession, case: UndecidedConversation, posts: Sequence[Post]) -> bool:
    # Somebody who was asked which team may have deleted all but a greeting: the question stands, there is no news
    rested = _still(case).where(~_ROW.resting)
    rested = rested.values(asked_for_words=True, resting=True, asked_version=_ROW.version, leased_until=None)
    at = (await session.execute(rested.returning(_moment()))).scalar_one_or_none()
    if at is None:
        return await _overtaken(session, case)
    if not case.conversation.asked_for_words:
        await enqueue(session, case.conversation.id, posts, at)
    await announce(session, Change.OWED)
    return True
