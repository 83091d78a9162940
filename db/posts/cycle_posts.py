"""The posts about a learning cycle in the leads' rooms: one in each room, rewritten by later news of the cycle."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.messages import Place
from bot.domain.posts import Post
from db.posts.enqueue import enqueue
from db.reading import mappers
from db.tables import CyclePostRow, PostRow


async def posts_of(session: AsyncSession, cycle: int) -> dict[Place, int]:
    """The rooms that have a post about the cycle, with that post; posts that were given up do not count."""
    mine = select(PostRow).join(CyclePostRow, CyclePostRow.post_id == PostRow.id)
    rows = await session.scalars(mine.where(CyclePostRow.cycle_id == cycle, PostRow.given_up_at.is_(None)))
    return {mappers.place(row): row.id for row in rows}


async def enqueue_of_cycle(session: AsyncSession, cycle: int, posts: Sequence[Post], now: datetime) -> None:
    """Owe the posts; one for a room that has a post about the cycle already rewrites that post."""
    known = await posts_of(session, cycle)
    owed = await enqueue(session, None, [replace(post, edits=known.get(post.place)) for post in posts], now)
    new = [{"cycle_id": cycle, "post_id": id} for id, post in zip(owed, posts, strict=True) if post.place not in known]
    if new:
        await session.execute(insert(CyclePostRow).values([row for row in new if row["post_id"] is not None]))
