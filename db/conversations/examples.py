"""What a settled conversation teaches a task: one standing example of each kind, replaced or withdrawn as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.guards import Held
from bot.domain.learning import Source, side_of, text_key
from db.conversations.basis import Lesson
from db.tables import ExampleRow

RULINGS = (Source.CORRECTION, Source.CONFIRMATION)


@dataclass(frozen=True, slots=True)
class ConversationExample:
    """The label of a conversation's words, and on whose word they have it."""

    task: str
    label: str
    source: Source
    at: datetime
    lead: str | None = None
    """The lead who gave the label, `platform:id`; None: no lead did."""
    held: Held | None = None
    """Why it does not teach yet; None: it teaches."""
    weight: float = 1.0


async def store_example(
    session: AsyncSession, conversation: int, lesson: Lesson, example: ConversationExample, now: datetime
) -> None:
    """Store this as the conversation's standing example for the task, in place of its earlier ruling or tap."""
    replaced = RULINGS if example.source in RULINGS else (Source.TAP,)
    await withdraw_example(session, conversation, example.task, replaced, now)
    if not lesson.text:
        return
    stored = insert(ExampleRow).values(
        task=example.task,
        conversation_id=conversation,
        text=lesson.text,
        text_key=text_key(lesson.text),
        vector=None if lesson.vector is None else list(lesson.vector),
        embedder=lesson.embedder,
        label=example.label,
        source=example.source,
        side=side_of(lesson.text),
        at=example.at,
        recorded_at=now,
        quarantined=example.held is not None,
        held=example.held,
        lead=example.lead,
        weight=example.weight,
    )
    await session.execute(stored)


async def withdraw_example(
    session: AsyncSession, conversation_id: int, task: str, sources: Sequence[Source], now: datetime
) -> None:
    """Withdraw the conversation's examples from these sources for the task; nothing is deleted."""
    stood = update(ExampleRow).where(
        ExampleRow.conversation_id == conversation_id,
        ExampleRow.task == task,
        ExampleRow.source.in_(sources),
        ExampleRow.withdrawn_at.is_(None),
    )
    await session.execute(stood.values(withdrawn_at=now))
