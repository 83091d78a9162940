"""Behind a pooler that assigns a server for one transaction only, all works; missed notifications are polled for."""

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.domain.errors import Unreachable, UsageError
from bot.domain.ledger import Change
from db.engine import Database, open_database
from db.ledger import PostgresLedger
from db.migrate import upgrade
from db.registry import PostgresRegistry
from db.server.backup import dump, restore
from db.server.probe import probed
from tests.integration.db.scenes import JOINING, after, message, routed
from tests.postgres import until_a_lock_is_waited_for
from tests.postgres_servers import PGBOUNCER, Server, pgbouncer, postgres

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed here")


@pytest.fixture(scope="module")
def direct() -> Iterator[Server]:
    with postgres() as server:
        yield server


@pytest.fixture(scope="module", params=["transaction", "session"])
def pooled(direct: Server, request: pytest.FixtureRequest) -> Iterator[Server]:
    with pgbouncer(direct, mode=request.param) as pooler:
        yield pooler


@pytest.fixture
def url(direct: Server, pooled: Server) -> str:
    direct.does("DROP DATABASE IF EXISTS shop WITH (FORCE)", "CREATE DATABASE shop")
    return pooled.url(name="shop")


async def test_everything_works_and_a_pooler_is_recognised(url: str) -> None:
    upgrade(url)
    async with open_database(url) as database:
        assert await database.pooled()
        ledger = PostgresLedger(database, "tiny")
        await routed(ledger)
        # More often than the driver waits before it prepares a statement, on more connections than there are servers
        await asyncio.gather(*(ledger.add_message(message(f"m{n + 2}"), JOINING) for n in range(40)))
        async with database.transaction() as session:
            assert await session.scalar(text("SELECT count(*) FROM messages")) == 41
            assert await session.scalar(text("SHOW statement_timeout")) == "15s"
            assert await session.scalar(text("SHOW timezone")) == "UTC"


async def test_nothing_is_left_in_the_servers_that_others_get(url: str) -> None:
    upgrade(url)
    async with open_database(url) as database:
        await database.ping()
        connection = await database.dedicated()
        try:
            shown = [await (await connection.execute("SHOW statement_timeout")).fetchone() for _ in range(10)]
        finally:
            await connection.close()
    assert set(shown) == {("0",)}


async def test_one_learns_at_a_time_and_the_lock_goes_with_its_holder(url: str) -> None:
    upgrade(url)
    async with open_database(url) as one, open_database(url) as two:
        first, second = PostgresRegistry(one), PostgresRegistry(two)
        await first.request_cycle("routing", "command", "now", after(0))
        async with first.claim_cycle(after(1)) as held:
            assert held is not None
            for _ in range(8):
                async with second.claim_cycle(after(2)) as refused:
                    assert refused is None
        async with asyncio.timeout(10):
            while True:
                async with second.claim_cycle(after(3)) as taken:
                    if taken is not None:
                        break
                await asyncio.sleep(0.05)


async def test_a_turn_is_waited_for(url: str, direct: Server) -> None:
    upgrade(url)
    async with open_database(url) as one, open_database(url) as two:
        entered = asyncio.Event()

        async def enter() -> None:
            async with PostgresLedger(two, "tiny").alone("polling"):
                entered.set()

        async with PostgresLedger(one, "tiny").alone("polling"):
            waiting = asyncio.create_task(enter())
            await until_a_lock_is_waited_for(direct.url(name="shop"))
            assert not entered.is_set()
        await asyncio.wait_for(waiting, 10)


async def test_what_cannot_be_heard_is_looked_for(url: str) -> None:
    upgrade(url)
    async with open_database(url) as database, PostgresLedger(database, "tiny").changes() as changes:
        async with asyncio.timeout(10):
            assert [await anext(changes) for _ in range(2)] == [set(Change)] * 2


async def test_the_url_may_say_that_there_is_one(direct: Server) -> None:
    direct.does("DROP DATABASE IF EXISTS told WITH (FORCE)", "CREATE DATABASE told")
    for key in ("prepare_threshold=0", "pgbouncer=true"):
        async with open_database(direct.url(name=f"told?{key}")) as database:
            assert await database.pooled()
    async with open_database(direct.url(name="told")) as database:
        assert not await database.pooled()


async def test_a_check_opens_what_a_run_opens_and_says_that_a_pooler_is_in_front(url: str, direct: Server) -> None:
    upgrade(url)
    async with open_database(url) as database:
        found = [works async for works in probed(database)]
    assert found[1] == "a pooler is in front: what changed is looked for twice a second"
    async with open_database(direct.url(name="shop")) as database:
        found = [works async for works in probed(database)]
    assert found[0].startswith(f"shop at 127.0.0.1:{direct.port} as postgres answers (PostgreSQL 18")
    assert found[1:] == ["what changed is heard at once", "one process at a time can learn"]


async def test_a_pooler_that_was_not_recognised_shows_in_a_check(
    url: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """A pooler that passes on the server's own number: it can be recognised only by missing notifications."""
    upgrade(url)
    monkeypatch.setattr("db.server.probe._HEARING_SECONDS", 1.0)

    async def direct(_: Database) -> bool:
        return False

    monkeypatch.setattr(Database, "pooled", direct)
    deaf = request.node.callspec.params["pooled"] == "transaction"
    async with open_database(url) as database:
        found: list[str] = []
        with pytest.raises(Unreachable, match="prepare_threshold=0") if deaf else nullcontext():
            found += [works async for works in probed(database)]
    assert ("what changed is heard at once" in found) is not deaf


def test_a_backup_wants_the_server_itself(url: str, direct: Server, tmp_path: Path) -> None:
    upgrade(url)
    with pytest.raises(UsageError, match="a pooler is in front"):
        dump(url, tmp_path / "backup")
    dump(direct.url(name="shop"), tmp_path / "backup")
    with pytest.raises(UsageError, match="a pooler is in front"):
        restore(url, tmp_path / "backup")
    restore(direct.url(name="shop"), tmp_path / "backup")
