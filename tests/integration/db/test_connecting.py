"""Each cause of a failed connection has its own message, and none contains the password."""

import asyncio
import logging
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import text

from bot.domain.errors import SwitchboardError, Unreachable, UsageError
from db.engine import open_database
from db.ledger import PostgresLedger
from db.migrate import upgrade
from db.server.backup import dump, restore
from tests.integration.db.scenes import JOINING, message
from tests.postgres_servers import DEBIAN, PASSWORD, Server, free_port, postgres

HARD = "s p@c/e:100%?#ü"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with TLS for `hostssl` users, and roles of every kind."""
    hba = "\n".join(
        [
            "hostssl all guarded 127.0.0.1/32 scram-sha-256",
            "host all guarded 127.0.0.1/32 reject",
            "host all postgres,owner,hard,poor,reader 127.0.0.1/32 scram-sha-256",
        ]
    )
    with postgres(hba=hba, options=["max_connections=25"]) as found:
        found.does(
            f"CREATE ROLE owner LOGIN PASSWORD '{PASSWORD}'",
            f"CREATE ROLE hard LOGIN PASSWORD '{HARD}'",
            f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'",
            f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'",
            f"CREATE ROLE poor LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT 0",
            "CREATE DATABASE ready OWNER owner",
            "CREATE DATABASE bare OWNER owner",
            "CREATE DATABASE odd OWNER hard",
            "CREATE DATABASE tuned OWNER owner",
            "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
            "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0",
            "CREATE DATABASE closed",
            "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
        )
        found.does("CREATE EXTENSION vector", name="ready")
        found.does("CREATE EXTENSION vector", name="odd")
        found.does("CREATE EXTENSION vector", name="tuned")
        yield found


def told(url: str) -> str:
    """The message of a start with this URL."""
    with pytest.raises(SwitchboardError) as caught:
        upgrade(url)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def test_a_wrong_password(server: Server) -> None:
    said = told(server.url("owner", "wrong-one"))
    assert said.startswith(f"database postgres at 127.0.0.1:{server.port} as owner: the password")
    assert "wrong-one" not in said


def test_no_password(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", "/dev/null")
    assert "none is given" in told(f"postgresql://owner@127.0.0.1:{server.port}/ready")


def test_a_user_whom_pg_hba_does_not_let_in(server: Server) -> None:
    assert "pg_hba.conf" in told(server.url("nobody"))


def test_no_such_database(server: Server) -> None:
    assert "there is no such database; make it with createdb" in told(server.url(name="nothing"))


def test_a_database_that_the_user_may_not_enter(server: Server) -> None:
    assert "GRANT CONNECT" in told(server.url("owner", name="closed"))


def test_nobody_listening() -> None:
    assert "nobody listens there" in told(f"postgresql://a:b@127.0.0.1:{free_port()}/c")
    assert "there is no socket in that folder" in told("postgresql:///c?host=/nonexistent")


def test_an_unknown_host() -> None:
    assert "there is no such host" in told("postgresql://a:b@nowhere.invalid/c")


def test_tls_that_is_asked_for_and_not_there(server: Server) -> None:
    assert "sslmode asks for TLS, and it has none" in told(server.url(name="ready?sslmode=require"))


def test_tls_that_is_wanted_there(server: Server) -> None:
    assert "pg_hba.conf" in told(server.url("guarded", name="ready?sslmode=disable"))


@pytest.mark.skipif(
    not DEBIAN.is_dir() or shutil.which("openssl") is None,
    reason="Debian's PostgreSQL 15, which knows TLS as the wheel's does not, or openssl is not installed here",
)
async def test_tls_is_used_as_the_url_asks() -> None:
    with postgres(DEBIAN, hba="hostssl all all 127.0.0.1/32 scram-sha-256", tls=True) as guarded:
        assert "lets this user not in without TLS; add ?sslmode=require" in told(
            guarded.url(name="postgres?sslmode=disable")
        )
        assert "certificate is not trusted here" in told(guarded.url(name="postgres?sslmode=verify-full"))
        for ending in ("?sslmode=require", f"?sslmode=verify-ca&sslrootcert={guarded.folder / 'data' / 'own.crt'}"):
            async with (
                open_database(guarded.url(name=f"postgres{ending}")) as database,
                database.transaction() as session,
            ):
                using = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
                assert await session.scalar(text(using)) is True


def test_no_connection_left(server: Server) -> None:
    assert "no connection left" in told(server.url("poor", name="ready"))


def test_rights_that_are_missing(server: Server) -> None:
    assert "CREATE EXTENSION vector" in told(server.url("owner", name="bare"))
    assert "GRANT CREATE, USAGE ON SCHEMA public TO reader" in told(server.url("reader", name="ready"))


def test_a_search_path_to_nowhere(server: Server) -> None:
    assert "search_path names no schema" in told(server.url("owner", name="ready?options=-csearch_path%3Dmissing"))


@pytest.mark.parametrize(("name", "encoding"), [("latin", "LATIN1"), ("ascii", "SQL_ASCII")])
def test_an_encoding_that_cannot_hold_what_people_write(server: Server, name: str, encoding: str) -> None:
    said = told(server.url(name=name))
    assert f"its encoding {encoding} cannot hold" in said


def test_a_server_that_may_only_be_read(server: Server) -> None:
    assert "may only be read" in told(server.url(name="ready?options=-cdefault_transaction_read_only%3Don"))


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's PostgreSQL 15 is not installed here")
def test_a_server_without_pgvector() -> None:
    with postgres(DEBIAN) as debian:
        assert "lacks pgvector; install it there (postgresql-15-pgvector)" in told(debian.url())


async def test_one_reading_of_a_hard_password_for_everything(server: Server, tmp_path: Path) -> None:
    for id, written in (("m1", HARD), ("m2", quote(HARD, safe=""))):
        url = server.url("hard", written, "odd")
        upgrade(url)
        dump(url, tmp_path / "backup")
        restore(url, tmp_path / "backup")
        async with open_database(url) as database, PostgresLedger(database, "tiny").changes() as changes:
            await PostgresLedger(database, "tiny").add_message(message(id), JOINING)
            async with asyncio.timeout(5):
                await anext(changes)
            async with PostgresLedger(database, "tiny").alone("polling"):
                pass


async def test_what_the_url_asks_for_reaches_every_connection(server: Server) -> None:
    server.does("CREATE SCHEMA IF NOT EXISTS bot AUTHORIZATION owner", name="ready")
    url = server.url("owner", name="ready?options=-csearch_path%3Dbot,public%20-cstatement_timeout%3D77s")
    upgrade(url)
    async with open_database(url) as database:
        async with database.transaction() as session:
            assert await session.scalar(text("SHOW statement_timeout")) == "77s"
            assert (
                await session.scalar(
                    text("SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'conversations'::regclass")
                )
                == "bot"
            )
        connection = await database.dedicated()
        try:
            assert await (await connection.execute("SHOW search_path")).fetchone() == ("bot,public",)
        finally:
            await connection.close()


async def test_what_a_role_has_set_for_other_clients_changes_nothing_for_us(server: Server) -> None:
    odd = {
        "statement_timeout": "500ms",
        "lock_timeout": "1ms",
        "default_transaction_isolation": "serializable",
        "datestyle": "SQL, DMY",
        "intervalstyle": "iso_8601",
        "timezone": "Asia/Kathmandu",
    }
    server.does(*(f"ALTER ROLE owner SET {name} TO '{value}'" for name, value in odd.items()))
    try:
        url = server.url("owner", name="tuned")
        upgrade(url)
        async with open_database(url) as database:
            ledger = PostgresLedger(database, "tiny")
            said = message("odd")
            assert await ledger.add_message(said, JOINING)
            async with database.transaction() as session:
                shown = [await session.scalar(text(f"SHOW {name}")) for name in odd]
                assert await session.scalar(text("SELECT at FROM messages WHERE message_id = 'odd'")) == said.at
        assert shown == ["15s", "0", "read committed", "ISO, DMY", "postgres", "UTC"]
    finally:
        server.does("ALTER ROLE owner RESET ALL")


async def test_several_hosts_and_the_variables_of_the_environment(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dead = free_port()
    several = (
        f"postgresql://postgres:{PASSWORD}@127.0.0.1:{dead},127.0.0.1:{server.port}/ready?target_session_attrs=any"
    )
    async with open_database(several) as database:
        await database.ping()
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"*:*:*:*:{PASSWORD}\n")
    passwords.chmod(0o600)
    for name, value in {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGUSER": "postgres",
        "PGDATABASE": "ready",
        "PGPASSFILE": str(passwords),
    }.items():
        monkeypatch.setenv(name, value)
    async with open_database("postgresql://") as database:
        await database.ping()
    services = tmp_path / "services"
    services.write_text(f"[shop]\nhost=127.0.0.1\nport={server.port}\ndbname=ready\nuser=postgres\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    async with open_database("postgresql://?service=shop") as database:
        await database.ping()


async def test_no_password_in_logs_and_tracebacks(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    secret = "very s3cret/one"
    with caplog.at_level(logging.DEBUG):
        async with open_database(server.url("owner", secret, "ready")) as database:
            for attempt in (database.ping, database.dedicated):
                with pytest.raises(Unreachable) as caught:
                    await attempt()
                assert secret not in "".join(map(str, (caught.value, caught.value.__cause__, caught.value.__context__)))
    assert secret not in caplog.text
    assert quote(secret, safe="") not in caplog.text


def test_no_password_in_the_list_of_processes(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the programs are shell scripts that print their arguments, which are what `ps` would show."""
    seen: list[list[str]] = []
    really = subprocess.run

    def run(command: list[str], **more: object) -> "subprocess.CompletedProcess[bytes]":
        seen.append(command)
        return really(command, **more)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(subprocess, "run", run)
    server.does("DROP DATABASE IF EXISTS seen WITH (FORCE)", "CREATE DATABASE seen")
    upgrade(server.url(name="seen"))
    dump(server.url(name="seen"), tmp_path / "backup")
    restore(server.url(name="seen"), tmp_path / "backup")
    assert {Path(command[0]).name for command in seen} == {"pg_dump", "pg_restore", "psql"}
    assert not any(PASSWORD in argument for command in seen for argument in command)


