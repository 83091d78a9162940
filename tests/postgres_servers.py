"""PostgreSQL servers of several kinds for tests: with a port, passwords, TLS, and a pooler in front.

The programs come from the wheel (with pgvector) or, where it is installed, from Debian's PostgreSQL (without).
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from db.server.cluster import _owner, binaries

DEBIAN = Path("/usr/lib/postgresql/15/bin")
PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PASSWORD = "b0ss-of-it"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens at 127.0.0.1; its superuser is `postgres`, the password `PASSWORD`."""

    port: int
    folder: Path

    def url(self, user: str = "postgres", password: str = PASSWORD, name: str = "postgres") -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{name}"

    def does(self, *statements: str, name: str = "postgres") -> None:
        """Run these statements as the superuser, each on its own."""
        with psycopg.connect(self.url(name=name), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@contextmanager
def postgres(
    programs: Path | None = None,
    options: Sequence[str] = (),
    hba: str = "host all all 127.0.0.1/32 scram-sha-256",
    port: int | None = None,
    tls: bool = False,
) -> Iterator[Server]:
    """A fresh server with fsync off, until the end."""
    owner, bin = _owner(), programs or binaries()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    data = _made(owner, bin, folder)
    (data / "pg_hba.conf").write_text(f"local all all trust\n{hba}\n")
    server = Server(port or free_port(), folder)
    settings = [f"port={server.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off"]
    if tls:
        settings += ["ssl=on", *_certified(owner, data)]
    arguments = [part for setting in (*settings, *options) for part in ("-c", setting)]
    running = _start(owner, folder / "log", bin / "postgres", "-D", data, *arguments)
    try:
        _until_listening(server.port, running)
        _until_started(server)
        yield server
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def pgbouncer(server: Server, mode: str = "transaction", more: str = "") -> Iterator[Server]:
    """A pooler in front of the server, as PostgreSQL's own packages install it."""
    owner = _owner()
    assert PGBOUNCER is not None
    pooler = Server(free_port(), server.folder)
    users = server.folder / f"users-{pooler.port}"
    users.write_text(f'"postgres" "{PASSWORD}"\n')
    config = server.folder / f"pooler-{pooler.port}.ini"
    config.write_text(
        f"[databases]\n* = host=127.0.0.1 port={server.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {pooler.port}\nauth_type = scram-sha-256\nauth_file = {users}\npool_mode = {mode}\n"
        f"default_pool_size = {5 if mode == 'transaction' else 50}\nunix_socket_dir =\n{more}"
    )
    running = _start(owner, server.folder / "pooler.log", PGBOUNCER, config)
    try:
        _until_listening(pooler.port, running)
        yield pooler
    finally:
        running.kill()
        running.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _made(owner: pwd.struct_passwd, bin: Path, folder: Path) -> Path:
    """An empty cluster."""
    secret, data = folder / "secret", folder / "data"
    secret.write_text(PASSWORD)
    for path in (folder, secret):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    options = ("-U", "postgres", f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8")
    made = _start(owner, folder / "initdb.log", bin / "initdb", "-D", data, *options)
    assert made.wait(120) == 0, (folder / "initdb.log").read_text()
    return data


def _certified(owner: pwd.struct_passwd, data: Path) -> list[str]:
    """A certificate that nobody trusts, and the settings that use it."""
    key, certificate = data / "own.key", data / "own.crt"
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1")
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    for path in (key, certificate):
        path.chmod(0o600)
        os.chown(path, owner.pw_uid, owner.pw_gid)
    return [f"ssl_key_file={key}", f"ssl_cert_file={certificate}"]


def _start(owner: pwd.struct_passwd, log: Path, *command: str | Path) -> subprocess.Popen[bytes]:
    """PostgreSQL refuses to run as root."""
    root = os.geteuid() == 0
    with log.open("wb") as said:
        return subprocess.Popen(
            list(map(str, command)),
            stdout=said,
            stderr=said,
            cwd="/",
            user=owner.pw_uid if root else None,
            group=owner.pw_gid if root else None,
        )


def _until_started(server: Server) -> None:
    for _ in range(600):
        try:
            return server.does("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise AssertionError("it does not start")


def _until_listening(port: int, running: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert running.poll() is None, "it ended at once; see its log"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("it does not listen")
