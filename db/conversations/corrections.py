"""What leads ruled: at most one ruling of a conversation and task stands, and what it teaches stands with it."""

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import LeadLabel
from bot.domain.learning import Source
from db.conversations.examples import RULINGS, ConversationExample, store_example, withdraw_example
from db.tables import ConversationRow, CorrectionRow


async def store_lead_label(
    session: AsyncSession, row: ConversationRow, task: str, lead_label: LeadLabel | None, now: datetime
) -> None:
    """Put the ruling in the place of what stood before; None withdraws that. The same again changes nothing."""
    stood = await session.scalar(
        select(CorrectionRow)
        .where(CorrectionRow.conversation_id == row.id, CorrectionRow.task == task)
        .where(CorrectionRow.withdrawn_at.is_(None))
        .with_for_update()
    )
    if lead_label is None:
        await _withdraw(session, stood, now)
        await withdraw_example(session, row.id, task, RULINGS, now)
    elif stood is None or not _same(stood, lead_label):
        await _withdraw(session, stood, now)
        await session.execute(insert(CorrectionRow).values(_ruled(row, task, lead_label)))
        source = Source.CONFIRMATION if lead_label.confirms else Source.CORRECTION
        await store_example(
            session, row, ConversationExample(task, lead_label.label, source, lead_label.at, lead_label.disputed), now
        )


async def _withdraw(session: AsyncSession, stood: CorrectionRow | None, now: datetime) -> None:
    if stood is not None:
        await session.execute(update(CorrectionRow).where(CorrectionRow.id == stood.id).values(withdrawn_at=now))


def _same(stood: CorrectionRow, lead_label: LeadLabel) -> bool:
    return (stood.label, stood.lead, stood.at, stood.confirms, stood.disputed) == (
        lead_label.label,
        lead_label.lead.key,
        lead_label.at,
        lead_label.confirms,
        lead_label.disputed,
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
    }
