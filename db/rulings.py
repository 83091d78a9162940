"""What leads ruled: at most one ruling of a conversation stands, and what it teaches stands with it."""

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import Ruling
from bot.domain.learning import Source
from db.lessons import RULINGS, Lesson, forget_lesson, teach
from db.tables import ConversationRow, CorrectionRow


async def store_ruling(
    session: AsyncSession, row: ConversationRow, task: str, ruling: Ruling | None, now: datetime
) -> None:
    """Put the ruling in the place of what stood before; None withdraws that. The same again changes nothing."""
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
        ruling.lead.key,
        ruling.at,
        ruling.confirms,
        ruling.disputed,
    )


def _ruled(row: ConversationRow, ruling: Ruling) -> dict[str, object]:
    return {
        "conversation_id": row.id,
        "before": row.label,
        "label": ruling.label,
        "lead": ruling.lead.key,
        "at": ruling.at,
        "confirms": ruling.confirms,
        "disputed": ruling.disputed,
    }
