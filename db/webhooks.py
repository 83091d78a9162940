"""The events that wait for their webhooks. Triggers write them (see `db.tables.webhooks`); this module claims them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import ColumnElement, Text, and_, delete, func, or_, select, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.domain.ledger import Change
from bot.domain.messages import MessageRef
from bot.domain.webhooks import (
    KEPT_DAYS,
    MOST_WAITING,
    STEP,
    EventKind,
    Webhook,
    WebhookEvent,
    WebhookEvents,
    WebhookState,
)
from db.conversations.claims import LEASE
from db.conversations.failures import backs_off
from db.engine import Database, announce
from db.tables import ConversationRow, FailedItemRow, MessageRow, WebhookEventRow, WebhookRow
from db.wrong_clocks import holds

_ROW = WebhookEventRow
_WAITS = and_(_ROW.sent_at.is_(None), _ROW.given_up_at.is_(None))
_AT_A_TIME = 1_000
"""The most rows that one look sets aside or deletes; the next look goes on."""
_TOO_MANY = "set aside since too many wait: the receiver takes none, or not enough"


class PostgresWebhookEvents:
    """Webhook events in PostgreSQL."""

    def __init__(self, database: Database, most: int = MOST_WAITING) -> None:
        """`most` is the most events of one webhook that may wait."""
        self._database = database
        self._most = most

    async def declare(self, webhooks: Sequence[Webhook]) -> None:
        rows = [{"name": one.name, "events": sorted(one.events)} for one in webhooks]
        async with self._database.transaction() as session:
            gone = WebhookRow.name.not_in([one.name for one in webhooks])
            # A webhook without events gets no new ones; its row is deleted last, so that a killed process leaves no
            # orphans
            silenced = update(WebhookRow).where(gone).values(events=[]).returning(WebhookRow.name)
            removed = (await session.scalars(silenced)).all()
            if rows:
                known = insert(WebhookRow).values(rows)
                again = known.on_conflict_do_update(index_elements=["name"], set_={"events": known.excluded.events})
                await session.execute(again)
        for name in removed:
            await self._forget(name)

    async def _forget(self, webhook: str) -> None:
        """Delete all events of a webhook that the settings no longer name, and then its row."""
        some = select(_ROW.id).where(_ROW.webhook == webhook).order_by(_ROW.at).limit(_AT_A_TIME)
        found = True
        while found:
            async with self._database.transaction() as session:
                taken = delete(_ROW).where(_ROW.id.in_(some)).returning(_ROW.id)
                ids = [str(id) for id in await session.scalars(taken)]
                failed = FailedItemRow.step == STEP, FailedItemRow.item.in_(ids)
                await session.execute(delete(FailedItemRow).where(*failed).execution_options(synchronize_session=False))
            found = len(ids) == _AT_A_TIME
        async with self._database.transaction() as session:
            unwanted = WebhookRow.name == webhook, func.cardinality(WebhookRow.events) == 0
            await session.execute(delete(WebhookRow).where(*unwanted).execution_options(synchronize_session=False))

    async def claim(self, webhook: str, now: datetime, limit: int) -> Sequence[WebhookEvent]:
        waiting = (
            select(_ROW)
            .where(_ROW.webhook == webhook, _WAITS, _free(now), ~_has_one_before(), ~backs_off(STEP, _ROW.id, now))
            .order_by(_ROW.id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=_ROW)
        )
        async with self._database.transaction() as session:
            rows = (await session.scalars(waiting)).all()
            held = update(_ROW).where(_ROW.id.in_([row.id for row in rows])).values(leased_until=now + LEASE)
            if rows:
                await session.execute(held.execution_options(synchronize_session=False))
            return await _read(session, rows)

    async def sent(self, event: int, now: datetime) -> None:
        taken = update(_ROW).where(_ROW.id == event).values(sent_at=now, given_up_at=None, leased_until=None)
        async with self._database.transaction() as session:
            await session.execute(taken)

    async def tidy(self, webhook: str, now: datetime) -> int:
        async with self._database.transaction() as session:
            old = select(_ROW.id).where(_ROW.webhook == webhook, _ROW.at < now - timedelta(days=KEPT_DAYS), ~_WAITS)
            await session.execute(delete(_ROW).where(_ROW.id.in_(old.limit(_AT_A_TIME))))
            return await self._set_aside(session, webhook, now)

    async def _set_aside(self, session: AsyncSession, webhook: str, now: datetime) -> int:
        waiting = select(_ROW.id).where(_ROW.webhook == webhook, _WAITS)
        newest_too_many = waiting.order_by(_ROW.id.desc()).offset(self._most).limit(1).scalar_subquery()
        which = waiting.where(_ROW.id <= newest_too_many, _free(now)).order_by(_ROW.id).limit(_AT_A_TIME)
        aside = update(_ROW).where(_ROW.id.in_(which.with_for_update(skip_locked=True))).values(given_up_at=now)
        found = await session.execute(
            aside.returning(_ROW.id, _ROW.conversation_id).execution_options(synchronize_session=False)
        )
        rows = found.all()
        if rows:
            usual = {"step": STEP, "reason": _TOO_MANY, "attempts": 0, "waits": 0, "first_at": now, "last_at": now}
            new = insert(FailedItemRow).values(
                [{**usual, "item": str(row[0]), "conversation_id": row[1], "set_aside_at": now} for row in rows]
            )
            seen = {"reason": _TOO_MANY, "last_at": now, "not_before": None, "set_aside_at": now, "dropped_at": None}
            await session.execute(new.on_conflict_do_update(index_elements=["step", "item"], set_=seen))
        return len(rows)

    async def states(self) -> Mapping[str, WebhookState]:
        aside = func.count().filter(_ROW.given_up_at.is_not(None), _ROW.sent_at.is_(None))
        counted = select(_ROW.webhook, func.count().filter(_WAITS), aside, func.max(_ROW.sent_at)).group_by(
            _ROW.webhook
        )
        async with self._database.transaction() as session:
            return {row[0]: WebhookState(row[1], row[2], row[3]) for row in await session.execute(counted)}

    async def replay(self, webhook: str, since: datetime, until: datetime) -> int:
        which = and_(_ROW.webhook == webhook, _ROW.at >= since, _ROW.at <= until, ~_WAITS)
        again = update(_ROW).where(which).values(sent_at=None, given_up_at=None, leased_until=None)
        failed = FailedItemRow.step == STEP, FailedItemRow.item.in_(select(sql_cast(_ROW.id, Text)).where(which))
        async with self._database.transaction() as session:
            await session.execute(delete(FailedItemRow).where(*failed).execution_options(synchronize_session=False))
            done = await session.execute(again.execution_options(synchronize_session=False))
            await announce(session, Change.OWED)
            return cast("CursorResult[tuple[()]]", done).rowcount


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(_ROW.leased_until.is_(None), ~holds(_ROW.leased_until, now))


def _has_one_before() -> ColumnElement[bool]:
    """Whether an earlier event of the same line still waits."""
    before = aliased(_ROW)
    earlier = before.webhook == _ROW.webhook, before.line == _ROW.line, before.id < _ROW.id
    return select(before.id).where(*earlier, before.sent_at.is_(None), before.given_up_at.is_(None)).exists()


async def _read(session: AsyncSession, rows: Sequence[WebhookEventRow]) -> list[WebhookEvent]:
    """The events to send. People's words are read only now, not stored with the event: what was forgotten is not
    sent."""
    about = sorted({row.conversation_id for row in rows if row.conversation_id is not None})
    texts, sources = await _texts(session, about), await _sources(session, about)
    return [
        WebhookEvent(
            id=row.id,
            event_id=str(row.event_id),
            kind=EventKind(row.kind),
            at=row.at,
            data=row.data,
            conversation=row.conversation_id,
            source=sources.get(row.conversation_id or 0),
            text=texts.get(row.conversation_id or 0),
        )
        for row in rows
    ]


async def _texts(session: AsyncSession, conversations: Sequence[int]) -> dict[int, str | None]:
    found = await session.execute(
        select(ConversationRow.id, ConversationRow.text).where(ConversationRow.id.in_(conversations))
    )
    return {row[0]: row[1] for row in found}


async def _sources(session: AsyncSession, conversations: Sequence[int]) -> dict[int, MessageRef]:
    first = (
        select(MessageRow.conversation_id, MessageRow.platform, MessageRow.chat, MessageRow.message_id)
        .where(MessageRow.conversation_id.in_(conversations))
        .ext(distinct_on(MessageRow.conversation_id))
        .order_by(MessageRow.conversation_id, MessageRow.at, MessageRow.id)
    )
    return {row[0]: MessageRef(row[1], row[2], row[3]) for row in await session.execute(first)}


_: type[WebhookEvents] = PostgresWebhookEvents
