"""Moving the pointer to the adapter that serves, inside a transaction that holds the task's registry."""

from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.errors import UsageError
from db.conversations.taken_up import take_up_again
from db.reading.serving import NOBODY, over, pointer
from db.tables import AdapterRow, PromotionRow

GATE = "gate"
"""Who promoted what learning let serve, at once or after a canary that did not object."""


async def move(session: AsyncSession, task: str, adapter: str, by: str, reason: str, now: datetime) -> None:
    """Put the pointer on the adapter; nothing when it is there."""
    here = await pointer(session, task)
    if here is not None and here.adapter == adapter:
        return
    previous = here.id if here is not None and here.adapter != NOBODY else None
    row = {"task": task, "adapter": adapter, "by": by, "reason": reason, "at": now, "previous": previous}
    await session.execute(insert(PromotionRow).values(row))
    await take_up_again(session, task, adapter)


async def move_back(session: AsyncSession, here: PromotionRow, by: str, reason: str, now: datetime) -> None:
    """Put the pointer on what served before; from there the next step back leads further back."""
    target = await session.get_one(PromotionRow, here.previous)
    row = {"adapter": target.adapter, "previous": target.previous, "reason": reason}
    await session.execute(insert(PromotionRow).values(task=here.task, by=by, at=now, **row))
    await take_up_again(session, here.task, target.adapter)


def check_may_serve(adapter: AdapterRow, base: str, now: datetime) -> None:
    """Raises UsageError when the base that is served cannot use the adapter, or when its time is over."""
    if over(adapter, now):
        raise UsageError(
            f"{adapter.name} had learned from texts of somebody who was forgotten, and may not serve since "
            f"{adapter.retires_at:%Y-%m-%d}; `switchboard train` makes one without them"
        )
    if adapter.base != base:
        raise UsageError(
            f"{adapter.name} was trained for the base model {adapter.base}, and {base} is served: it would not answer "
            f"a single message; set model.base to {adapter.base}, or train one for {base} with `switchboard train`"
        )


async def known_adapter(session: AsyncSession, task: str, name: str) -> AdapterRow:
    found = await session.get(AdapterRow, (task, name))
    if found is None:
        raise UsageError(f"no adapter of {task} is called {name}; `switchboard models` lists them")
    return found
