"""The manifest requests exactly the scopes in use: all works with them, and something fails without any one."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest

from bot.domain.errors import SwitchboardError
from bot.domain.messages import File, Media, MediaKind, MessageRef, Place
from bot.domain.posts import Answer, Notice, What
from bot.domain.tasks import Label, Task
from bot.platforms.slack import PLATFORM
from bot.platforms.slack.adapter import Slack
from bot.platforms.slack.manifest import EVENTS as SUBSCRIBED
from bot.platforms.slack.manifest import SCOPES
from tests.integration.platforms.slack.parts import (
    ANN,
    BEN,
    OTHER_LEAD,
    FakeDesk,
    Recorder,
    around,
    card,
    item,
    listening,
    person,
    speaking,
)
from tests.servers.slack import BOT_USER, Channel, SlackServer, User
from tests.servers.slack.scopes import EVENTS, INTERACTIONS, METHODS, needed

HELP, SECRET_HELP, LOUNGE, ROOM, SECRET_ROOM = "C0HELP", "G0HELP", "C0LOUNGE", "C0BILLING", "G0IT"
DIRECT = "D0ANN"
TASK = Task(
    "routing",
    "Which team?",
    (
        Label("billing", "x", emoji={"slack": "moneybag"}, deliver_to={"slack": Place("slack", ROOM)}),
        Label("it", "x", emoji={"slack": "wrench"}, deliver_to={"slack": Place("slack", SECRET_ROOM)}),
    ),
    fallback="it",
)
WAIT = 0.5
Step = Callable[[], Awaitable[object]]


@dataclass
class Story:
    """Everything we do with Slack, each step separately."""

    server: SlackServer
    slack: Slack
    inbox: Recorder
    post: int = 100
    failed: list[str] = field(default_factory=list)

    async def run(self) -> list[str]:
        """The names of the steps that failed."""
        for name, step in {**self.in_steps, **self.out_steps}.items():
            try:
                await step()
            except (SwitchboardError, TimeoutError, AssertionError):
                self.failed.append(name)
        return self.failed

    @property
    def in_steps(self) -> Mapping[str, Step]:
        return {
            "hear a mention": lambda: self.hears(LOUNGE, "app_mention"),
            "hear a public channel": lambda: self.hears(HELP),
            "hear a private channel": lambda: self.hears(SECRET_HELP),
            "hear a direct message": lambda: self.hears(ANN),
            "know who writes": self.knows_who_writes,
            "hear emoji by any name": self.hears_emoji,
            "know a group of leads": self.knows_a_group,
            "answer a command": self.answers,
            "open a form": lambda: self.opens_a_form(LOUNGE),
            "open a form in a direct message": lambda: self.opens_a_form(DIRECT),
            "take a request by command": self.takes_a_request,
        }

    @property
    def out_steps(self) -> Mapping[str, Step]:
        return {
            "post a card": lambda: self.says(ROOM),
            "post a card in private": lambda: self.says(SECRET_ROOM),
            "find a post": lambda: self.finds(HELP),
            "find a post in private": lambda: self.finds(SECRET_HELP),
            "find a post in a direct message": lambda: self.finds(DIRECT),
            "change a post": self.changes,
            "whisper": self.whispers,
            "fetch a file": self.fetches,
            "bring a file": self.brings,
        }

    async def until(self, predicate: Callable[[], object]) -> None:
        await self.server.until(predicate, WAIT)

    async def hears(self, channel: str, kind: str = "message_only") -> None:
        text = f"<@{BOT_USER}> by {kind} in {channel}"
        await self.server.writes(ANN, channel, text, kind=kind)
        await self.until(lambda: f"by {kind} in {channel}" in self.inbox.texts)

    async def knows_who_writes(self) -> None:
        assert "Ann" in {message.author.name for message in self.inbox.messages.values()}

    async def hears_emoji(self) -> None:
        ts = await self.server.writes(BEN, ROOM, "as it were a card")
        await self.server.reacts(ANN, ROOM, ts, "cash")
        await self.until(lambda: self.inbox.reactions)
        assert self.inbox.reactions[-1].emoji == "moneybag"

    async def knows_a_group(self) -> None:
        assert await self.slack.may_correct(person(OTHER_LEAD), TASK.label("it"), Place("slack", ROOM))

    async def answers(self) -> None:
        await self.server.clicks.command(BEN, LOUNGE, "status")
        await self.until(lambda: self.server.ephemerals(LOUNGE, BEN))

    async def takes_a_request(self) -> None:
        await self.server.clicks.command(ANN, LOUNGE, "route by command")
        await self.until(lambda: "by command" in self.inbox.texts)

    async def opens_a_form(self, channel: str) -> None:
        before = len(self.server.views.forms)
        ts = await self.server.writes(ANN, ANN if channel == DIRECT else channel, "my laptop")
        await self.server.clicks.shortcut(ANN, channel, ts)
        await self.until(lambda: len(self.server.views.forms) > before)

    def next(self) -> int:
        self.post += 1
        return self.post

    async def says(self, channel: str) -> MessageRef:
        return await self.slack.say(item(card(), Place("slack", channel), id=self.next()))

    async def finds(self, channel: str) -> None:
        self.server.space.direct(ANN)
        await self.slack.say(item(Answer("billing", None), Place("slack", channel), id=self.next(), attempt=2))

    async def changes(self) -> None:
        receipt = await self.slack.say(item(Answer("billing", None), Place("slack", HELP), id=self.next()))
        await self.slack.say(item(Answer("it", None), edits=receipt))

    async def whispers(self) -> None:
        await self.slack.say(item(Notice(What.NO_LEAD), Place("slack", LOUNGE), only_for=person(ANN)))

    async def fetches(self) -> None:
        file = self.server.files.add("a.txt", b"x", "text/plain", HELP)
        assert await self.slack.fetch(Media("slack", file.id, MediaKind.DOCUMENT)) == b"x"

    async def brings(self) -> None:
        voice = Media("telegram", "AgAC", MediaKind.VOICE)
        place = Place("slack", HELP)
        await self.slack.say(item(Answer("it", None), place, id=self.next(), files=(File(voice, b"sound"),)))
        assert [file for file in self.server.files.stored.values() if file.name == "voice" and file.shared]


async def told(scopes: frozenset[str]) -> tuple[list[str], set[str]]:
    """(the steps that fail with these scopes, the scopes of all calls that were made)."""
    channels = [Channel(id=name, name=name.lower()) for name in (HELP, LOUNGE, ROOM)]
    channels += [Channel(id=name, name=name.lower(), kind="group") for name in (SECRET_HELP, SECRET_ROOM)]
    async with SlackServer(scopes=scopes, redeliver_after=0.3) as server, AsyncExitStack() as stack:
        for channel in channels:
            server.add_channel(channel)
        for user in (User(id=ANN, name="Ann"), User(id=OTHER_LEAD, name="lead")):
            server.add_user(user)
        server.add_usergroup("S0LEADS", [OTHER_LEAD])
        server.space.emoji = {"cash": "alias:moneybag"}
        secrets = {"SLACK_BOT_TOKEN": server.bot_token, "SLACK_APP_TOKEN": server.app_token}
        settings = PLATFORM.parse(
            {"intake": [HELP, SECRET_HELP], "leads": ["S0LEADS"]}, secrets | {"SLACK_API_BASE_URL": server.api_url}
        )
        inbox = Recorder()
        slack = await stack.enter_async_context(speaking(settings, around(FakeDesk(), TASK)))
        await stack.enter_async_context(listening(server, slack, inbox))
        await server.until(lambda: server.calls_to("emoji.list"))
        failed = await Story(server, slack, inbox).run()
        used = {
            needed(METHODS, call.method, server.space.channels.get(str(call.args.get("channel"))))
            for call in server.calls
            if call.method in METHODS
        }
        unknown = {call.method for call in server.calls} - METHODS.keys() - {"response_url"}
        assert unknown == set(), "of every method that we call we know the scope"
        return failed, used - {""}


async def test_all_works_with_the_manifests_scopes_and_they_are_exactly_those_used() -> None:
    failed, used = await told(frozenset(SCOPES))
    assert failed == []
    kinds = {"message.channels": "channel", "message.groups": "group", "message.im": "im"}
    heard = {
        needed(EVENTS, event.split(".")[0], Channel(id="x", name="x", kind=kinds.get(event, "channel")))
        for event in SUBSCRIBED
    }
    assert used | heard - {""} | {INTERACTIONS} == set(SCOPES)


@pytest.mark.parametrize("missing", sorted(SCOPES))
async def test_without_any_one_scope_something_fails(missing: str) -> None:
    failed, _ = await told(frozenset(SCOPES) - {missing})
    assert failed, f"{missing} is not needed for anything"
