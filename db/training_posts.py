"""The posts in leads' rooms about a training that is running."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from bot.domain.learning import Cycle
from bot.domain.ledger import Change
from bot.domain.messages import Place
from bot.domain.posts import Content, Post
from bot.domain.training_progress import TrainingPosts
from db.engine import Database, announce
from db.posts.cycle_posts import enqueue_of_cycle, posts_of
from db.posts.latest import wordings
from db.tables import CycleRow


class PostgresTrainingPosts:
    """The `training_progress.TrainingPosts` port in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def told(self, cycle: int) -> Mapping[Place, Content]:
        async with self._database.transaction() as session:
            posts = await posts_of(session, cycle)
            says = await wordings(session, list(posts.values()))
        return {place: says[post] for place, post in posts.items()}

    async def tell(self, cycle: Cycle, posts: Sequence[Post], now: datetime) -> None:
        async with self._database.transaction() as session:
            # Locked: neither another process nor the verdict may come in between
            phase = select(CycleRow.phase).where(CycleRow.id == cycle.id).with_for_update()
            if await session.scalar(phase) == cycle.phase:
                await enqueue_of_cycle(session, cycle.id, posts, now)
                await announce(session, Change.OWED)


_: type[TrainingPosts] = PostgresTrainingPosts
