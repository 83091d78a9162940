"""The claims of a killed process are free within seconds; those of a living one never are."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.domain.posts import Answer, Post
from db.engine import Database, open_database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.processes import PostgresProcesses
from tests.integration.db.scenes import JOINING, PATIENCE, ROOM, SETTLE, after, message
from tests.waiting import until

_CLAIMS_ALL = """
import asyncio, sys
from db.engine import open_database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.processes import PostgresProcesses
from tests.integration.db.scenes import PATIENCE, SETTLE, after

async def main():
    async with open_database(sys.argv[1]) as database:
        async with PostgresProcesses(database, lambda: after(5)).living():
            while database.known_as is None:
                await asyncio.sleep(0.01)
            talks = await PostgresLedger(database, "tiny").claim_undecided(after(5), SETTLE, PATIENCE, 10)
            posts = await PostgresOutbox(database).claim_due(["slack"], after(5), 10)
            print(len(talks), len(posts), flush=True)
            await asyncio.sleep(600)

asyncio.run(main())
"""


@asynccontextmanager
async def at_work(url: str) -> AsyncIterator[Process]:
    """A process that has claimed all items and is working on them."""
    process = await asyncio.create_subprocess_exec(
        *("env", f"PYTHONPATH={Path.cwd()}", sys.executable, "-c", _CLAIMS_ALL, url), stdout=PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(120):  # a process that imports everything, on a machine that may be busy
            assert await process.stdout.readline() == b"1 1\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture(autouse=True)
async def waits(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    """Add a conversation to decide, and a post to send."""
    await ledger.add_message(message("m1"), JOINING)
    await outbox.add([Post(ROOM, Answer("billing", "en"))], after(0))


async def free(database: Database, seconds: float = 6) -> tuple[int, int]:
    """Claim what can be claimed; return how many conversations and posts."""
    talks = await PostgresLedger(database, "tiny").claim_undecided(after(seconds), SETTLE, PATIENCE, 10)
    return len(talks), len(await PostgresOutbox(database).claim_due(["slack"], after(seconds), 10))


async def test_what_a_killed_process_had_claimed_is_free_again_long_before_its_claims_expire(
    database: Database, database_url: str
) -> None:
    others = PostgresProcesses(database, lambda: after(6), missing_for=0.0)
    async with at_work(database_url) as process:
        assert [await others.free_dead() for _ in range(3)] == [0, 0, 0]
        assert await free(database) == (0, 0), "whoever lives keeps it"
        process.kill()
        await process.wait()
        async with asyncio.timeout(10):
            while await others.free_dead() == 0:  # noqa: ASYNC110  another process ends
                await asyncio.sleep(0.02)
    assert await free(database) == (1, 1)
    assert await others.free_dead() == 0, "once"


async def test_a_lock_that_is_free_for_a_moment_is_no_death(database: Database, database_url: str) -> None:
    patient = PostgresProcesses(database, lambda: after(6), missing_for=60.0)
    async with at_work(database_url) as process:
        process.kill()
        await process.wait()
        assert [await patient.free_dead() for _ in range(3)] == [0, 0, 0]
    assert await free(database) == (0, 0)
    assert await free(database, seconds=66) == (1, 1), "without anybody who looks the claim still ends"


async def test_whoever_loses_its_connection_is_known_again_and_keeps_its_work(
    database: Database, database_url: str
) -> None:
    async with open_database(database_url) as mine, PostgresProcesses(mine, lambda: after(5)).living():
        await until(lambda: mine.known_as is not None)
        assert await free(mine, seconds=5) == (1, 1)
        async with database.transaction() as session:
            await session.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '% waits'")
            )
        await until(lambda: mine.known_as is None)
        await until(lambda: mine.known_as is not None)
        at_once = PostgresProcesses(database, lambda: after(6), missing_for=0.0)
        assert await at_once.free_dead() == 0
        assert await free(database) == (0, 0)


async def test_whoever_ends_leaves_nothing_claimed(database: Database, database_url: str) -> None:
    async with open_database(database_url) as mine:
        async with PostgresProcesses(mine, lambda: after(5)).living():
            await until(lambda: mine.known_as is not None)
            assert await free(mine, seconds=5) == (1, 1)
        assert await free(database) == (1, 1)
        async with database.transaction() as session:
            assert (await session.execute(text("SELECT count(*) FROM processes"))).scalar_one() == 0
