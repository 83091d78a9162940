"""The posts owed to chats, claimed in order, until there is a receipt."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, cast

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningUpdate

from bot.domain.decisions import Decision
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change
from bot.domain.messages import MessageRef
from bot.domain.ports import Outbox
from bot.domain.posts import (
    Card,
    Content,
    Continuation,
    FollowUp,
    OutboxItem,
    Post,
    Receipt,
    Reply,
)
from db.arrays import arrays
from db.conversations import delivery_failures
from db.conversations.claims import LEASE
from db.conversations.failures import backs_off, readable
from db.engine import Database, announce, announcement, claimant, forgettable
from db.posts.cancel import HELD_BACK, OF_ANY_LINE
from db.posts.enqueue import enqueue
from db.posts.latest import continuations, wordings
from db.reading.mappers import content, post
from db.tables import ConversationRow, Name, PostRow
from db.tables.read import plain, read
from db.wrong_clocks import due as due_by_clock
from db.wrong_clocks import holds

_ROW = PostRow
_POSTS = cast(Table, PostRow.__table__)
_TARGET = aliased(PostRow)
"""Another post than the one in question; built once, because building an alias costs more than the query."""
_CONTINUED = tuple(kind.__name__ for kind in (Card, FollowUp, Reply))
_Continued = tuple[tuple[int, Continuation], ...]


class PostgresOutbox:
    """The outbox in PostgreSQL. A claimed post without a report is claimed again after 60 seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim_due(
        self, platforms: Sequence[str], now: datetime, limit: int, busy: Collection[str] = ()
    ) -> list[OutboxItem]:
        wanted = {
            "platforms": list(platforms),
            "busy": list(busy),
            "now": now,
            "until": now + LEASE,
            "limit": limit,
        }
        # By itself: most looks find nothing, and what was claimed but could not be read is claimed again like any other
        async with self._database.autocommit() as session:
            found = (await session.execute(_CLAIMED, {**wanted, "who": claimant(session)})).all()
        rows = sorted((read(PostRow, row) for row in found), key=lambda row: row.id)
        async with self._database.transaction() as session:  # begins with the first statement, which few posts need
            return await readable(session, rows, partial(_read, session), _key, now)

    async def said(self, item: OutboxItem, ref: MessageRef, now: datetime, posts: Sequence[Post] = ()) -> None:
        receipt = {"said_at": now, "receipt_chat": ref.chat, "receipt_id": ref.id}
        # It was said, even if it was given up meanwhile
        fresh = update(_ROW).where(_ROW.id == item.id, _ROW.said_at.is_(None))
        said = fresh.values(**receipt, leased_until=None, given_up_at=None, problem=None)
        async with self._database.transaction() as session:
            found = (await session.execute(_announced(said))).first()
            if found is not None:
                await enqueue(session, found[0], await _up_to_date(session, posts), now)

    async def said_all(self, receipts: Sequence[Receipt], now: datetime) -> Sequence[bool]:
        posts, refs = [one.item.id for one in receipts], [one.ref for one in receipts]
        told = {"post": posts, "in_chat": [ref.chat for ref in refs], "ref": [ref.id for ref in refs], "moment": now}
        async with self._database.autocommit() as session:
            found = await session.execute(_RECEIVED, told)
            stored = {post for post, _ in found}
        return [one.item.id in stored for one in receipts]

    async def postpone(self, item: OutboxItem, until: datetime, problem: str) -> None:
        still = update(_ROW).where(_ROW.id == item.id, _pending(_ROW))
        async with self._database.transaction() as session:
            await session.execute(_announced(still.values(not_before=until, leased_until=None, problem=problem)))

    async def reserve(self, item: OutboxItem, until: datetime) -> None:
        untried = update(_ROW).where(_ROW.id == item.id, _pending(_ROW))
        untried = untried.values(not_before=until, leased_until=None, attempts=_ROW.attempts - 1)
        async with self._database.transaction() as session:
            await session.execute(untried.execution_options(synchronize_session=False))

    async def give_up(
        self,
        item: OutboxItem,
        problem: str,
        now: datetime,
        posts: Sequence[Post] = (),
        decision: Decision | None = None,
    ) -> None:
        async with self._database.transaction() as session:
            await delivery_failures.give_up(session, item, problem, now, posts, decision)

    async def add(self, posts: Sequence[Post], now: datetime) -> None:
        async with self._database.transaction() as session:
            await enqueue(session, None, posts, now)
            await announce(session, Change.OWED)


