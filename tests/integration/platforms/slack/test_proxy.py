"""Slack's requests reach the bot through a real nginx with TLS and deploy/nginx.conf; no other requests do."""

import asyncio
import shutil
import ssl
import subprocess
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from aiohttp import ClientSession, TCPConnector

from bot.platforms.slack import Mode
from tests.acceptance.processes import REPOSITORY, until
from tests.integration.platforms.slack.parts import ANN, HELP, Recorder, config, listening, settled, site, speaking
from tests.postgres_servers import free_port
from tests.servers.slack import SlackServer

_PATH = "/usr/sbin:/usr/bin:/usr/local/bin"
NGINX, OPENSSL = shutil.which("nginx", path=_PATH), shutil.which("openssl", path=_PATH)
pytestmark = pytest.mark.skipif(NGINX is None or OPENSSL is None, reason="nginx or openssl is not installed here")


def _written(folder: Path, port: int, upstreams: list[str]) -> Path:
    """The file as it is, except for the address, the certificate, and the folders that it may write to."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    made = (
        f"{OPENSSL} req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    subprocess.run([*made.split(), "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    text = (REPOSITORY / "deploy" / "nginx.conf").read_text("utf-8")
    kept = [f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]
    named = [f"server {one} max_fails=2 fail_timeout=5s;" for one in upstreams]
    for ours, here in (
        ("/etc/letsencrypt/live/bot.example.com/privkey.pem", str(key)),
        ("/etc/letsencrypt/live/bot.example.com/fullchain.pem", str(certificate)),
        ("listen 443 ", f"listen 127.0.0.1:{port} "),
        ("bot.example.com", "localhost"),
        ("http {", " ".join(["http {", "access_log off;", *kept])),
        ("server 127.0.0.1:8080 max_fails=2 fail_timeout=5s;", " ".join(named)),
    ):
        assert ours in text, ours
        text = text.replace(ours, here)
    file = folder / "nginx.conf"
    file.write_text(f"daemon off; pid {folder}/pid;\n{text}", "utf-8")
    return file


@asynccontextmanager
async def proxied(folder: Path, *upstreams: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the proxy that trusts its certificate."""
    port = free_port()
    file = _written(folder, port, [urlsplit(one).netloc for one in upstreams])
    command = [str(NGINX), "-p", str(folder), "-e", str(folder / "log"), "-c", str(file)]
    process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
    trusting = ssl.create_default_context(cafile=str(folder / "cert.pem"))
    try:
        async with httpx.AsyncClient(base_url=f"https://localhost:{port}", verify=trusting) as client:

            async def answers() -> bool:
                assert process.returncode is None, (folder / "log").read_text("utf-8")
                try:
                    return (await client.get("/")).status_code == 404
                except httpx.TransportError:
                    return False

            await until(answers, 60.0)
            yield client
    finally:
        process.terminate()
        await process.wait()


async def test_an_event_goes_to_the_process_that_takes_it(server: SlackServer, inbox: Recorder, tmp_path: Path) -> None:
    """Also if the first process refuses it: Slack would repeat it later, the next process accepts it now."""
    async with (
        speaking(config(server, Mode.HTTP)) as deaf,
        site(server, deaf) as turning_away,
        speaking(config(server, Mode.HTTP)) as slack,
        listening(server, slack, inbox),
        site(server, slack) as taking,
        proxied(tmp_path, turning_away, taking) as client,
        ClientSession(
            connector=TCPConnector(ssl=ssl.create_default_context(cafile=str(tmp_path / "cert.pem")))
        ) as http,
    ):
        route = server.sends_to(f"{client.base_url}/slack/events")
        route.client = http
        for number in range(4):
            await server.writes(ANN, HELP, f"through the proxy {number}")
        await server.until(settled(server))
    assert route.statuses == [200] * 4
    assert sorted(inbox.texts) == [f"through the proxy {number}" for number in range(4)]


async def test_what_no_platform_calls_stays_inside(server: SlackServer, inbox: Recorder, tmp_path: Path) -> None:
    async with (
        speaking(config(server, Mode.HTTP)) as slack,
        listening(server, slack, inbox),
        site(server, slack) as taking,
        proxied(tmp_path, taking) as client,
    ):
        inside = ["/", "/metrics", "/healthz", "/readyz", "/api/requests", "/adapters/routing-1", "/slack/../metrics"]
        assert {(await client.get(path)).status_code for path in inside} == {404}
        assert (await client.post("/slack/events", content=b"{}")).status_code == 401, "the bot's own answer"
        assert (await client.post("/slack/events", content=b" " * 1_100_000)).status_code == 413
        assert "server" in (answer := await client.get("/")).headers and "/" not in answer.headers["server"]
    assert not inbox.messages
