"""Moving the pointer to the adapter that serves, inside a transaction that holds the task's registry lock."""

from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.errors import UsageError
from db.conversations.taken_up import take_up_again
from db.reading.serving import NOBODY, over, pointer
from db.tables import AdapterRow, PromotionRow

GATE = "gate"
"""The author of a promotion made by the gate, at once or after a canary that found no objection."""


async def move(session: AsyncSession, task: str, adapter: str, by: str, reason: str, now: datetime) -> None:
    """Point to the adapter; does nothing if the pointer is there already."""
    here = await pointer(session, task)
    if here is not None and here.adapter == adapter:
        return
    previous = here.id if here is not None and here.adapter != NOBODY else None
    row = {"task": task, "adapter": adapter, "by": by, "reason": reason, "at": now, "previous": previous}
    await session.execute(insert(PromotionRow).values(row))
    await take_up_again(session, task, adapter)


async def move_back(session: AsyncSession, here: PromotionRow, by: str, reason: str, now: datetime) -> None:
    """Point to the adapter that served before; the next step back from there leads further back."""
    target = await session.get_one(PromotionRow, here.previous)
    row = {"adapter": target.adapter, "previous": target.previous, "reason": reason}
    await session.execute(insert(PromotionRow).values(task=here.task, by=by, at=now, **row))
    await take_up_again(session, here.task, target.adapter)


def check_may_serve(adapter: AdapterRow, base: str, now: datetime) -> None:
    """Raise UsageError if the adapter does not fit the base model that is served, or may not serve any more."""
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