def _pending(row: type[PostRow]) -> ColumnElement[bool]:
    return and_(row.said_at.is_(None), row.given_up_at.is_(None))


def _announced(change: Update) -> ReturningUpdate[int | None, object]:
    """The change, announced to every process; returns the post's conversation if a row was changed."""
    told = change.returning(_ROW.conversation_id, announcement(Change.OWED))
    return told.execution_options(synchronize_session=False)


def _received() -> ReturningUpdate[Any]:
    """Store receipts of posts that nobody else has locked: a locked one must not hold up the others."""
    told = arrays(post=BigInteger(), in_chat=Name(), ref=Name())
    unsaid = (
        select(_ROW.id, told.c.in_chat, told.c.ref).join(told, told.c.post == _ROW.id).where(_ROW.said_at.is_(None))
    )
    mine = unsaid.order_by(_ROW.id).with_for_update(skip_locked=True, of=_ROW).cte("mine")
    those = plain("mine", in_chat=Name(), ref=Name())
    said = update(_POSTS).add_cte(mine).where(_POSTS.c.id == those.c.id)
    said = said.values(receipt_chat=those.c.in_chat, receipt_id=those.c.ref)
    # It was said, even if it was given up meanwhile
    said = said.values(said_at=bindparam("moment"), leased_until=None, given_up_at=None, problem=None)
    return said.returning(_POSTS.c.id, announcement(Change.OWED))


_RECEIVED = _received()
"""Built once, so that it is compiled once."""


def _heads() -> CTE:
    """The oldest pending post of each conversation and chat; posts of no conversation queue by chat alone.

    Read in one pass along the index. Looking for an older waiting post for each post costs one look-up for each, or,
    where no index serves, compares each with each: with ten thousand posts waiting for one chat nothing would be said.
    """
    line = (func.coalesce(_ROW.conversation_id, literal_column("0", BigInteger)), _ROW.platform, _ROW.chat)
    oldest = (
        select(_ROW.id).where(_pending(_ROW), OF_ANY_LINE, _may_go()).ext(distinct_on(*line)).order_by(*line, _ROW.id)
    )
    return oldest.cte("heads").prefix_with("MATERIALIZED", dialect="postgresql")


def _may_go() -> ColumnElement[bool]:
    """Whether the post's conversation is not on hold, or the post is for somebody else than its person."""
    on_hold = select(ConversationRow.id).where(ConversationRow.on_hold)
    return or_(_ROW.kind.not_in(HELD_BACK), _ROW.conversation_id.is_(None), _ROW.conversation_id.not_in(on_hold))


def due() -> Select[int]:
    """The first post of each queue that may be said `now` on these `platforms`, except in chats that are `busy`."""
    heads, now, names = _heads(), bindparam("now", type_=_ROW.not_before.type), ARRAY(Name())
    said = select(_TARGET.id).where(_TARGET.id == _ROW.edits, _TARGET.said_at.is_not(None))
    still = func.coalesce(_ROW.said_at, _ROW.given_up_at).is_(
        None
    )  # pending, told so that only `_heads` uses its index
    rewritable = said.correlate(_ROW).offset(literal_column("0")).exists()  # looked up, not all that was ever said
    return (
        select(_ROW.id)
        .join(heads, heads.c.id == _ROW.id)
        .where(_ROW.platform == func.any(bindparam("platforms", type_=names)), still)
        .where(due_by_clock(_ROW.not_before, _ROW.owed_at, now))
        .where(or_(_ROW.leased_until.is_(None), ~holds(_ROW.leased_until, now)))
        .where(or_(_ROW.edits.is_(None), rewritable), _ROW.chat != func.all(bindparam("busy", type_=names)))
        .where(~backs_off("deliver", _ROW.id, now))
        .order_by(_ROW.id)
        .with_for_update(skip_locked=True, of=_ROW)
    )


