"""Leads' rulings: at most one for each conversation and task stands, and its example stands with it."""

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import LeadLabel
from bot.domain.embedders import known_of
from bot.domain.guards import Guards, Held, held, weight
from bot.domain.learning import Source, text_key
from db.conversations.basis import Embedded, Lesson, lesson_of
from db.conversations.examples import RULINGS, ConversationExample, store_example, withdraw_example
from db.conversations.guarded import claim_of
from db.conversations.held_back import agreement_of, free_seconded, guard_alone
from db.tables import ConversationRow, CorrectionRow, ExampleRow


async def store_lead_label(
    session: AsyncSession,
    row: ConversationRow,
    task: str,
    lead_label: LeadLabel | None,
    now: datetime,
    guards: Guards,
    known: Embedded | None = None,
) -> Held | None:
    """Replace the standing ruling with this one; None withdraws it. Storing the same ruling again changes nothing.

    `known` are vectors of words that came after the decision. Returns why the ruling does not teach yet; None if it
    teaches.
    """
    stood = await session.scalar(
        select(CorrectionRow)
        .where(CorrectionRow.conversation_id == row.id, CorrectionRow.task == task)
        .where(CorrectionRow.withdrawn_at.is_(None))
        .with_for_update()
    )
    if stood is not None and lead_label is not None and _same(stood, lead_label):
        return await _held(session, row.id, task)
    spoke_for = await agreement_of(session, row.id, task)
    await _withdraw(session, stood, now)
    why = None
    if lead_label is None:
        await withdraw_example(session, row.id, task, RULINGS, now)
    else:
        why = await _rule(session, row, task, lead_label, now, guards, known)
    if spoke_for is not None:
        await guard_alone(session, spoke_for, guards, now)
    return why


async def _rule(
    session: AsyncSession,
    row: ConversationRow,
    task: str,
    lead_label: LeadLabel,
    now: datetime,
    guards: Guards,
    known: Embedded | None,
) -> Held | None:
    await session.execute(insert(CorrectionRow).values(_ruled(row, task, lead_label)))
    lesson = await lesson_of(session, row, lead_label, known) or Lesson("")
    example = await _example(session, row, lesson, task, lead_label, now, guards)
    await store_example(session, row.id, lesson, example, now)
    if lesson.text and example.source is Source.CORRECTION and example.held is None:
        await free_seconded(session, task, text_key(lesson.text), lead_label, now)
    return example.held


async def _example(
    session: AsyncSession,
    row: ConversationRow,
    lesson: Lesson,
    task: str,
    lead_label: LeadLabel,
    now: datetime,
    guards: Guards,
) -> ConversationExample:
    """The example the ruling gives, and whether it teaches at once. A confirmation agrees with us: no guard is
    asked."""
    label, lead, at = lead_label.label, lead_label.lead.key, lead_label.at
    if lead_label.confirms:
        disputed = Held.DISPUTED if lead_label.disputed else None
        return ConversationExample(task, label, Source.CONFIRMATION, at, lead, disputed)
    claim = await claim_of(session, row, lesson, task, lead_label, now)
    why = held(claim, guards, known_of(lesson.embedder or "").scale)
    counts = weight(claim.agreed, claim.overruled)
    return ConversationExample(task, label, Source.CORRECTION, at, lead, why, counts)


async def _held(session: AsyncSession, conversation: int, task: str) -> Held | None:
    """Why the conversation's standing example does not teach yet; None if it does, or if there is none."""
    standing = select(ExampleRow.held).where(
        ExampleRow.conversation_id == conversation,
        ExampleRow.task == task,
        ExampleRow.source.in_(RULINGS),
        ExampleRow.withdrawn_at.is_(None),
    )
    found = await session.scalar(standing)
    return None if found is None else Held(found)


async def _withdraw(session: AsyncSession, stood: CorrectionRow | None, now: datetime) -> None:
    if stood is not None:
        await session.execute(update(CorrectionRow).where(CorrectionRow.id == stood.id).values(withdrawn_at=now))


def _same(stood: CorrectionRow, lead_label: LeadLabel) -> bool:
    return (stood.label, stood.lead, stood.at, stood.confirms, stood.disputed, stood.agreeing) == (
        lead_label.label,
        lead_label.lead.key,
        lead_label.at,
        lead_label.confirms,
        lead_label.disputed,
        lead_label.agreeing,
    )


def _ruled(row: ConversationRow, task: str, lead_label: LeadLabel) -> dict[str, object]:
    return {
        "conversation_id": row.id,
        "task": task,
        "before": row.label if row.task == task else None,
        "label": lead_label.label,
        "lead": lead_label.lead.key,
        "at": lead_label.at,
        "confirms": lead_label.confirms,
        "disputed": lead_label.disputed,
        "agreeing": lead_label.agreeing,
    }
