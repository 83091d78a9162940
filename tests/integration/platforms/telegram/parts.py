"""The adapter as the tests build it: its settings, an inbox and a desk in memory, a web server for its webhook."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast

from starlette.applications import Starlette

from bot.domain import model_ports, ports, queries
from bot.domain.errors import Unreachable
from bot.domain.ledger import Ledger
from bot.domain.messages import Deletion, Edit, File, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.posts import Content, OutboxItem, Post
from bot.domain.queries import Erased, Request
from bot.domain.tasks import Label, Task, Vocabulary
from bot.http.server import listening_socket, serve_http
from bot.platforms import PlatformContext
from bot.platforms.telegram import HOOK, PLATFORM, Config
from bot.platforms.telegram.adapter import Telegram
from tests.fakes_ledger import FakeLedger
from tests.servers.telegram import TelegramServer

ANN, LEAD, STRANGER = 111, 222, 333
BILLING, IT = -1001234567890, -1009
SECRET = "hook-secret"
POISON = {"message_id": 1, "text": "a secret of mine", "no": "chat, no date"}
"""An update that no library can read."""

TASK = Task(
    name="routing",
    question="Which team?",
    labels=tuple(
        Label(name, f"about {name}", (), {"telegram": emoji}, {"telegram": Place("telegram", room)})
        for name, emoji, room in (("billing", "🤝", str(BILLING)), ("it", "👨\u200d💻", f"{IT}/45"))
    ),
    fallback="it",
)
VOCABULARY = Vocabulary(
    take={"telegram": "👀"},
    done={"telegram": "👌"},
    wrong={"telegram": "👎"},
    send={"telegram": "🕊"},
    request={"telegram": "✍"},
)


@dataclass(slots=True)
class Recorder:
    """An inbox in memory that can be down; it stores each fact once, by the same key as the real one."""

    down: bool = False
    broken: str | None = None
    """A text for which it raises an unexpected error."""
    tried: int = 0
    messages: dict[MessageRef, Message] = field(default_factory=dict)
    notes: dict[MessageRef, Note] = field(default_factory=dict)
    edits: dict[Edit, None] = field(default_factory=dict)
    reactions: dict[Reaction, None] = field(default_factory=dict)
    presses: dict[Press, None] = field(default_factory=dict)
    moves: dict[tuple[str, str, str], None] = field(default_factory=dict)

    async def message(self, message: Message) -> None:
        self._store()
        if message.text == self.broken:
            raise ZeroDivisionError
        self.messages.setdefault(message.ref, message)

    async def reaction(self, reaction: Reaction) -> None:
        self._store()
        self.reactions[reaction] = None

    async def press(self, press: Press) -> None:
        self._store()
        self.presses[press] = None

    async def edit(self, edit: Edit) -> None:
        self._store()
        self.edits[edit] = None

    async def deletion(self, deletion: Deletion) -> None:
        raise AssertionError("Telegram tells of no deletions")

    async def note(self, note: Note) -> None:
        self._store()
        self.notes.setdefault(note.ref, note)

    async def person(self, person: Person) -> None:
        raise AssertionError("Telegram says the name with the message")

    async def chat_moved(self, platform: str, before: str, after: str) -> None:
        self._store()
        self.moves[platform, before, after] = None

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


@dataclass(slots=True)
class Counter:
    """A desk in memory for what people ask by command; it can be down."""

    down: bool = False
    requests: list[Request] = field(default_factory=list)
    fresh: list[tuple[str, str]] = field(default_factory=list)
    """(person, chat) of every new request."""
    languages: dict[str, str] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)

    async def requests_of(self, person: Person) -> list[Request]:
        return self.requests

    async def new_request(self, person: Person, chat: str) -> None:
        self._open()
        self.fresh.append((person.id, chat))

    async def language(self, person: Person) -> str | None:
        self._open()
        return self.languages.get(person.id)

    async def speak(self, person: Person, language: str) -> None:
        self.languages[person.id] = language

    async def forget(self, person: Person) -> Erased:
        self.forgotten.append(person.id)
        return Erased(1, 1, ("routing-1",), datetime(2027, 1, 31, tzinfo=UTC))

    def _open(self) -> None:
        if self.down:
            raise Unreachable("database: down")


def platform_context(
    chat_commands: Counter | queries.ChatCommands | None = None,
    task: Task = TASK,
    words: Vocabulary = VOCABULARY,
    ledger: Ledger | None = None,
) -> PlatformContext:
    return PlatformContext(
        task,
        ("en", "pt-BR", "es"),
        "starter",
        words,
        ledger or FakeLedger(),
        cast(queries.ChatCommands, chat_commands or Counter()),
        cast(queries.Transcript, None),
        cast(model_ports.Registry, None),
        cast(model_ports.Examples, None),
    )


def config(
    server: TelegramServer, token: str | None = None, hook: str | None = None, leads: Sequence[object] = (LEAD,)
) -> Config:
    """With polling, or with a webhook at that address."""
    environment = {
        "TELEGRAM_BOT_TOKEN": token or server.token,
        "TELEGRAM_WEBHOOK_SECRET": SECRET,
        "TELEGRAM_API_BASE_URL": server.api_url,
        "TELEGRAM_FILE_BASE_URL": server.file_url,
    }
    table: dict[str, object] = {"leads": [*leads]}
    return PLATFORM.parse(table | ({"mode": "webhook", "webhook_url": hook} if hook else {}), environment)


@asynccontextmanager
async def connected(settings: Config, around: PlatformContext | None = None) -> AsyncIterator[Telegram]:
    async with PLATFORM.connect(settings, around or platform_context()) as platform:
        assert isinstance(platform, Telegram)
        yield platform


@asynccontextmanager
async def listening(server: TelegramServer, telegram: Telegram, inbox: ports.Inbox) -> AsyncIterator[None]:
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
async def hearing(
    server: TelegramServer, inbox: Recorder, chat_commands: Counter | None = None, task: Task = TASK
) -> AsyncIterator[Telegram]:
    """Connected and polling."""
    async with (
        connected(config(server), platform_context(chat_commands, task)) as telegram,
        listening(server, telegram, inbox),
    ):
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


def item(
    content: Content,
    chat: str,
    edits: MessageRef | None = None,
    under: MessageRef | None = None,
    answers: MessageRef | None = None,
    only_for: Person | None = None,
    files: Sequence[File] = (),
) -> OutboxItem:
    post = Post(Place("telegram", chat), content, only_for=only_for, answers=answers)
    return OutboxItem(1, post, 1, edits, under, tuple(files))


def in_room(label: str, room: str, **leads: frozenset[str]) -> Task:
    """The task, with that team in another room or with its own leads."""
    labels = [
        replace(one, deliver_to={"telegram": Place("telegram", room)}, leads=leads) if one.name == label else one
        for one in TASK.labels
    ]
    return replace(TASK, labels=tuple(labels))
