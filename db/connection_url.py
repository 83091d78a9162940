"""The one reading of `database.url` for every connection: the pool, the waiting connections, migrations and programs.

libpq parses it, as psql does, so that whatever PostgreSQL's own tools understand is understood and kept: several hosts,
`sslmode`, `options`, `service`, a socket's folder, and the PG* variables for what it leaves out. Other spellings that
people use are mended first: an unencoded password, with spaces, `@` or `/`, and the driver's name in the scheme.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from urllib.parse import quote, unquote

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bot.domain.errors import ConfigError

_HOW = "write postgresql://user:password@host:5432/name"
_SCHEME = re.compile(r"postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)
_HOST = r"(?:[^/?@#:,\[\]]*|\[[^\]]*\])(?::\d*)?"
_HOSTS_AND_NAME = rf"{_HOST}(?:,{_HOST})*(?:/[^/?@]*)?"
_WHERE = (
    re.compile(rf"{_HOSTS_AND_NAME}(?:\?(?:[a-z_]+=[^&@]*(?:&|$))*)?"),
    re.compile(rf"{_HOSTS_AND_NAME}(?:\?(?:[a-z_]+=[^&]*(?:&|$))*)?"),
)
"""What may follow the credentials: hosts, a name, a query; the likelier form, without an @ in the query, comes
first."""
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_POOLER = ("prepare_threshold", "pgbouncer")
"""Query keys with which other drivers say that a pooler is in front; libpq does not know them."""
_SSL = {"true": "require", "1": "require", "false": "disable", "0": "disable"}
_SSL |= {mode: mode for mode in ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")}
"""What other drivers write behind `ssl=`, as libpq's `sslmode`."""
_SECRETS = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
_ALIVE = {"connect_timeout": "5", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}


@dataclass(frozen=True, slots=True)
class Target:
    """A database and how to reach it."""

    parameters: Mapping[str, str] = field(repr=False)
    """The parameters for libpq, as the URL gives them."""
    pooled: bool = False
    """Whether the URL says that a pooler is in front; a pooler it does not mention is detected when connecting."""

    @property
    def place(self) -> str:
        """The database for people to read: which one, where, as which user; never a secret."""
        return f"{self.name or '(unnamed)'} at {self._where} as {self._named('user', 'PGUSER') or 'this user'}"

    @property
    def name(self) -> str:
        return self._named("dbname", "PGDATABASE") or self._named("user", "PGUSER")

    @property
    def _where(self) -> str:
        if service := self._named("service", "PGSERVICE"):
            return f"service {service}"
        hosts = (self._named("host", "PGHOST") or self._named("hostaddr", "PGHOSTADDR") or "the local socket").split(
            ","
        )
        ports = (self._named("port", "PGPORT") or "5432").split(",")
        ports = ports * len(hosts) if len(ports) == 1 else ports
        return ",".join(h if h.startswith("/") else f"{h}:{p}" for h, p in zip(hosts, ports, strict=False))

    def _named(self, key: str, variable: str) -> str:
        return self.parameters.get(key) or os.environ.get(variable, "")

    def conninfo(self, application: str) -> str:
        """The connection string for libpq, secrets included. Timeouts set by the URL or the environment are kept."""
        alive = {k: v for k, v in _ALIVE.items() if not (k == "connect_timeout" and "PGCONNECT_TIMEOUT" in os.environ)}
        asked = {**alive, "application_name": application, **self.parameters}
        return make_conninfo("", **{**asked, "client_encoding": "UTF8"})  # every language, whatever else was asked for

    def without_secrets(self) -> str:
        """The connection string for a program's arguments, which `ps` shows to everybody."""
        return make_conninfo("", **{k: v for k, v in self.parameters.items() if k not in _SECRETS})


def parsed(url: str) -> Target:
    """The database behind a URL. Raises ConfigError, which quotes nothing of the URL but the key that is wrong."""
    scheme = _SCHEME.match(url)
    if scheme is None:
        problem = f"only PostgreSQL is supported; {_HOW}" if "://" in url else f"not a URL; {_HOW}"
        raise ConfigError([f"database.url: {problem}"])
    credentials, where = _divided(url[scheme.end() :])
    where, query = where.partition("?")[::2]
    keys, pooled = _query(query)
    try:
        found = conninfo_to_dict("postgresql://" + credentials + quote(where, safe="/,:[]%") + keys)
    except (psycopg.Error, ValueError):  # the error's own words would quote the password
        raise _unreadable() from None
    if not re.fullmatch(r"[\d,]*", str(found.get("port", ""))):
        raise _unreadable()  # it may be a password without a host after it
    return Target({key: str(value) for key, value in found.items() if value is not None}, pooled)


def _unreadable() -> ConfigError:
    return ConfigError([f"database.url: cannot be read; {_HOW}, and the password percent-encoded"])


def _divided(rest: str) -> tuple[str, str]:
    """(credentials, encoded, with their @; the rest). The password may contain anything, an @ included."""
    plain = rest.partition("?")[0]
    if "@" not in plain and re.search(r"(:\d+)?/", plain):
        return "", rest  # any @ belongs to the query
    for where, at in product(_WHERE, [found.start() for found in re.finditer("@", rest)]):
        user, colon, password = rest[:at].partition(":")
        if where.fullmatch(rest, at + 1) and not re.search(r"[/?#]", user):
            secret = f":{_quoted(password)}" if colon else ""
            return f"{_quoted(user)}{secret}@", rest[at + 1 :]
    if "@" in plain:
        raise _unreadable()
    return "", rest


def _quoted(written: str, plain: str = "") -> str:
    """The text percent-encoded, whether or not parts of it were so already."""
    return quote(
        unquote(_LONE_PERCENT.sub("%25", written), errors="surrogateescape"), safe=plain, errors="surrogateescape"
    )


def _query(query: str) -> tuple[str, bool]:
    """(the query for libpq, whether it says that a pooler is in front)."""
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()} | {"ssl", *_POOLER}
    pairs = [_in_our_words(*pair.partition("=")[::2]) for pair in query.split("&") if pair]
    unknown = sorted({key for key, _ in pairs} - known)
    if unknown and "@" in query:  # perhaps none of them is a key, but part of a password
        raise _unreadable()
    if unknown:
        raise ConfigError([f"database.url: PostgreSQL knows no {', '.join(unknown)}; take it out of the URL"])
    pooled = any((key, value) in (("pgbouncer", "true"), ("prepare_threshold", "0")) for key, value in pairs)
    pooled = pooled or any(key == "prepare_threshold" and value.lower() == "none" for key, value in pairs)
    # In web queries a plus means a space; no setting's value contains one
    kept = [f"{key}={_quoted(value.replace('+', ' '))}" for key, value in pairs if key not in _POOLER]
    return ("?" + "&".join(kept) if kept else ""), pooled


def _in_our_words(key: str, value: str) -> tuple[str, str]:
    """Another driver's key and value as libpq writes them."""
    return ("sslmode", _SSL[value.lower()]) if key == "ssl" and value.lower() in _SSL else (key, value)
