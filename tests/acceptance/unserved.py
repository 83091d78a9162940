"""The company without a model server: the memory decides, so that processes can be tested without a GPU or a wait."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import psycopg

from tests.acceptance.processes import START_SECONDS, Home, Running, free_address, until
from tests.worlds.company import Town

SECRET = "a-secret-of-the-webhook"


@dataclass(frozen=True, slots=True)
class Bot:
    """One `switchboard run`, and its address."""

    process: Running
    address: str

    async def parts(self) -> Mapping[str, bool]:
        """The parts that work now, as readiness reports them; nothing while it starts."""
        async with httpx.AsyncClient(base_url=self.address, trust_env=False, timeout=30) as web:
            try:
                found: dict[str, bool] = (await web.get("/readyz")).json()
            except httpx.TransportError:
                return {}
            return found

    async def until_hearing(self) -> None:
        """Wait until every part works except the model, which is not served."""

        async def hears() -> bool:
            assert self.process.process.returncode is None, f"it ended:\n{self.process.said()}"
            parts = await self.parts()
            return bool(parts) and all(works for part, works in parts.items() if part != "model")

        await until(hears, START_SECONDS, self.process.said)

    async def page(self, path: str) -> str:
        async with httpx.AsyncClient(base_url=self.address, trust_env=False, timeout=30) as web:
            return (await web.get(path)).text


@dataclass(frozen=True, slots=True)
class Records:
    """What the database contains."""

    url: str

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def count(self, query: str, *values: object) -> int:
        [(found,)] = self.rows(query, *values)
        assert isinstance(found, int)
        return found

    async def until_said(self, messages: int, seconds: float = 60, explain: Callable[[], str] = lambda: "") -> None:
        """Wait until so many messages were stored, all of them are decided, and no post is waiting."""

        async def idle() -> bool:
            heard = self.count("SELECT count(*) FROM messages")
            unread = self.count(
                "SELECT count(*) FROM messages m JOIN conversations c ON c.id = m.conversation_id "
                "WHERE m.concluded_at IS NULL AND c.state <> 'asked'"
            )
            owed = self.count("SELECT count(*) FROM posts WHERE said_at IS NULL AND given_up_at IS NULL")
            return heard >= messages and unread == owed == 0

        await until(idle, seconds, explain)


def settings(
    around: Town, database: str, listen: str = "", hook: str = "", model: str = "", slack_over_http: bool = False
) -> str:
    """The company's settings with this database and a missing model server; `hook` is a public address."""
    text = around.settings(model or f"http://{free_address()}", settle_seconds=0.3)
    if slack_over_http:
        text = text.replace("[platforms.slack]", '[platforms.slack]\nmode = "http"')
    text = text.replace(f'listen = "{around.listen}"', f'listen = "{listen or around.listen}"')
    if hook:
        text = text.replace("[platforms.telegram]", f'[platforms.telegram]\nmode = "webhook"\nwebhook_url = "{hook}"')
    return f'[database]\nurl = "{database}"\n{text}'


@asynccontextmanager
async def bot(home: Home, listen: str, *arguments: str) -> AsyncIterator[Bot]:
    """A bot that receives messages; killed at the end if it was not stopped before."""
    process = await home.start("run", *arguments)
    try:
        started = Bot(process, f"http://{listen}")
        await started.until_hearing()
        yield started
    finally:
        process.kill()
        await process.process.wait()
