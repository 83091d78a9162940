"""A post that waits for its turn on one platform delays nothing on the other; both real clients and their limits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from sqlalchemy import select

from bot.domain.ports import Platform
from bot.flow.deliver import Deliverer
from bot.flow.worker_pool import WorkerPool
from bot.lifecycle import Wakeup
from db.outbox import PostgresOutbox
from db.tables import PostRow
from tests.integration.platforms.slack.parts import BILLING
from tests.integration.platforms.test_two_platforms import TASK, Company, company
from tests.servers.telegram import User as Customer
from tests.waiting import until

__all__ = ["company"]

CUSTOMERS = range(500, 520)


def now() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)  # the story's clock is ahead


@asynccontextmanager
async def delivering(company: Company) -> AsyncIterator[None]:
    """The workers of both platforms, as in a real run."""
    story = company.story
    platforms: dict[str, Platform] = {chat.name: chat for chat in story.chats}
    outbox = PostgresOutbox(story.database)
    steps = [Deliverer(TASK, outbox, story.ledger, platforms, now, to=name) for name in platforms]
    pools = [WorkerPool(step, story.failures, now, Wakeup()) for step in steps]
    running = [asyncio.create_task(pool.run(at_most=0.05)) for pool in pools]
    yield
    for task in running:
        task.cancel()
    await asyncio.wait(running)


async def test_twenty_cards_in_one_slack_channel_delay_no_answer_in_telegram(company: Company) -> None:
    for user in CUSTOMERS:
        company.telegram.add_user(Customer(id=user, first_name=f"Ann {user}"))
        await company.telegram.writes(user, "I was charged twice")
    await company.telegram.until(lambda: not company.telegram.feed.pending)
    company.story.time = datetime.now(UTC) + timedelta(seconds=10)
    assert await company.story.sorter.step() == len(CUSTOMERS)
    async with delivering(company):
        await until(lambda: all(company.telegram.posts(user) for user in CUSTOMERS))
        assert len(company.slack.posts(BILLING)) < len(CUSTOMERS), "Slack's turn comes once a second"
        await until(lambda: len(company.slack.posts(BILLING)) >= 8, seconds=20)
    async with company.story.database.transaction() as session:
        rows = (await session.scalars(select(PostRow))).all()
    assert len(rows) == 2 * len(CUSTOMERS)
    assert {row.attempts for row in rows if row.said_at is not None} == {1}
    waiting = [row for row in rows if row.said_at is None and row.leased_until is None]
    assert waiting and {row.attempts for row in waiting} == {0}, "waiting for a turn is no attempt"
    turns = sorted(row.not_before for row in waiting)
    assert all(later - earlier > timedelta(seconds=0.5) for earlier, later in pairwise(turns))
