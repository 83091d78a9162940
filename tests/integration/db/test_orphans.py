"""After kill -9 of its first process: what the server leaves behind is ended, and a new one starts at once."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from bot.domain.errors import UsageError
from db.server import cluster
from db.server.cluster import binaries
from db.server.embedded import serving
from db.server.orphans import death_of, end_orphans, postmaster
from tests.integration.db.remembered_words import remember, remembered

_ENDLESS = "SELECT count(*) FROM generate_series(1, 1000000000000)"
"""Never waits, and so never notices that the server's first process is gone."""


def _ended(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@contextmanager
def _killed_while_it_computes(home: Path) -> Iterator[int]:
    """The process of an endless query, which has outlived the server's first process."""
    with serving(home) as url:
        remember(url, "committed")
        connection = psycopg.connect(url, autocommit=True)
        computing = threading.Thread(target=_ask, args=[connection])
        computing.start()
        with psycopg.connect(url, autocommit=True) as other:
            while not other.execute("SELECT 1 FROM pg_stat_activity WHERE query = %s", [_ENDLESS]).fetchone():
                pass
        first = postmaster(home / "data")
        assert first is not None
        os.kill(first, signal.SIGKILL)
        while not _ended(first):
            pass
        try:
            yield connection.info.backend_pid
        finally:
            end_orphans(home / "data", binaries() / "postgres")
            computing.join()


def _ask(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.OperationalError), connection:
        connection.execute(_ENDLESS.encode())


def test_a_query_that_outlives_the_server_does_not_keep_the_next_from_starting(home: Path) -> None:
    with _killed_while_it_computes(home) as orphan:
        assert not _ended(orphan)
        with serving(home) as url:
            assert _ended(orphan)
            assert remembered(url) == ["committed"]


def test_it_would_keep_the_next_from_starting(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "end_orphans", lambda data, program: 0)
    with _killed_while_it_computes(home), pytest.raises(UsageError, match="does not start"), serving(home):
        pass


def test_the_processes_of_a_server_that_lives_are_left_alone(home: Path) -> None:
    with serving(home) as url, psycopg.connect(url) as connection:
        assert end_orphans(home / "data", binaries() / "postgres") == 0
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_is_set_up_to_recover_from_little(home: Path) -> None:
    with serving(home) as url, psycopg.connect(url) as connection:
        shown = [connection.execute(f"SHOW {name}".encode()).fetchone() for name in _BOUNDS]
    assert shown == [(value,) for value in _BOUNDS.values()]


_BOUNDS = {"max_wal_size": "256MB", "recovery_init_sync_method": "syncfs"}


async def test_a_death_is_noticed_when_it_happens() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=subprocess.PIPE)
    watching = asyncio.create_task(death_of(process.pid, within=3_600.0))
    await asyncio.sleep(0)
    assert not watching.done()
    process.kill()
    async with asyncio.timeout(60):
        await watching
        await process.wait()


@pytest.mark.parametrize("number", [None, os.getpid()], ids=["unknown", "alive"])
async def test_nobody_waits_for_ever_for_the_death_of_one_that_lives_or_is_unknown(number: int | None) -> None:
    async with asyncio.timeout(60):
        await death_of(number, within=0.01)
