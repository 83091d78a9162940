"""Adding posts to the outbox: finds where they belong by now, and drops what they make superfluous."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.posts import ON_THE_CARD, Post
from db.posts.latest import standing_cards
from db.reading import mappers
from db.reading.codec import encode, encode_person
from db.tables import MovedChatRow, PostRow

_POSTS = cast(Table, PostRow.__table__)
_AFTER = select(MovedChatRow.after).where(
    MovedChatRow.platform == bindparam("to_platform"), MovedChatRow.before == bindparam("to_chat")
)
_INSERT = (
    insert(_POSTS)
    .values(
        platform=bindparam("to_platform"),
        chat=func.coalesce(_AFTER.scalar_subquery(), bindparam("to_chat", type_=_POSTS.c.chat.type)),
        attempts=0,
    )
    .returning(_POSTS.c.id, sort_by_parameter_order=True)
)
"""Inserts into the chat under its current id; built once, so that it is compiled once."""


@dataclass(frozen=True, slots=True)
class Owed:
    """Posts of one conversation, or of none."""

    conversation_id: int | None
    posts: Sequence[Post]
    at: datetime


async def enqueue(
    session: AsyncSession, conversation_id: int | None, posts: Sequence[Post], at: datetime
) -> list[int | None]:
    """Add posts to the outbox in order; return their ids. None: the post is not owed, for there is nowhere to say
    it."""
    if not any(_depends(post) for post in posts):
        return list(await _insert(session, [Owed(conversation_id, posts, at)]))
    ids: list[int | None] = []
    for post in posts:
        placed = await _placed(session, conversation_id, post, at)
        ids += [None] if placed is None else await _insert(session, [Owed(conversation_id, [placed], at)])
    return ids


async def enqueue_all(session: AsyncSession, owed: Sequence[Owed]) -> None:
    """Add posts of many conversations to the outbox: together, except those that depend on what is stored."""
    await _insert(session, [one for one in owed if not any(map(_depends, one.posts))])
    for one in owed:
        if any(map(_depends, one.posts)):
            await enqueue(session, one.conversation_id, one.posts, one.at)


def _depends(post: Post) -> bool:
    """Whether it must be looked up where the post belongs, or which wordings it replaces."""
    return post.edits is not None or post.place == ON_THE_CARD


async def _insert(session: AsyncSession, owed: Sequence[Owed]) -> list[int]:
    rows = [_values(one.conversation_id, post, one.at) for one in owed for post in one.posts]
    if not rows:
        return []
    return [int(post) for post in (await session.execute(_INSERT, rows)).scalars()]


def _values(conversation_id: int | None, post: Post, at: datetime) -> dict[str, object]:
    kind, stored = encode(post.content)
    return {
        "conversation_id": conversation_id,
        "to_platform": post.place.platform,
        "to_chat": post.place.chat,
        "thread": post.place.thread,
        "kind": kind,
        "content": stored,
        "edits": post.edits,
        "under": post.under,
        "only_for": None if post.only_for is None else encode_person(post.only_for),
        "answers_chat": None if post.answers is None else post.answers.chat,
        "answers_id": None if post.answers is None else post.answers.id,
        "owed_at": at,
        "not_before": at,
    }


async def _placed(session: AsyncSession, conversation_id: int | None, post: Post, at: datetime) -> Post | None:
    """The post with its place filled in; None when it can never be said."""
    if post.edits is not None:
        return await _rewriting(session, post, post.edits, at)
    if post.place != ON_THE_CARD:
        return post
    cards = await standing_cards(session, [] if conversation_id is None else [conversation_id])
    card = cards.get(conversation_id or 0)
    return None if card is None else replace(post, place=card.place, under=card.post)


async def _rewriting(session: AsyncSession, post: Post, edits: int, at: datetime) -> Post | None:
    # Locked, so that it cannot be given up between this look and our commit: a rewording would outlive its post
    target = await session.scalar(select(PostRow).where(PostRow.id == edits).with_for_update(read=True))
    if target is None or target.given_up_at is not None:
        return None
    await _supersede(session, edits, at)
    if post.place != ON_THE_CARD:
        return post
    return replace(post, place=mappers.place(target))


async def _supersede(session: AsyncSession, edits: int, at: datetime) -> None:
    """Delete older wordings of the post that still wait, so that only the newest is said; one on its way is left
    alone."""
    waiting = delete(PostRow).where(
        PostRow.edits == edits,
        PostRow.said_at.is_(None),
        PostRow.given_up_at.is_(None),
        or_(PostRow.leased_until.is_(None), PostRow.leased_until <= at),
    )
    await session.execute(waiting.execution_options(synchronize_session=False))