# --- an owner who is no superuser, and pgvector in another schema ---


def test_an_owner_who_is_no_superuser_backs_up_and_restores(server: Server, tmp_path: Path) -> None:
    server.does("DROP DATABASE IF EXISTS owned WITH (FORCE)", "CREATE DATABASE owned OWNER owner")
    server.does("CREATE EXTENSION vector", "COMMENT ON EXTENSION vector IS 'an administrator wrote this'", name="owned")
    url = server.url("owner", name="owned")
    upgrade(url)
    dump(url, tmp_path / "backup")
    restore(url, tmp_path / "backup")
    upgrade(url)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone() == (0,)


def test_a_restore_without_the_extension_says_who_can_mend_it(server: Server, tmp_path: Path) -> None:
    server.does("DROP DATABASE IF EXISTS emptied WITH (FORCE)", "CREATE DATABASE emptied OWNER owner")
    dump(_own(server), tmp_path / "backup")
    with pytest.raises(UsageError, match="let an administrator run there, once: CREATE EXTENSION vector"):
        restore(server.url("owner", name="emptied"), tmp_path / "backup")


def test_the_line_that_says_why_is_shown(server: Server, tmp_path: Path) -> None:
    dump(_own(server), tmp_path / "backup")
    with pytest.raises(UsageError, match=r"psql: ERROR:  permission denied for schema public"):
        restore(server.url("reader", name="ready"), tmp_path / "backup")
    (tmp_path / "text").write_text("no backup")
    with pytest.raises(UsageError, match="input file does not appear to be a valid archive"):
        restore(server.url(name="ready"), tmp_path / "text")


