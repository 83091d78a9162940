"""What every platform promises, whatever it is: one test body over every folder in bot/platforms."""

import asyncio
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from bot import platforms
from bot.domain import model_ports, ports, queries
from bot.domain.errors import ConfigError, Refused, Unreachable
from bot.domain.messages import Media, MediaKind, MessageRef, Person, Place
from bot.domain.ports import Platform
from bot.domain.posts import (
    KINDS,
    Answer,
    Card,
    Content,
    FollowUp,
    LearningReport,
    Moved,
    Notice,
    Offer,
    OutboxItem,
    Post,
    Question,
    Reply,
    Sent,
    Solved,
    Split,
    What,
    WordsPlease,
    WrongTeam,
)
from bot.domain.tasks import Label, Task, Vocabulary
from bot.platforms import PlatformContext, PlatformModule, platform_modules
from tests.servers.slack import SlackServer
from tests.servers.telegram import TelegramServer

ROOMS = {"slack": "C0BILLING", "telegram": "-1001", "web": "billing"}
PERSONS = {"slack": "U0ANN", "telegram": "4711", "web": "customer"}
CHATS = {"slack": "C0HELP", "telegram": "4711", "web": "customer"}
DEMO = Path(platforms.__file__).parents[1] / "demo" / "switchboard.toml"


@asynccontextmanager
async def settings_of(name: str) -> AsyncIterator[tuple[dict[str, object], dict[str, str]]]:
    """A platform's table and environment, with the service that speaks its protocol running."""
    match name:
        case "slack":
            async with SlackServer([CHATS["slack"], ROOMS["slack"]]) as slack:
                secrets = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
                yield {"intake": [CHATS["slack"]]}, secrets | {"SLACK_API_BASE_URL": slack.api_url}
        case "telegram":
            async with TelegramServer() as telegram:
                telegram.add_group(int(ROOMS["telegram"]), "billing")
                await telegram.writes(int(PERSONS["telegram"]), "hello")
                urls = {"TELEGRAM_API_BASE_URL": telegram.api_url, "TELEGRAM_FILE_BASE_URL": telegram.file_url}
                yield {}, {"TELEGRAM_BOT_TOKEN": telegram.token} | urls
        case _:
            yield {}, {}


def platform_context(name: str, kind: PlatformModule) -> PlatformContext:
    room = kind.place(ROOMS[name])
    label = Label("billing", "Invoices", deliver_to={name: room})
    task = Task("routing", "Which team?", (label, Label("other", "The rest", deliver_to={name: room})), "other")
    emoji = tomllib.loads(DEMO.read_text("utf-8"))["conversation"]["emoji"]
    take, done, wrong, send = ({name: kind.emoji(emoji[what][name])} for what in ("take", "done", "wrong", "send"))
    return PlatformContext(
        task,
        ("en", "pt-BR", "es"),
        "starter",
        Vocabulary(take, done, wrong, send),
        cast(ports.Ledger, None),
        cast(queries.ChatCommands, None),
        cast(queries.Transcript, None),
        cast(model_ports.Registry, None),
        cast(model_ports.Examples, None),
    )


@asynccontextmanager
async def connected(name: str, kind: PlatformModule) -> AsyncIterator[Platform]:
    async with (
        settings_of(name) as (table, environment),
        kind.connect(kind.parse(table, environment), platform_context(name, kind)) as platform,
    ):
        yield platform


async def said(platform: Platform, item: OutboxItem) -> MessageRef:
    """Said as the courier does it: a chat that asks for patience gets it."""
    while True:
        try:
            return await platform.say(item)
        except Unreachable as error:
            if error.retry_after is None:
                raise
            await asyncio.sleep(error.retry_after.total_seconds())


def contents(name: str) -> list[tuple[str, Content]]:
    """One post of every kind, with the chat it goes to."""
    source = MessageRef(name, CHATS[name], "1")
    elsewhere = Media("elsewhere", "f", MediaKind.DOCUMENT, "bill.pdf")
    person, room = CHATS[name], ROOMS[name]
    return [
        (person, Answer("billing", "pt")),
        (person, Question(("billing",), "es")),
        (person, WordsPlease(None)),
        (person, Moved("billing", "en")),
        (person, Reply("billing", "a <b> & *c*", "en", "Lee", (elsewhere,))),
        (person, Solved("billing", "en")),
        (person, Split("billing", "en", source)),
        (room, card(name)),
        (room, FollowUp("Ann", "and <!channel> this", (elsewhere,))),
        (room, Offer(1, "Ann", "a <b> & *c*")),
        (room, Sent("a <b> & *c*", "Lee", "Ann")),
        (room, WrongTeam(("billing", "other"))),
        (room, Notice(What.UNTAKEN, minutes=30)),
        (room, LearningReport("routing", "routing-2", True, ("better",))),
    ]


def card(name: str, **changes: object) -> Card:
    source = MessageRef(name, CHATS[name], "1")
    plain = Card(7, "billing", "a <b> & *c*", "Ann", source, "model", "confident", 0.9, "routing-1", ())
    return replace(plain, **changes)  # type: ignore[arg-type]


