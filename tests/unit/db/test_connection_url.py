"""One reader of the database's URL: for what people write and for what PostgreSQL's own tools accept."""

import psycopg
import pytest

from bot.domain.errors import ConfigError
from db.connection_errors import explained
from db.connection_url import parsed

SECRETS = ["p w", "p@w", "a@b/c", "100%", "%zz", "50%25", "ü:ñ#?", "カ'\"\\", "p%20w%40", "a/b@c:d?e=f&g"]


@pytest.mark.parametrize("scheme", ["postgresql://", "postgres://", "postgresql+psycopg://", "PostgreSQL://"])
def test_every_usual_scheme_is_known(scheme: str) -> None:
    found = parsed(f"{scheme}bot:secret@db.example:6432/shop")
    assert found.parameters == {
        "user": "bot",
        "password": "secret",
        "host": "db.example",
        "port": "6432",
        "dbname": "shop",
    }


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("p w", "p w"),
        ("p%20w", "p w"),
        ("p@w", "p@w"),
        ("p%40w", "p@w"),
        ("a@b/c", "a@b/c"),
        ("a:b", "a:b"),
        ("a+b", "a+b"),
        ("100%", "100%"),
        ("%zz", "%zz"),
        ("%25zz", "%zz"),
        ("q?#&=", "q?#&="),
        ("ünï", "ünï"),
        ("%C3%BCn%C3%AF", "ünï"),
        ("a'b\"c\\d", "a'b\"c\\d"),
    ],
)
def test_a_password_may_be_written_as_it_is_or_percent_encoded(written: str, meant: str) -> None:
    found = parsed(f"postgresql://bot:{written}@db.example/shop?sslmode=require").parameters
    assert found == {"user": "bot", "password": meant, "host": "db.example", "dbname": "shop", "sslmode": "require"}


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (
            "postgresql://u@h1:1,h2:2/d?target_session_attrs=read-write",
            {"user": "u", "host": "h1,h2", "port": "1,2", "dbname": "d", "target_session_attrs": "read-write"},
        ),
        ("postgresql://u@[::1]:5433/d", {"user": "u", "host": "::1", "port": "5433", "dbname": "d"}),
        ("postgresql:///d?host=/var/run/a b", {"dbname": "d", "host": "/var/run/a b"}),
        ("postgresql://%2Fvar%2Frun/d", {"host": "/var/run", "dbname": "d"}),
        (
            "postgresql://h/d?options=-c%20search_path%3Da%2Cb",
            {"host": "h", "dbname": "d", "options": "-c search_path=a,b"},
        ),
        ("postgresql://h/d?options=-c+search_path=a", {"host": "h", "dbname": "d", "options": "-c search_path=a"}),
        ("postgresql://?service=shop", {"service": "shop"}),
        ("postgresql://h/d?user=a@b&passfile=/x/y", {"host": "h", "dbname": "d", "user": "a@b", "passfile": "/x/y"}),
        ("postgresql://h:5432/d?user=a@b", {"host": "h", "port": "5432", "dbname": "d", "user": "a@b"}),
        ("postgresql://u%40tenant:p@h/d%20b", {"user": "u@tenant", "password": "p", "host": "h", "dbname": "d b"}),
        ("postgresql://h/d?ssl=true", {"host": "h", "dbname": "d", "sslmode": "require"}),
        ("postgresql+asyncpg://h/d?ssl=require", {"host": "h", "dbname": "d", "sslmode": "require"}),
        ("postgresql://h/d?ssl=verify-full", {"host": "h", "dbname": "d", "sslmode": "verify-full"}),
        ("postgresql://h/d?ssl=false", {"host": "h", "dbname": "d", "sslmode": "disable"}),
        ("postgresql://[fe80::1%25eth0]/d", {"host": "fe80::1%eth0", "dbname": "d"}),
        ("postgresql://", {}),
    ],
)
def test_what_a_url_asks_for_is_kept(url: str, found: dict[str, str]) -> None:
    assert parsed(url).parameters == found


