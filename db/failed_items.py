"""Items of any step that fail: postponed, set aside, listed, taken up again, dropped."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from sqlalchemy import ColumnElement, Text, and_, cast, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.failures import FailedItem, Failure, ItemKey
from bot.domain.ledger import Change
from bot.domain.messages import Fact
from bot.domain.ports import FailedItems
from bot.domain.posts import KINDS
from db.conversations import failures, set_aside
from db.engine import Database, announce
from db.reading.codec import UnknownKind, decode_fact, encode_fact
from db.tables import FailedItemRow, PostRow

_ROW = FailedItemRow
_INTAKE = "intake"
_ASIDE = and_(_ROW.set_aside_at.is_not(None), _ROW.dropped_at.is_(None))
_EVERY_STEP = (Change.MESSAGE, Change.NEXT, Change.REACTION, Change.PRESS, Change.NOTE, Change.REVISED, Change.OWED)


class PostgresFailedItems:
    """Failed items in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def failed(self, failure: Failure, now: datetime) -> bool:
        async with self._database.transaction() as session:
            return await failures.record(session, failure, now)

    async def succeeded(self, key: ItemKey) -> None:
        async with self._database.transaction() as session:
            await failures.forget(session, key)

    async def park(self, fact: Fact, reason: str, now: datetime) -> None:
        failure = Failure(_key_of(fact), reason, final=True)
        async with self._database.transaction() as session:
            await failures.record(session, failure, now, encode_fact(fact))

    async def parked(self) -> list[tuple[ItemKey, Fact]]:
        wanted = select(_ROW).where(_ROW.step == _INTAKE, _ROW.set_aside_at.is_(None), _ROW.dropped_at.is_(None))
        async with self._database.transaction() as session:
            rows = (await session.scalars(wanted.order_by(_ROW.id))).all()
        return [(ItemKey(_INTAKE, row.item), decode_fact(row.fact)) for row in rows if row.fact is not None]

    async def set_aside(self) -> list[FailedItem]:
        wanted = select(_ROW).where(_ASIDE).order_by(_ROW.set_aside_at, _ROW.id)
        async with self._database.transaction() as session:
            return [_item(row) for row in await session.scalars(wanted)]

    async def counts(self) -> Mapping[str, int]:
        counted = select(_ROW.step, func.count()).where(_ASIDE).group_by(_ROW.step)
        async with self._database.transaction() as session:
            return {row.step: int(row[1]) for row in await session.execute(counted)}

    async def retry(self, failed: int, now: datetime) -> bool:
        async with self._database.transaction() as session:
            return await _retry(session, _ROW.id == failed, now) > 0

    async def drop(self, failed: int, now: datetime) -> bool:
        async with self._database.transaction() as session:
            dropped = update(_ROW).where(_ROW.id == failed, _ASIDE).values(dropped_at=now, fact=None).returning(_ROW)
            row = await session.scalar(dropped.execution_options(synchronize_session=False))
            if row is None:
                return False
            await set_aside.give_up(session, row.step, row.item, now)
            return True

    async def reread(self, now: datetime) -> int:
        known = select(cast(PostRow.id, Text)).where(PostRow.kind.in_(KINDS))
        unread = _ROW.reason == failures.cannot_read(UnknownKind())
        async with self._database.transaction() as session:
            return await _retry(session, and_(unread, _ROW.step == "deliver", _ROW.item.in_(known)), now)


async def _retry(session: AsyncSession, which: ColumnElement[bool], now: datetime) -> int:
    again = update(_ROW).where(which, _ASIDE, _ROW.step == _INTAKE).values(set_aside_at=None).returning(_ROW.id)
    parked = (await session.scalars(again.execution_options(synchronize_session=False))).all()
    gone = delete(_ROW).where(which, _ASIDE).returning(_ROW)
    rows = (await session.scalars(gone.execution_options(synchronize_session=False))).all()
    for row in rows:
        await set_aside.reopen(session, row.step, row.item, row.first_at, now)
    if rows:
        await announce(session, *_EVERY_STEP, Change.EXAMPLE)
    return len(rows) + len(parked)


def _key_of(fact: Fact) -> ItemKey:
    """The same key for the same fact; the fact's words cannot be read from it."""
    return ItemKey(
        _INTAKE, f"{type(fact).__name__.lower()} {sha256(repr(fact).encode('utf-8', 'replace')).hexdigest()[:16]}"
    )


def _item(row: FailedItemRow) -> FailedItem:
    return FailedItem(
        row.id, row.step, row.item, row.conversation_id, row.reason, row.attempts, row.first_at, row.last_at
    )


_: type[FailedItems] = PostgresFailedItems
