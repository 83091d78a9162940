"""Which candidate is in the shadow."""

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.learning import Phase
from bot.domain.shadow_card import Ruling
from db.tables import AdapterRow, CycleRow, PromotionRow, ShadowRulingRow


async def in_shadow(session: AsyncSession, task: str) -> str | None:
    """The adapter of the newest cycle, if the gate refused it, nothing was promoted since, and no lead set it aside.

    Not one that learned from somebody who was forgotten since: it could serve for some days at most, or no more at all.
    """
    done = select(CycleRow).where(CycleRow.task == task, CycleRow.phase == Phase.DONE)
    newest = (await session.scalars(done.order_by(CycleRow.id.desc()).limit(1))).first()
    if newest is None or newest.promoted or newest.concluded_at is None or newest.adapter is None:
        return None
    since = exists().where(PromotionRow.task == task, PromotionRow.at > newest.concluded_at)
    kept = exists().where(
        ShadowRulingRow.task == task, ShadowRulingRow.adapter == newest.adapter, ShadowRulingRow.ruling == Ruling.KEEP
    )
    forgotten = exists().where(
        AdapterRow.task == task, AdapterRow.name == newest.adapter, AdapterRow.retires_at.is_not(None)
    )
    over = (await session.execute(select(since | kept | forgotten))).scalar_one()
    return None if over else newest.adapter
