"""Parts of the Slack tests: an inbox and a desk in memory, the company, and a running adapter."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import uvicorn
from starlette.applications import Starlette

from bot.domain import model_ports, queries
from bot.domain.conversations import State
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.errors import Unreachable, UsageError
from bot.domain.learning import Adapter
from bot.domain.ledger import Ledger
from bot.domain.messages import Deletion, Edit, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.posts import Card, Content, OutboxItem, Post
from bot.domain.queries import Account, Erased, Request, Week
from bot.domain.tasks import Label, Task, Vocabulary
from bot.platforms import PlatformContext, Routed
from bot.platforms.slack import PLATFORM, Config, Mode
from bot.platforms.slack.adapter import Slack
from tests.fakes_ledger import FakeLedger
from tests.servers.slack import Post as Shown
from tests.servers.slack import SlackServer

HELP, LOUNGE, BILLING, IT = "C0HELP", "C0LOUNGE", "C0BILLING", "C0IT"
ANN, BEN, LEAD, OTHER_LEAD, TEAM_LEAD = "U0ANN", "U0BEN", "U0LEAD", "U0LEAD2", "U0TEAMLEAD"
STRANGER, ROBOT = "U0STRANGER", "U0ROBOT"
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)

BILLING_TEAM = Label(
    "billing",
    "Invoices and refunds",
    emoji={"slack": "moneybag"},
    deliver_to={"slack": Place("slack", BILLING)},
    leads={"slack": frozenset({TEAM_LEAD})},
)
IT_TEAM = Label(
    "it", "Laptops", emoji={"slack": "wrench"}, deliver_to={"slack": Place("slack", IT)}, title="IT & Tools"
)
TASK = Task("routing", "Which team?", (BILLING_TEAM, IT_TEAM), fallback="it")
WORDS = Vocabulary(
    take={"slack": "eyes"},
    done={"slack": "white_check_mark"},
    wrong={"slack": "-1"},
    send={"slack": "outbox_tray"},
    request={"slack": "ticket"},
)


@dataclass(slots=True)
class Recorder:
    """An inbox in memory that can be down or blocked; it stores by ref, as the real one does."""

    down: bool = False
    broken: bool = False
    free: asyncio.Event = field(default_factory=asyncio.Event)
    """If cleared, storing waits."""
    tried: int = 0
    messages: dict[MessageRef, Message] = field(default_factory=dict)
    notes: dict[MessageRef, Note] = field(default_factory=dict)
    reactions: list[Reaction] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    deletions: list[Deletion] = field(default_factory=list)
    moved: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.free.set()

    async def message(self, message: Message) -> None:
        await self._store()
        self.messages.setdefault(message.ref, message)

    async def note(self, note: Note) -> None:
        await self._store()
        self.notes.setdefault(note.ref, note)

    async def reaction(self, reaction: Reaction) -> None:
        await self._store()
        if reaction not in self.reactions:
            self.reactions.append(reaction)

    async def press(self, press: Press) -> None:
        await self._store()
        self.presses.append(press)

    async def edit(self, edit: Edit) -> None:
        await self._store()
        self.edits.append(edit)

    async def deletion(self, deletion: Deletion) -> None:
        await self._store()
        self.deletions.append(deletion)

    async def person(self, person: Person) -> None:
        """As in the ledger, an existing name is kept."""
        await self._store()
        for ref, message in self.messages.items():
            if message.author.id == person.id and not message.author.name:
                self.messages[ref] = replace(message, author=person)
        self.tried -= 1

    async def chat_moved(self, platform: str, before: str, after: str) -> None:
        await self._store()
        self.moved.append((platform, before, after))

    async def _store(self) -> None:
        self.tried += 1
        await self.free.wait()
        if self.broken:
            raise RuntimeError("a bug")
        if self.down:
            raise Unreachable("database: down")

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages.values()]


@dataclass(slots=True)
class FakeDesk:
    """A desk in memory: tests set its answers, and read what it did."""

    requests: dict[str, list[Request]] = field(default_factory=dict)
    doubts: list[Request] = field(default_factory=list)
    accounts: dict[MessageRef, Account] = field(default_factory=dict)
    adapters: list[tuple[Adapter, bool]] = field(default_factory=list)
    did: list[tuple[str, str]] = field(default_factory=list)
    learning: bool = False
    down: bool = False

    async def requests_of(self, person: Person) -> list[Request]:
        if self.down:
            raise Unreachable("database: down")
        return self.requests.get(person.id, [])

    async def doubtful(self) -> list[Request]:
        return self.doubts

    async def account(self, ref: MessageRef) -> Account | None:
        return self.accounts.get(ref)

    async def week(self) -> Week:
        return Week(10, 2, 1)

    async def serving(self) -> str:
        return "routing-3"

    async def models(self) -> list[tuple[Adapter, bool]]:
        return self.adapters

    async def backlog(self) -> Mapping[str, float]:
        return {"undecided": 2.0, "unsaid": 1.0, "given_up": 0.0}

    async def learn(self, lead: Person) -> bool:
        waits, self.learning = self.learning, True
        self.did.append(("learn", lead.id))
        return not waits

    async def promote(self, name: str, lead: Person) -> None:
        if name != "routing-2":
            raise UsageError(f"no adapter is called {name}")
        self.did.append((f"promote {name}", lead.id))

    async def rollback(self, lead: Person) -> str:
        self.did.append(("rollback", lead.id))
        return "routing-1"

    async def new_request(self, person: Person, chat: str) -> None: ...

    async def language(self, person: Person) -> str | None:
        return None

    async def speak(self, person: Person, language: str) -> None: ...

    async def forget(self, person: Person) -> Erased:
        self.did.append(("forget", person.id))
        return Erased(2, 1, ())


def around(chat_commands: FakeDesk | None = None, task: Task = TASK, ledger: Ledger | None = None) -> PlatformContext:
    """The ports that the adapter may use."""
    return PlatformContext(
        task=task,
        languages=("en", "pt-BR", "es"),
        base="starter",
        vocabulary=WORDS,
        ledger=ledger or FakeLedger(),
        chat_commands=chat_commands or FakeDesk(),
        transcript=cast(queries.Transcript, None),
        registry=cast(model_ports.Registry, None),
        examples=cast(model_ports.Examples, None),
    )


def config(server: SlackServer, mode: Mode = Mode.SOCKET, **changes: str) -> Config:
    secrets = {
        "SLACK_BOT_TOKEN": server.bot_token,
        "SLACK_APP_TOKEN": server.app_token,
        "SLACK_SIGNING_SECRET": server.signing_secret,
        "SLACK_API_BASE_URL": server.api_url,
    }
    table = {"mode": mode.value, "intake": [HELP], "leads": [LEAD, ROBOT, "S0LEADS"]}
    return PLATFORM.parse(table, secrets | changes)


@asynccontextmanager
async def speaking(settings: Config, platform_context: PlatformContext | None = None) -> AsyncIterator[Slack]:
    async with PLATFORM.connect(settings, platform_context or around()) as platform:
        assert isinstance(platform, Slack)
        yield platform


@asynccontextmanager
async def listening(server: SlackServer, slack: Slack, inbox: Recorder) -> AsyncIterator[None]:
    task = asyncio.create_task(slack.listen(inbox), name="listen")
    try:
        await server.until(lambda: slack.healthy() or task.done())
        assert not task.done(), task.exception()
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert not slack.healthy()


@asynccontextmanager
async def site(server: SlackServer, slack: Slack) -> AsyncIterator[str]:
    """The adapter's routes in a web server, as `bot.http` mounts them."""
    assert isinstance(slack, Routed)
    web = uvicorn.Server(uvicorn.Config(Starlette(routes=list(slack.routes)), port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(web.serve())
    await server.until(lambda: web.started)
    port = web.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/slack/events"
    finally:
        web.should_exit = True
        await task


def settled(server: SlackServer) -> Callable[[], bool]:
    return lambda: bool(server.deliveries) and all(delivery.acked for delivery in server.deliveries)


def item(
    content: Content, place: Place | None = None, *, only_for: Person | None = None, **changes: object
) -> OutboxItem:
    blank = OutboxItem(41, Post(place or Place("slack", HELP), content, only_for=only_for), 1)
    return replace(blank, **changes)  # type: ignore[arg-type]


def card(source: MessageRef | None = None, **changes: object) -> Card:
    content = Card(
        conversation=7,
        label="billing",
        excerpt="I was charged twice <!channel>",
        author="Ann",
        source=source or MessageRef("slack", HELP, "1.1"),
        by=Author.MODEL,
        reason=Reason.CONFIDENT,
        confidence=0.9,
        adapter="routing-1",
        legend=(("moneybag", "billing"),),
    )
    return replace(content, **changes)  # type: ignore[arg-type]


def request(source: MessageRef, **changes: object) -> Request:
    known = Request(
        conversation=7,
        label="billing",
        state=State.ROUTED,
        excerpt="I was charged twice",
        source=source,
        card=None,
        since=AT,
        taken_by=None,
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def account(source: MessageRef) -> Account:
    decided = Decision("routing", "billing", Author.MODEL, Reason.CONFIDENT, {"billing": 0.9}, adapter="routing-3")
    return Account(request(source), ((AT, decided),), ("charged 2x",))


def adapter_called(name: str) -> Adapter:
    return Adapter(name, "routing", Path("runs") / name, "starter", {}, 1.0, AT)


def person(user: str) -> Person:
    return Person("slack", user)


async def whispered(server: SlackServer, channel: str, user: str) -> Shown:
    """Wait for the newest message that only this person was shown there."""
    await server.until(lambda: server.ephemerals(channel, user))
    return server.ephemerals(channel, user)[-1]