def rewritten(name: str) -> list[tuple[str, Content, Content]]:
    """(chat, what is said, what it becomes) of every post that changes while it stands."""
    source = MessageRef(name, CHATS[name], "1")
    person, room = CHATS[name], ROOMS[name]
    return [
        (person, Question(("billing",), "en"), Question((), "en", answered="billing", chosen=True)),
        (person, Reply("billing", "one", "en", "Lee"), Reply("billing", "two", "en", "Lee", edited=True)),
        (person, Solved("billing", "en"), Solved("billing", "en", answer="yes")),
        (person, Split("billing", "en", source), Split("billing", "en", source, done=True)),
        (room, card(name), card(name, taken_by="Lee", edited=True)),
        (room, card(name), card(name, moved_to="other", moved_link=MessageRef(name, room, "9"))),
        (room, card(name), card(name, deleted=True, excerpt="")),
        (room, FollowUp("Ann", "one"), FollowUp("Ann", "two", edited=True)),
        (room, FollowUp("Ann", "one"), FollowUp("Ann", "", deleted=True)),
        (room, Offer(1, "Ann", "one"), Offer(1, "Ann", "one", sent=True)),
        (room, WrongTeam(("billing", "other")), WrongTeam((), chosen="other")),
    ]


@pytest.mark.parametrize(("name", "kind"), platform_modules().items())
class TestEveryPlatform:
    def test_its_folder_has_the_four_files(self, name: str, kind: PlatformModule) -> None:
        folder = Path(platforms.__file__).parent / name
        assert {"__init__.py", "adapter.py", "events.py", "render.py"} <= {file.name for file in folder.iterdir()}

    def test_its_emoji_have_one_normal_form(self, name: str, kind: PlatformModule) -> None:
        labels = tomllib.loads(DEMO.read_text("utf-8"))["tasks"]["routing"]["labels"]
        for label in labels.values():
            normal = kind.emoji(label["emoji"][name])
            assert kind.emoji(normal) == normal
        with pytest.raises(ValueError):
            kind.emoji("not an emoji")

    def test_its_rooms_are_its_own(self, name: str, kind: PlatformModule) -> None:
        assert kind.place(ROOMS[name]).platform == name
        with pytest.raises(ValueError):
            kind.place("")

    def test_a_wrong_key_is_named(self, name: str, kind: PlatformModule) -> None:
        with pytest.raises(ConfigError) as caught:
            kind.parse({"colour": "blue"}, {})
        assert any(mistake.startswith(f"platforms.{name}.colour") for mistake in caught.value.mistakes)

    async def test_its_settings_never_show_a_secret(self, name: str, kind: PlatformModule) -> None:
        async with settings_of(name) as (table, environment):
            shown = repr(kind.parse(table, environment))
            assert not [value for key, value in environment.items() if "TOKEN" in key and value in shown]

    async def test_it_says_every_kind_of_post_and_gives_receipts_of_its_own(
        self, name: str, kind: PlatformModule
    ) -> None:
        async with connected(name, kind) as platform:
            assert platform.name == name
            posts = contents(name)
            assert {type(content).__name__ for _, content in posts} == set(KINDS)
            receipts = [
                await said(platform, OutboxItem(number, Post(Place(name, chat), content), 1))
                for number, (chat, content) in enumerate(posts, start=1)
            ]
            assert {receipt.platform for receipt in receipts} == {name}
            assert len(set(receipts)) == len(receipts)

    @pytest.mark.parametrize("which", range(len(rewritten("web"))))
    async def test_it_rewrites_what_it_said_and_rewriting_twice_is_harmless(
        self, name: str, kind: PlatformModule, which: int
    ) -> None:
        chat, before, after = rewritten(name)[which]
        async with connected(name, kind) as platform:
            receipt = await said(platform, OutboxItem(1, Post(Place(name, chat), before), 1))
            for attempt in (1, 2):
                edit = OutboxItem(2, Post(Place(name, chat), after, edits=1), attempt, edits=receipt)
                assert await said(platform, edit) == receipt

    async def test_nobody_may_do_anything_who_is_not_of_the_team(self, name: str, kind: PlatformModule) -> None:
        async with connected(name, kind) as platform:
            team, room = Label("billing", "Invoices"), kind.place(ROOMS[name])
            for person in (Person(name, PERSONS[name], external=True), Person("elsewhere", PERSONS[name])):
                assert not await platform.may_correct(person, team, room)
                assert not await platform.may_handle(person, room)
            assert not await platform.may_correct(Person(name, PERSONS[name]), team, room)

    async def test_it_fetches_nothing_of_another_platform(self, name: str, kind: PlatformModule) -> None:
        async with connected(name, kind) as platform:
            with pytest.raises(Refused):
                await platform.fetch(Media("elsewhere", "f", MediaKind.DOCUMENT, "bill.pdf"))

    async def test_it_says_whether_it_whispers(self, name: str, kind: PlatformModule) -> None:
        async with connected(name, kind) as platform:
            assert platform.whispers is (name == "slack")

    def test_a_lead_that_is_nobody_is_refused(self, name: str, kind: PlatformModule) -> None:
        for nobody in ("", None, "somebody that nobody knows"):
            with pytest.raises(ValueError):
                kind.lead(nobody)

    async def test_its_check_finds_something_and_more_than_once(self, name: str, kind: PlatformModule) -> None:
        async with settings_of(name) as (table, environment):
            config, around = kind.parse(table, environment), platform_context(name, kind)
            for _ in range(2):
                found = [finding async for finding in kind.check(config, around, live=False)]
                assert found
                assert all(finding.what and finding.ok is not bool(finding.remedy) for finding in found)

    def test_what_has_to_be_handed_over_is_files_with_names(self, name: str, kind: PlatformModule) -> None:
        for address in ("", "https://bot.example.com"):
            files = kind.install(address)
            assert all(Path(file).name == file and content.strip() for file, content in files.items())

    async def test_it_is_not_healthy_before_it_listens(self, name: str, kind: PlatformModule) -> None:
        async with connected(name, kind) as platform:
            await asyncio.sleep(0)
            assert not platform.healthy()
