"""The leads' cards of candidates in the shadow, and how leads ruled on them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.ledger import Change
from bot.domain.posts import Post
from bot.domain.report_posts import ShadowCard, ShadowExplanation
from bot.domain.shadow_card import Ruling, ShadowCards, ShadowPress, StandingShadowCard
from db.conversations.failures import backs_off
from db.conversations.pointer import check_may_serve, known_adapter, move
from db.conversations.targets import on
from db.engine import Database, announce
from db.posts.enqueue import enqueue
from db.posts.latest import wordings
from db.reading import mappers
from db.reading.serving import lock_registry
from db.reading.shadow import in_shadow
from db.tables import AdapterRow, PostRow, PressRow, ShadowCardRow, ShadowRulingRow

_DECIDES = (Ruling.PROMOTE, Ruling.KEEP)
STEP = "shadow_press"
"""The step's name among failed items."""


class PostgresShadowCards:
    """Shadow cards in PostgreSQL."""

    def __init__(self, database: Database, base: str) -> None:
        self._database = database
        self._base = base

    async def standing(self, task: str) -> Sequence[StandingShadowCard]:
        mine = _cards().where(ShadowCardRow.task == task, ShadowCardRow.open)
        async with self._database.transaction() as session:
            return await _read(session, mine)

    async def tell(self, task: str, adapter: str, posts: Sequence[Post], now: datetime) -> bool:
        of_it = ShadowCardRow.task == task, ShadowCardRow.adapter == adapter
        async with self._database.transaction() as session:
            await lock_registry(session, task)
            if (await session.execute(select(exists().where(*of_it)))).scalar_one():
                return False
            if await in_shadow(session, task) != adapter:
                return False
            made = [post for post in await enqueue(session, None, posts, now) if post is not None]
            rows = [{"post_id": post, "task": task, "adapter": adapter} for post in made]
            await session.execute(insert(ShadowCardRow).values(rows))
            await announce(session, Change.OWED)
            return True

    async def renew(self, task: str, posts: Sequence[Post], now: datetime) -> None:
        async with self._database.transaction() as session:
            await lock_registry(session, task)
            await _rewrite(session, await _still_news(session, posts), now)

    async def claim_presses(self, now: datetime, limit: int) -> Sequence[ShadowPress]:
        waiting = (
            select(PressRow, PostRow.id)
            .join(PostRow, on(PressRow))
            .join(ShadowCardRow, ShadowCardRow.post_id == PostRow.id)
            .where(PressRow.concluded_at.is_(None), ~backs_off(STEP, PressRow.id, now))
            .order_by(PressRow.at, PressRow.id)
            .limit(limit)
        )
        async with self._database.transaction() as session:
            found = (await session.execute(waiting)).all()
            return [await self._pressed(session, row, post, now) for row, post in found]

    async def _pressed(self, session: AsyncSession, row: PressRow, post: int, now: datetime) -> ShadowPress:
        [pressed] = await _read(session, _cards().where(PostRow.id == post))
        of_it = ShadowCardRow.task == pressed.card.task, ShadowCardRow.adapter == pressed.card.adapter
        return ShadowPress(
            id=row.id,
            press=mappers.press(row),
            on=pressed,
            cards=tuple(await _read(session, _cards().where(*of_it))),
            in_shadow=await self._may_serve(session, pressed.card),
        )

    async def _may_serve(self, session: AsyncSession, card: ShadowCard) -> bool:
        adapter = await session.get(AdapterRow, (card.task, card.adapter))
        fits = adapter is not None and adapter.base == self._base
        return fits and await in_shadow(session, card.task) == card.adapter

    async def conclude(self, pressed: ShadowPress, ruling: Ruling, posts: Sequence[Post], now: datetime) -> bool:
        card, actor = pressed.on.card, pressed.press.actor
        async with self._database.transaction() as session:
            await lock_registry(session, card.task)
            if ruling in _DECIDES and await in_shadow(session, card.task) != card.adapter:
                return False
            fresh = update(PressRow).where(PressRow.id == pressed.id, PressRow.concluded_at.is_(None))
            done = fresh.values(concluded_at=now).returning(PressRow.id)
            if (await session.execute(done)).first() is None:
                return True
            if ruling is Ruling.PROMOTE:
                check_may_serve(await known_adapter(session, card.task, card.adapter), self._base, now)
                await move(session, card.task, card.adapter, actor.key, _why(pressed.on.card), now)
            said = {"ruling": ruling, "wanted": pressed.press.value, "actor": actor.key, "at": now}
            await session.execute(insert(ShadowRulingRow).values(task=card.task, adapter=card.adapter, **said))
            # What the press was judged by may be older than another lead's press
            await _rewrite(session, await _still_news(session, posts), now)
            return True


def _why(card: ShadowCard) -> str:
    return (
        f"chosen from the shadow, where it would have routed {card.differently} of {card.heard} differently; "
        f"leads agreed with it on {card.agreed}"
    )


def _cards() -> Select[PostRow]:
    return select(PostRow).join(ShadowCardRow, ShadowCardRow.post_id == PostRow.id).order_by(PostRow.id)


async def _read(session: AsyncSession, wanted: Select[PostRow]) -> list[StandingShadowCard]:
    rows = (await session.scalars(wanted)).all()
    says = await wordings(session, [row.id for row in rows])
    return [
        StandingShadowCard(row.id, mappers.place(row), card)
        for row in rows
        if isinstance(card := says.get(row.id), ShadowCard)
    ]


async def _still_news(session: AsyncSession, posts: Sequence[Post]) -> list[Post]:
    """The posts without rewordings of cards that say already what became of their candidate, and without explanations
    where one stands."""
    open_ones = set(await session.scalars(select(ShadowCardRow.post_id).where(ShadowCardRow.open)))
    under = [post.under for post in posts if isinstance(post.content, ShadowExplanation)]
    told = select(PostRow.under).where(PostRow.under.in_(under), PostRow.kind == ShadowExplanation.__name__)
    explained = set(await session.scalars(told)) if under else set()
    return [
        post
        for post in posts
        if (post.edits in open_ones or not isinstance(post.content, ShadowCard))
        and (post.under not in explained or not isinstance(post.content, ShadowExplanation))
    ]


async def _rewrite(session: AsyncSession, posts: Sequence[Post], now: datetime) -> None:
    """Owe the posts; a card that says what became of its candidate is no longer open."""
    over = [post.edits for post in posts if isinstance(post.content, ShadowCard) and post.content.decided]
    if over:
        closed = update(ShadowCardRow).where(ShadowCardRow.post_id.in_(over)).values(open=False)
        await session.execute(closed.execution_options(synchronize_session=False))
    if posts:
        await enqueue(session, None, posts, now)
        await announce(session, Change.OWED)


_: type[ShadowCards] = PostgresShadowCards
