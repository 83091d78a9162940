"""The database reports troubles by what callers can do about them, announces changes, and counts its work."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import func, insert, select, text

from bot.domain.errors import Refused, Unreachable
from bot.domain.ledger import Change
from db.connection_url import parsed
from db.engine import CHANNEL, Database, announce, open_database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.queries import PostgresQueries
from db.tables import MessageRow
from tests.integration.db.scenes import JOINING, PATIENCE, SETTLE, after, message, routed, say_all
from tests.postgres import until_a_lock_is_waited_for
from tests.postgres_servers import PASSWORD, free_port, postgres


async def test_an_open_database_answers(database: Database) -> None:
    await database.ping()


async def test_a_database_that_is_not_there_is_unreachable() -> None:
    async with open_database("postgresql://nobody@127.0.0.1:1/nothing") as nowhere:
        with pytest.raises(Unreachable):
            await nowhere.ping()
        with pytest.raises(Unreachable):
            async with PostgresLedger(nowhere, "tiny").changes():
                pass


async def test_an_outage_is_said_once_by_the_name_of_the_database_and_once_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = free_port()
    returns: list[bool] = []
    async with open_database(f"postgresql://postgres:{PASSWORD}@127.0.0.1:{port}/postgres") as database:
        database.on_return = lambda: returns.append(True)
        for _ in range(5):
            with pytest.raises(Unreachable):
                await database.ping()
        with postgres(port=port):
            for _ in range(5):
                await database.ping()
            assert [r.message for r in caplog.records] == ["database out of reach", "database answers again"]
            assert returns == [True]
    began, over = caplog.records
    assert began.__dict__["problem"].startswith(f"database postgres at 127.0.0.1:{port} as postgres: nobody listens")
    assert over.__dict__["database"] == f"postgres at 127.0.0.1:{port} as postgres"
    assert began.exc_info is None
    assert PASSWORD not in caplog.text


async def test_a_turn_belongs_to_one_process_at_a_time(database: Database, database_url: str) -> None:
    async with open_database(database_url) as elsewhere:
        ours, theirs = PostgresLedger(database, "tiny"), PostgresLedger(elsewhere, "tiny")
        entered = asyncio.Event()

        async def enter() -> None:
            async with theirs.alone("polling"):
                entered.set()

        async with ours.alone("polling"), ours.alone("something else"):
            waiting = asyncio.create_task(enter())
            await until_a_lock_is_waited_for(database_url)
            assert not entered.is_set()
        await asyncio.wait_for(waiting, 10)
        assert entered.is_set()


async def test_a_turn_is_over_when_its_block_ends_though_the_server_notices_closed_connections_late(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, close = [], psycopg.AsyncConnection.close

    async def closes_late(connection: psycopg.AsyncConnection) -> None:
        async with open_database(database_url) as elsewhere:
            monkeypatch.setattr(psycopg.AsyncConnection, "close", close)
            async with elsewhere.locked("turn", wait=False) as held:
                free.append(held)
        await close(connection)

    async with database.locked("turn", wait=True):
        monkeypatch.setattr(psycopg.AsyncConnection, "close", closes_late)
    assert free == [True]


async def test_lost_connections_heal(database: Database, database_url: str) -> None:
    await database.ping()
    await asyncio.to_thread(_cut_everybody, database_url)
    await database.ping()


async def test_a_connection_that_nobody_used_for_long_is_asked_whether_it_lives(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.server.pool_health._TRUSTED", 0.0)
    backend = select(func.pg_backend_pid())
    async with database.transaction() as session:
        before = await session.scalar(backend)
    async with database.transaction() as session:
        assert await session.scalar(backend) == before
    await asyncio.to_thread(_cut_everybody, database_url)
    async with database.transaction() as session:
        assert await session.scalar(backend) != before


async def test_an_error_never_quotes_what_people_wrote(database: Database) -> None:
    broken = insert(MessageRow).values(platform="p", chat="c", text="my secret")
    with pytest.raises(Refused) as caught:
        async with database.transaction() as session:
            await session.execute(broken)
    assert str(caught.value) == "database: NotNullViolation messages conversation_id"


async def test_a_statement_that_takes_too_long_is_unreachable(database: Database) -> None:
    with pytest.raises(Unreachable, match="QueryCanceled"):
        await _dawdle(database)


async def _dawdle(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("SET LOCAL statement_timeout = 50"))
        await session.execute(text("SELECT pg_sleep(5)"))


async def _heard(changes: AsyncIterator[frozenset[Change]]) -> bool:
    try:
        async with asyncio.timeout(5):
            await anext(changes)
    except TimeoutError:
        return False
    return True


async def test_changes_are_heard_from_another_process(ledger: PostgresLedger, database_url: str) -> None:
    async with open_database(database_url) as second, PostgresLedger(second, "tiny").changes() as changes:
        for number in range(3):
            await ledger.add_message(message(f"m{number}"), JOINING)
            assert await _heard(changes)


async def test_what_changed_is_said_and_what_nobody_understands_may_be_anything(
    ledger: PostgresLedger, database: Database
) -> None:
    async with ledger.changes() as changes:
        await ledger.add_message(message("m1"), JOINING)
        assert await anext(changes) == {Change.MESSAGE}
        for strange in ("", "from_a_newer_version"):
            async with database.transaction() as session:
                await session.execute(text(f"NOTIFY {CHANNEL}, '{strange}'"))
            assert await anext(changes) == set(Change)


async def test_a_repeat_and_an_empty_claim_wake_nobody(ledger: PostgresLedger, database: Database) -> None:
    await ledger.add_message(message("m1"), JOINING)
    async with ledger.changes() as changes:
        await ledger.add_message(message("m1"), JOINING)
        await ledger.claim_undecided(after(9), SETTLE, PATIENCE, 10)
        async with database.transaction() as session:
            await announce(session, Change.MODEL)
        async with asyncio.timeout(10):
            assert await anext(changes) == {Change.MODEL}, "the first to be heard since then"


async def test_a_lost_listener_listens_again_and_says_so(
    ledger: PostgresLedger, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "db.server.notifications"):
        async with ledger.changes() as changes:
            await asyncio.to_thread(_cut_everybody, database_url)
            assert await _heard(changes)  # once for what may have been missed
            await ledger.add_message(message("m1"), JOINING)
            assert await _heard(changes)
    assert [record.message for record in caplog.records] == [
        "database notifications lost, reconnecting",
        "database notifications received again",
    ]


async def test_the_backlog_is_counted(ledger: PostgresLedger, outbox: PostgresOutbox, database: Database) -> None:
    queries = PostgresQueries(database)
    assert set((await queries.backlog(after(0))).values()) == {0.0}
    await routed(ledger)
    await ledger.add_message(message("m2", seconds=50), JOINING)
    (lost,) = await outbox.claim_due(["telegram"], after(50), 10)
    await outbox.give_up(lost, "blocked", after(51))
    assert await queries.backlog(after(60)) == {
        "undecided": 1.0,
        "oldest_undecided_seconds": 10.0,
        "unsaid": 1.0,
        "oldest_unsaid_seconds": 55.0,
        "given_up": 1.0,
    }
    await say_all(outbox, 61)
    assert (await queries.backlog(after(62)))["unsaid"] == 0.0
    assert await queries.decisions() == {("telegram", "routing", "billing", "model", "und"): 1}


def _cut_everybody(url: str) -> None:
    others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() "
    with psycopg.connect(parsed(url).conninfo("tests"), autocommit=True) as connection:
        connection.execute(f"{others} AND pid <> pg_backend_pid()".encode())


_MOMENT, _PROCESS = select(func.transaction_timestamp()), select(func.pg_backend_pid())


async def test_in_autocommit_each_statement_is_a_transaction_of_its_own(database: Database) -> None:
    await database.ping()
    async with database.autocommit() as session:
        first, process = await session.scalar(_MOMENT), await session.scalar(_PROCESS)
        assert await session.scalar(_MOMENT) != first
    async with database.transaction() as session:
        assert await session.scalar(_PROCESS) == process, "the pool has one connection, for both"
        assert await session.scalar(_MOMENT) == await session.scalar(_MOMENT)


async def test_before_the_first_connection_and_behind_a_pooler_autocommit_is_a_transaction(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_database(database_url) as database:
        for _ in range(2):
            async with database.autocommit() as session:
                assert await session.scalar(_MOMENT) == await session.scalar(_MOMENT)
            assert database._session is not None
            monkeypatch.setattr(database, "_session", replace(database._session, pooled=True))


@pytest.mark.parametrize("ends", ["well", "with an error", "cancelled"])
async def test_a_connection_comes_back_from_autocommit_as_it_was(database: Database, ends: str) -> None:
    await database.ping()

    async def use() -> None:
        async with database.autocommit() as session:
            if ends == "with an error":
                await session.execute(text("SELECT 1 / 0"))
            await session.execute(text("SELECT pg_sleep(:long)"), {"long": 5 if ends == "cancelled" else 0})

    using = asyncio.create_task(use())
    await asyncio.sleep(0.2)
    using.cancel()
    [end] = await asyncio.gather(using, return_exceptions=True)
    assert isinstance(end, {"well": type(None), "with an error": Refused, "cancelled": asyncio.CancelledError}[ends])
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await _begin_in_vain(database)
    async with database.transaction() as session:
        assert await session.scalar(text("SELECT to_regclass('left_behind')")) is None


async def _begin_in_vain(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE left_behind ()"))
        raise ZeroDivisionError


async def test_a_connection_left_in_autocommit_is_not_handed_out(database: Database) -> None:
    async with database.transaction() as session:
        process = await session.scalar(_PROCESS)
        driver = (await (await session.connection()).get_raw_connection()).driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)
    await driver.set_autocommit(True)
    async with database.transaction() as session:
        assert await session.scalar(_MOMENT) == await session.scalar(_MOMENT)
        assert await session.scalar(_PROCESS) != process