def _claimed() -> ReturningUpdate[Any]:
    """The due posts, claimed up to the moment `until`: rows of the table, see `db.tables.read`."""
    found, until = (
        due().limit(bindparam("limit", type_=Integer())).cte("due"),
        bindparam("until", type_=_ROW.owed_at.type),
    )
    held = (
        update(_POSTS)
        .add_cte(found)
        .where(_POSTS.c.id == plain("due").c.id)
        .values(leased_until=until, attempts=_POSTS.c.attempts + 1)
    )
    held = held.values(claimed_by=bindparam("who", type_=BigInteger()))
    return held.returning(*_POSTS.c, forgettable())


_CLAIMED = _claimed()
"""Built once: building it for every claim cost more processor time than the rest of the claim."""


def _key(row: PostRow) -> ItemKey:
    return ItemKey("deliver", str(row.id), row.conversation_id)


async def _read(session: AsyncSession, rows: Sequence[PostRow]) -> list[OutboxItem]:
    says = {row.id: content(row) for row in rows}
    receipts, cards = await _receipts(session, rows), await _cards(session, rows, says)
    rewritten = [row.conversation_id for row in rows if row.edits is not None and row.kind in _CONTINUED]
    behind = await continuations(session, [of for of in rewritten if of is not None])
    return [_owed(row, says[row.id], receipts, cards, behind) for row in rows]


async def _receipts(session: AsyncSession, rows: Sequence[PostRow]) -> dict[int, MessageRef]:
    """Receipts of the posts that these posts rewrite or belong under, by post."""
    wanted = {target for row in rows for target in (row.edits, row.under) if target is not None}
    if not wanted:
        return {}
    found = select(_ROW.id, _ROW.platform, _ROW.receipt_chat, _ROW.receipt_id)
    said = await session.execute(found.where(_ROW.id.in_(wanted), _ROW.said_at.is_not(None)))
    return {of: MessageRef(platform, chat, ref) for of, platform, chat, ref in said if chat is not None and ref}


async def _cards(session: AsyncSession, rows: Sequence[PostRow], says: Mapping[int, Content]) -> dict[int, Post]:
    """The cards that these posts belong under or replace, in their newest wording, by post."""
    wanted = [card for row in rows if (card := _card(row, says[row.id])) is not None]
    if not wanted:
        return {}
    said = await wordings(session, wanted)
    found = await session.scalars(select(_ROW).where(_ROW.id.in_(said)))
    return {row.id: post(row, said[row.id]) for row in found}


def _card(row: PostRow, says: Content) -> int | None:
    return says.replaces if isinstance(says, Card) and row.edits is None else row.under


async def _up_to_date(session: AsyncSession, posts: Sequence[Post]) -> list[Post]:
    """The posts; one that links a card to the next gets the card's current wording: words may have been taken back."""
    says = await wordings(session, [post.edits for post in posts if post.edits is not None])
    return [replace(post, content=_linked(post.content, says.get(post.edits or 0))) for post in posts]


def _linked(wanted: Content, says: Content | None) -> Content:
    if isinstance(wanted, Card) and isinstance(says, Card):
        return replace(says, moved_to=wanted.moved_to, moved_link=wanted.moved_link)
    return wanted


def _owed(
    row: PostRow,
    says: Content,
    receipts: Mapping[int, MessageRef],
    cards: Mapping[int, Post],
    behind: Mapping[int, _Continued],
) -> OutboxItem:
    return OutboxItem(
        id=row.id,
        post=post(row, says),
        attempt=row.attempts,
        edits=None if row.edits is None else receipts.get(row.edits),
        under=None if row.under is None else receipts.get(row.under),
        card=None if (card := _card(row, says)) is None else cards.get(card),
        continued=behind.get(row.edits or 0, ()),
        conversation=row.conversation_id,
    )


_: type[Outbox] = PostgresOutbox