def test_a_database_without_anything_of_ours(server: Server, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing of Switchboard's in it"):
        dump(server.url(name="closed"), tmp_path / "backup")


def _own(server: Server) -> str:
    server.does("DROP DATABASE IF EXISTS mine WITH (FORCE)", "CREATE DATABASE mine OWNER owner")
    server.does("CREATE EXTENSION vector", name="mine")
    upgrade(server.url("owner", name="mine"))
    return server.url("owner", name="mine")


async def test_pgvector_may_be_in_a_schema_of_its_own(server: Server, tmp_path: Path) -> None:
    server.does("DROP DATABASE IF EXISTS hosted WITH (FORCE)", "CREATE DATABASE hosted OWNER owner")
    server.does(
        'CREATE SCHEMA "ext ensions"',
        'GRANT USAGE ON SCHEMA "ext ensions" TO PUBLIC',
        'CREATE EXTENSION vector SCHEMA "ext ensions"',
        name="hosted",
    )
    url = server.url("owner", name="hosted")
    upgrade(url)
    async with open_database(url) as database:
        await PostgresLedger(database, "tiny").add_message(message("m1"), JOINING)
        async with database.transaction() as session:
            near = await session.scalar(text("SELECT '[1,2,3]'::vector <=> '[1,2,3]'::vector"))
        assert near == 0
    dump(url, tmp_path / "backup")
    restore(url, tmp_path / "backup")
    async with open_database(url) as database, database.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM messages")) == 1
