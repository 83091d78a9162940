"""What a settled conversation teaches a task: one standing example of each kind, replaced or withdrawn as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.guards import Held
from bot.domain.learning import Source, side_of, text_key
from db.tables import ConversationRow, ExampleRow

RULINGS = (Source.CORRECTION, Source.CONFIRMATION)


@dataclass(frozen=True, slots=True)
class ConversationExample:
    """The label of a conversation's text, and whose word it is."""

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
    session: AsyncSession, row: ConversationRow, lesson: ConversationExample, now: datetime
) -> None:
    """Store this as the conversation's standing example for the task, in place of its earlier ruling or tap."""
    await withdraw_example(session, row.id, lesson.task, RULINGS if lesson.source in RULINGS else (Source.TAP,), now)
    if not row.text:
        return
    columns = {
        "task": lesson.task,
        "label": lesson.label,
        "text_key": text_key(row.text),
        "source": lesson.source,
        "side": side_of(row.text),
        "at": lesson.at,
        "recorded_at": now,
        "quarantined": lesson.held is not None,
        "held": lesson.held,
        "lead": lesson.lead,
        "weight": lesson.weight,
    }
    values = [literal(value, ExampleRow.__table__.c[name].type) for name, value in columns.items()]
    kept = select(*values, ConversationRow.id, ConversationRow.text, ConversationRow.vector, ConversationRow.embedder)
    names = [*columns, "conversation_id", "text", "vector", "embedder"]
    await session.execute(insert(ExampleRow).from_select(names, kept.where(ConversationRow.id == row.id)))


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
