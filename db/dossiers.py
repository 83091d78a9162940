"""Reactions on cards, and what the leads' standing statements amount to."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, Update, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import Dossier, Ruling, State
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.learning import Source
from bot.domain.ports import Change
from bot.domain.posts import Card, Post
from db import rows
from db.engine import announce
from db.lessons import RULINGS, Lesson, forget_lesson, teach
from db.receipts import nobodys, on
from db.tables import ConversationRow, CorrectionRow, DecisionRow, PostRow, ReactionRow


async def claim_dossiers(session: AsyncSession, now: datetime, limit: int) -> list[Dossier]:
    ignored = update(ReactionRow).where(nobodys(ReactionRow, PostRow.kind == Card.__name__, now))
    await session.execute(ignored.values(concluded_at=now))
    found = (await session.scalars(_waiting(now).limit(limit))).all()
    await rows.lease(session, found, now)
    ids = [row.id for row in found]
    said, cards = await rows.own_messages(session, ids), await rows.standing_cards(session, ids)
    return [
        Dossier(
            conversation=rows.conversation(row),
            first=await _first(session, row.id),
            messages=said[row.id],
            standing=tuple(rows.standing(await _events(session, row.id))),
            card=cards.get(row.id),
        )
        for row in found
    ]


def _waiting(now: datetime) -> Select[ConversationRow]:
    news = (
        exists()
        .where(PostRow.conversation_id == ConversationRow.id, PostRow.kind == Card.__name__)
        .where(on(ReactionRow), ReactionRow.concluded_at.is_(None))
    )
    return (
        select(ConversationRow)
        .where(rows.free(now), ConversationRow.state.in_([State.ROUTED, State.CLOSED]), news)
        .order_by(ConversationRow.id)
        .with_for_update(skip_locked=True)
    )


async def _events(session: AsyncSession, conversation_id: int) -> Sequence[ReactionRow]:
    """Every reaction ever on any card of the conversation."""
    cards = exists().where(PostRow.conversation_id == conversation_id, PostRow.kind == Card.__name__, on(ReactionRow))
    return (await session.scalars(select(ReactionRow).where(cards))).all()


async def _first(session: AsyncSession, conversation_id: int) -> Decision:
    """The newest decision that no lead had a hand in."""
    unaided = (
        select(DecisionRow)
        .where(DecisionRow.conversation_id == conversation_id, DecisionRow.by != Author.LEAD)
        .where(DecisionRow.reason.not_in([Reason.CORRECTED, Reason.WITHDRAWN]))
        .order_by(DecisionRow.id.desc())
        .limit(1)
    )
    return rows.decision((await session.scalars(unaided)).one())


async def conclude_dossier(
    session: AsyncSession,
    dossier: Dossier,
    decision: Decision | None,
    ruling: Ruling | None,
    posts: Sequence[Post],
    now: datetime,
) -> None:
    row = await rows.held(session, dossier.conversation)
    events = await _events(session, dossier.conversation.id)
    if row is None or tuple(rows.standing(events)) != dossier.standing:
        # Something changed while it was looked at: what was concluded is about a past that nobody sees any more
        await rows.release(session, dossier.conversation.id)
        await announce(session, Change.FREED)
        return
    waiting = [event.id for event in events if event.concluded_at is None]
    if not waiting:
        return
    await session.execute(update(ReactionRow).where(ReactionRow.id.in_(waiting)).values(concluded_at=now))
    await _rule(session, row, dossier.first.task, ruling, now)
    if decision is not None:
        await rows.record(session, row.id, decision, now)
        await session.execute(_moved(row.id, decision.label))
    await rows.owe(session, row.id, posts, now)
    await rows.release(session, row.id)
    await announce(session, Change.OWED, Change.FREED)


def _moved(conversation_id: int, label: str) -> Update:
    moved = update(ConversationRow).where(ConversationRow.id == conversation_id)
    return moved.values(label=label, version=ConversationRow.version + 1)


async def _rule(session: AsyncSession, row: ConversationRow, task: str, ruling: Ruling | None, now: datetime) -> None:
    stood = await session.scalar(
        select(CorrectionRow)
        .where(CorrectionRow.conversation_id == row.id, CorrectionRow.withdrawn_at.is_(None))
        .with_for_update()
    )
    if ruling is None:
        await _withdraw(session, stood, now)
        await forget_lesson(session, row.id, RULINGS, now)
    elif stood is None or not _same(stood, ruling):
        await _withdraw(session, stood, now)
        await session.execute(insert(CorrectionRow).values(_ruled(row, ruling)))
        source = Source.CONFIRMATION if ruling.confirms else Source.CORRECTION
        await teach(session, row, Lesson(task, ruling.label, source, ruling.at, ruling.disputed), now)


async def _withdraw(session: AsyncSession, stood: CorrectionRow | None, now: datetime) -> None:
    if stood is not None:
        await session.execute(update(CorrectionRow).where(CorrectionRow.id == stood.id).values(withdrawn_at=now))


def _same(stood: CorrectionRow, ruling: Ruling) -> bool:
    return (stood.label, stood.lead, stood.at, stood.confirms, stood.disputed) == (
        ruling.label,
        _lead(ruling),
        ruling.at,
        ruling.confirms,
        ruling.disputed,
    )


def _lead(ruling: Ruling) -> str:
    return f"{ruling.lead.platform}:{ruling.lead.id}"


def _ruled(row: ConversationRow, ruling: Ruling) -> dict[str, object]:
    return {
        "conversation_id": row.id,
        "before": row.label,
        "label": ruling.label,
        "lead": _lead(ruling),
        "at": ruling.at,
        "confirms": ruling.confirms,
        "disputed": ruling.disputed,
    }