@pytest.mark.parametrize(("key", "pooled"), [("prepare_threshold=0", True), ("prepare_threshold=None", True)])
def test_a_url_may_say_that_a_pooler_is_in_front(key: str, pooled: bool) -> None:
    assert parsed(f"postgresql://h/d?{key}").pooled is pooled
    assert parsed("postgresql://h/d?pgbouncer=true").pooled
    assert not parsed("postgresql://h/d?prepare_threshold=5").pooled


def test_a_key_that_postgresql_does_not_know_is_named_and_nothing_else() -> None:
    with pytest.raises(ConfigError) as caught:
        parsed("postgresql://bot:secret@h/d?connection_limit=5&schema=public")
    assert str(caught.value) == "database.url: PostgreSQL knows no connection_limit, schema; take it out of the URL"


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_shown(secret: str) -> None:
    target = parsed(f"postgresql://bot:{secret}@h:1/d?sslpassword=other")
    for shown in (repr(target), target.place, target.without_secrets()):
        assert target.parameters["password"] not in shown
        assert "other" not in shown
    hostless = f"postgresql://bot:{secret.replace('@', '')}"
    for url in (f"postgresql://bot:{secret}@[h:x/d", f"mysql://bot:{secret}@h/d", f"{secret}", hostless):
        with pytest.raises(ConfigError) as caught:
            parsed(url)
        assert secret not in str(caught.value)
        assert caught.value.__cause__ is None


def test_what_was_asked_for_wins_over_our_patience_and_our_name() -> None:
    asked = parsed("postgresql://h/d?connect_timeout=2&application_name=mine&keepalives_idle=9").conninfo("switchboard")
    for part in ("connect_timeout=2", "application_name=mine", "keepalives_idle=9", "client_encoding=UTF8"):
        assert part in asked


def test_people_are_told_which_database(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PGHOST", "PGUSER", "PGDATABASE", "PGPORT"):
        monkeypatch.delenv(variable, raising=False)
    assert parsed("postgresql://bot:x@h1:1,h2:2/shop").place == "shop at h1:1,h2:2 as bot"
    assert parsed("postgresql:///shop?host=/run/pg&user=bot").place == "shop at /run/pg as bot"
    monkeypatch.setenv("PGHOST", "db.example")
    monkeypatch.setenv("PGUSER", "env")
    assert parsed("postgresql:///shop").place == "shop at db.example:5432 as env"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ('FATAL:  no pg_hba.conf entry for host "1.2.3.4", user "bot", database "d", no encryption', "sslmode=require"),
        ('FATAL:  no pg_hba.conf entry for host "1.2.3.4", user "bot", database "d", SSL encryption', "pg_hba.conf"),
        ("server does not support SSL, but SSL was required", "it has none"),
        ("SSL error: certificate verify failed", "certificate is not trusted"),
        ("FATAL:  sorry, too many clients already", "no connection left"),
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "no connection left",
        ),
        ("FATAL:  the database system is starting up", "starting or stopping"),
        ("session is read-only", "standby"),
        ("connection timeout expired", "does not answer"),
        ("FATAL:  unsupported startup parameter: options", "pooler"),
        ("server closed the connection unexpectedly", "closed at once"),
        (
            "FATAL:  Passwort-Authentifizierung für Benutzer fehlgeschlagen",
            "Passwort-Authentifizierung für Benutzer fehl",
        ),
    ],
)
def test_each_cause_has_its_sentence(said: str, sentence: str) -> None:
    error = psycopg.OperationalError(f'connection failed: connection to server at "1.2.3.4", port 5432 failed: {said}')
    told = explained(parsed("postgresql://bot:secret@1.2.3.4/d"), error)
    assert told.startswith("database d at 1.2.3.4:5432 as bot: ")
    assert sentence in told
