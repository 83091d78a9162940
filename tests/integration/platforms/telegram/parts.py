"""The adapter as the tests put it up: its settings, an inbox that can be down, and a web server for its webhook."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from starlette.applications import Starlette

from bot.domain import ports
from bot.domain.errors import Unreachable
from bot.domain.messages import Message, MessageRef, Place, Press, Reaction
from bot.domain.posts import Content, Owed, Post
from bot.domain.tasks import Label, Task
from bot.http.server import listening_socket, serve_http
from bot.platforms import Surroundings
from bot.platforms.telegram import HOOK, Config, connect, parse
from bot.platforms.telegram.adapter import Telegram
from tests.servers.telegram import TelegramServer

ANN, LEAD, STRANGER = 111, 222, 333
BILLING, IT = -1001234567890, -1009
SECRET = "hook-secret"

TASK = Task(
    name="routing",
    question="Which team?",
    labels=tuple(
        Label(name, f"about {name}", deliver_to={"telegram": Place("telegram", room)})
        for name, room in (("billing", str(BILLING)), ("it", f"{IT}/45"))
    ),
    fallback="it",
)
NOWHERE = Surroundings(
    TASK,
    ("en", "pt-BR", "es"),
    "starter",
    cast(ports.Ledger, None),
    cast(ports.Transcript, None),
    cast(ports.Registry, None),
    cast(ports.Examples, None),
)


@dataclass(slots=True)
class Recorder:
    """An inbox in memory that can be down; facts by what makes them one, as in the real one."""

    down: bool = False
    tried: int = 0
    messages: dict[MessageRef, Message] = field(default_factory=dict)
    reactions: dict[Reaction, None] = field(default_factory=dict)
    presses: dict[Press, None] = field(default_factory=dict)

    async def message(self, message: Message) -> None:
        self._store()
        self.messages.setdefault(message.ref, message)

    async def reaction(self, reaction: Reaction) -> None:
        self._store()
        self.reactions[reaction] = None

    async def press(self, press: Press) -> None:
        self._store()
        self.presses[press] = None

    def _store(self) -> None:
        self.tried += 1
        if self.down:
            raise Unreachable("database: down")

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages.values()]

    @property
    def changes(self) -> list[tuple[str, str, bool]]:
        return [(reaction.actor.id, reaction.emoji, reaction.added) for reaction in self.reactions]


def config(server: TelegramServer, token: str | None = None, hook: str | None = None) -> Config:
    """Polling, or a webhook at that address."""
    environment = {
        "TELEGRAM_BOT_TOKEN": token or server.token,
        "TELEGRAM_WEBHOOK_SECRET": SECRET,
        "TELEGRAM_API_BASE_URL": server.api_url,
        "TELEGRAM_FILE_BASE_URL": server.file_url,
    }
    table: dict[str, object] = {"leads": [LEAD]}
    return parse(table | ({"mode": "webhook", "webhook_url": hook} if hook else {}), environment)


@asynccontextmanager
async def connected(settings: Config) -> AsyncIterator[Telegram]:
    async with connect(settings, NOWHERE) as platform:
        assert isinstance(platform, Telegram)
        yield platform


@asynccontextmanager
async def listening(server: TelegramServer, telegram: Telegram, inbox: Recorder) -> AsyncIterator[None]:
    task = asyncio.create_task(telegram.listen(inbox), name="listen")
    try:
        await server.until(lambda: telegram.healthy() or task.done())
        assert not task.done(), task.exception()
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert not telegram.healthy()


@asynccontextmanager
async def hearing(server: TelegramServer, inbox: Recorder) -> AsyncIterator[Telegram]:
    """Connected and polling."""
    async with connected(config(server)) as telegram, listening(server, telegram, inbox):
        yield telegram


@asynccontextmanager
async def hooked(server: TelegramServer) -> AsyncIterator[tuple[Telegram, str]]:
    """Connected by webhook, not yet listening: the adapter and the address of its route in a web server."""
    with listening_socket("127.0.0.1", 0) as socket:
        address = f"http://127.0.0.1:{socket.getsockname()[1]}"
        async with connected(config(server, hook=address)) as telegram:
            site = asyncio.create_task(serve_http(Starlette(routes=list(telegram.routes)), socket))
            try:
                yield telegram, f"{address}{HOOK}"
            finally:
                site.cancel()
                await asyncio.wait([site])


def owed(content: Content, chat: str, edits: MessageRef | None = None, under: MessageRef | None = None) -> Owed:
    return Owed(1, Post(Place("telegram", chat), content), 1, edits, under)
