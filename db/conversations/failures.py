"""Items that failed: postponed with a growing back-off, and set aside after too many attempts."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, Text, and_, case, cast, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from bot.domain.failures import MOST_ATTEMPTS, Failure, ItemKey, back_off
from bot.domain.ledger import Change
from db.conversations.claims import release
from db.conversations.set_aside import conclude, let_go
from db.engine import announce
from db.tables import FailedItemRow, PostRow
from db.wrong_clocks import holds

log = logging.getLogger(__name__)

Row = TypeVar("Row")
Item = TypeVar("Item")

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What decoding raises for a row written by a newer version, or for a damaged one."""
_ROW = FailedItemRow
_MEMORY = timedelta(days=1)
"""How long past failures count for an item that has not failed again."""


def cannot_read(error: Exception) -> str:
    """The reason recorded for a row that could not be decoded."""
    return f"this version cannot read it ({type(error).__name__})"


def backs_off(
    step: str, item: InstrumentedAttribute[int], now: datetime | ColumnElement[datetime], kind: str = ""
) -> ColumnElement[bool]:
    """Whether the item failed and must not be tried again yet. `kind` precedes an id that is not unique by itself."""
    return exists().where(_ROW.step == step, _ROW.item == _named(item, kind), holds(_ROW.not_before, now))


def is_set_aside(step: str, item: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Whether the item is set aside until somebody has it tried again."""
    return exists().where(_ROW.step == step, _ROW.item == _named(item, ""), _ROW.set_aside_at.is_not(None))


def _named(item: InstrumentedAttribute[int], kind: str) -> ColumnElement[str]:
    number = cast(item, Text)
    return kind + " " + number if kind else number


async def record(session: AsyncSession, failure: Failure, now: datetime, fact: dict[str, object] | None = None) -> bool:
    """Store a failed attempt and release the item's claim; return whether it is set aside now."""
    key = failure.key
    row = await _counted(session, failure, now, fact)
    aside = failure.final or (row.attempts >= MOST_ATTEMPTS and not failure.later)
    until = None if aside else now + back_off(row.attempts + row.waits)
    changed = update(_ROW).where(_ROW.id == row.id).values(not_before=until)
    changed = changed.values(set_aside_at=now) if aside else changed
    await session.execute(changed.execution_options(synchronize_session=False))
    if aside:
        await conclude(session, key.step, key.item, now)
    else:
        await let_go(session, key.step, key.item)
    if row.conversation_id is not None:
        await release(session, row.conversation_id)
    old = and_(_ROW.set_aside_at.is_(None), _ROW.dropped_at.is_(None), _ROW.last_at < now - _MEMORY)
    await session.execute(delete(_ROW).where(old).execution_options(synchronize_session=False))
    await announce(session, Change.FREED, Change.OWED)
    return aside


async def _counted(
    session: AsyncSession, failure: Failure, now: datetime, fact: dict[str, object] | None
) -> FailedItemRow:
    """The item's row, with this failure counted. A dropped item starts anew, for this failure is news about it."""
    key, guilty = failure.key, 0 if failure.later else 1
    again = _ROW.dropped_at.is_not(None)
    known = {"last_at": now, "reason": failure.reason}
    new = insert(_ROW).values(
        step=key.step,
        item=key.item,
        conversation_id=await _conversation(session, key),
        attempts=guilty,
        waits=1 - guilty,
        first_at=now,
        fact=fact,
        **known,
    )
    counted = new.on_conflict_do_update(
        index_elements=["step", "item"],
        set_={
            "attempts": case((again, 0), else_=_ROW.attempts) + guilty,
            "waits": case((again, 0), else_=_ROW.waits) + 1 - guilty,
            "set_aside_at": case((again, None), else_=_ROW.set_aside_at),
            "dropped_at": None,
            **known,
        },
    )
    found = await session.scalars(counted.returning(_ROW), execution_options={"populate_existing": True})
    return found.one()


async def _conversation(session: AsyncSession, key: ItemKey) -> int | None:
    if key.conversation is not None or key.step != "deliver":
        return key.conversation
    return await session.scalar(select(PostRow.conversation_id).where(PostRow.id == int(key.item)))


async def forget(session: AsyncSession, key: ItemKey) -> None:
    """Delete the record of the item's failures: it succeeded."""
    gone = delete(_ROW).where(_ROW.step == key.step, _ROW.item == key.item, _ROW.dropped_at.is_(None))
    await session.execute(gone.execution_options(synchronize_session=False))


async def readable(
    session: AsyncSession,
    rows: Sequence[Row],
    read: Callable[[Sequence[Row]], Awaitable[list[Item]]],
    key: Callable[[Row], ItemKey],
    now: datetime,
) -> list[Item]:
    """The claimed rows as items. Rows that this version cannot read are set aside at once; the others go on."""
    try:
        return await read(rows)
    except UNREADABLE:
        pass
    items: list[Item] = []
    for row in rows:
        try:
            items += await read([row])
        except UNREADABLE as error:
            which = key(row)
            problem = cannot_read(error)
            about = {"step": which.step, "item": which.item, "conversation": which.conversation, "problem": problem}
            log.error("item set aside", extra={**about, "remedy": "switchboard failed list"})
            await record(session, Failure(which, problem, final=True), now)
    return items
