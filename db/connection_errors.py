"""Why a connection could not be made, in a sentence that says what to mend.

libpq gives no error code, only text: a text that is not recognised (a server may speak another language) is quoted as
it is. These texts never contain a password.
"""

import re

import psycopg

from db.connection_url import Target

_URL = "database.url (or DATABASE_URL)"
_CAUSES = (
    (
        r"(password|pam|ldap|sasl|scram|ident|peer|cert\w*|gssapi) authentication failed|server login failed|"
        r"^.*fatal:.*auth\w* failed|wrong password",
        f"the password, or the user's way in, was refused; mend it in {_URL}",
    ),
    (
        r"no password supplied|empty password|password is required|requires a password",
        f"a password is asked for and none is given; write it into {_URL}, PGPASSWORD or ~/.pgpass",
    ),
    (r"permission denied for database", "the user may not connect; GRANT CONNECT ON DATABASE to it there"),
    (
        r"database \"[^\"]*\" does not exist|no such database|database .* is not currently accepting",
        f"there is no such database; make it with createdb, or mend the name in {_URL}",
    ),
    (r"role \"[^\"]*\" (does not exist|is not permitted)|no such user", f"there is no such user; mend it in {_URL}"),
    (
        r"ssl (is )?required|insecure|must use ssl|requires ssl|tls required",
        f"it refuses connections without TLS; add ?sslmode=require to {_URL}",
    ),
    (
        r"pg_hba.conf.*no encryption",
        f"its pg_hba.conf lets this user not in without TLS; add ?sslmode=require to {_URL}, or a line there",
    ),
    (r"pg_hba.conf", "its pg_hba.conf lets this user not in from this machine; add a line there"),
    (
        r"server does not support ssl|ssl (was|is) not supported",
        f"sslmode asks for TLS, and it has none; turn it on there, or write sslmode=prefer in {_URL}",
    ),
    (
        r"certificate verify failed|root certificate|server certificate for|certificate",
        "its certificate is not trusted here; name the authority's with sslrootcert=… in the URL (or sslmode=require)",
    ),
    (
        r"too many (clients|connections)|remaining connection slots|no more connections allowed|connection limit",
        "it has no connection left to give; end other clients, or raise max_connections there",
    ),
    (r"query_wait_timeout|client_login_timeout", "the pooler in front has no server free; raise its default_pool_size"),
    (
        r"starting up|shutting down|recovery mode|not yet accepting|not accepting connections",
        "it is starting or stopping; it is tried again",
    ),
    (r"session is read-only|hot standby|standby mode", "it is a standby; name the primary, which may be written to"),
    (r"failed to resolve host|could not translate host name|name or service", f"there is no such host; mend {_URL}"),
    (
        r"unsupported startup parameter",
        "the pooler in front refuses a parameter of the URL; take it out, or add it to its ignore_startup_parameters",
    ),
    (r"service file|definition of service", "the service is not described in ~/.pg_service.conf (or PGSERVICEFILE)"),
    (r"invalid value for parameter|unrecognized configuration", f"the options in {_URL} hold what it does not know"),
    (r"connection refused", f"nobody listens there; start it, or mend host and port in {_URL}"),
    (r"no such file or directory", f"there is no socket in that folder; start it, or mend host in {_URL}"),
    (r"permission denied", "this user of the machine may not open the socket or the key"),
    (r"timeout expired|timed out", "it does not answer; look at the network and the firewalls between"),
    (r"unreachable|no route to host", "there is no way to it; look at the network"),
    (
        r"closed the connection unexpectedly|reset by peer|invalid response|expected authentication",
        "the connection was closed at once; is it a PostgreSQL that listens there?",
    ),
)


def explained(target: Target, error: psycopg.Error) -> str:
    """The error to show: which database, what is in the way, and what to mend."""
    words = str(error)
    for pattern, sentence in _CAUSES:
        if re.search(pattern, words, re.IGNORECASE | re.MULTILINE):
            return f"database {target.place}: {sentence}"
    return f"database {target.place}: {_first_line(words)}"


def _first_line(words: str) -> str:
    line = (words.strip().splitlines() or ["it said nothing"])[0]
    return re.sub(r"^.* failed: (?=.)|\s*FATAL:\s*", "", line).strip()
