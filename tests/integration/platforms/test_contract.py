"""What every platform promises, whatever it is: one test body over every folder in bot/platforms."""

import asyncio
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from bot import platforms
from bot.domain import ports
from bot.domain.errors import ConfigError, Unreachable
from bot.domain.messages import MessageRef, Person, Place
from bot.domain.ports import Platform
from bot.domain.posts import (
    KINDS,
    Answer,
    Card,
    Content,
    FollowUp,
    LearningReport,
    Moved,
    Owed,
    Post,
    Question,
    WordsPlease,
)
from bot.domain.tasks import Label, Task
from bot.platforms import Kind, Surroundings, kinds
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


@asynccontextmanager
async def connected(name: str, kind: Kind) -> AsyncIterator[Platform]:
    room = kind.place(ROOMS[name])
    label = Label("billing", "Invoices", deliver_to={name: room})
    task = Task("routing", "Which team?", (label, Label("other", "The rest", deliver_to={name: room})), "other")
    around = Surroundings(
        task,
        ("en", "pt-BR", "es"),
        "starter",
        cast(ports.Ledger, None),
        cast(ports.Transcript, None),
        cast(ports.Registry, None),
        cast(ports.Examples, None),
    )
    async with (
        settings_of(name) as (table, environment),
        kind.connect(kind.parse(table, environment), around) as platform,
    ):
        yield platform


async def said(platform: Platform, owed: Owed) -> MessageRef:
    """Said as the courier does it: a chat that asks for patience gets it."""
    try:
        return await platform.say(owed)
    except Unreachable as error:
        if error.retry_after is None:
            raise
        await asyncio.sleep(error.retry_after.total_seconds())
        return await platform.say(owed)


def contents(name: str) -> list[tuple[str, Content]]:
    """One post of every kind, with the chat it goes to."""
    source = MessageRef(name, CHATS[name], "1")
    card = Card(7, "billing", "a <b> & *c*", "Ann", source, "model", "confident", 0.9, "routing-1", ())
    person, room = CHATS[name], ROOMS[name]
    return [
        (person, Answer("billing", "pt")),
        (person, Question(("billing",), "es")),
        (person, WordsPlease(None)),
        (person, Moved("billing", "en")),
        (room, card),
        (room, FollowUp("Ann", "and <!channel> this")),
        (room, LearningReport("routing", "routing-2", True, ("better",))),
    ]


@pytest.mark.parametrize(("name", "kind"), kinds().items())
class TestEveryPlatform:
    def test_its_folder_has_the_four_files(self, name: str, kind: Kind) -> None:
        folder = Path(platforms.__file__).parent / name
        assert {"__init__.py", "adapter.py", "events.py", "render.py"} <= {file.name for file in folder.iterdir()}

    def test_its_emoji_have_one_normal_form(self, name: str, kind: Kind) -> None:
        labels = tomllib.loads(DEMO.read_text("utf-8"))["tasks"]["routing"]["labels"]
        for label in labels.values():
            normal = kind.emoji(label["emoji"][name])
            assert kind.emoji(normal) == normal
        with pytest.raises(ValueError):
            kind.emoji("not an emoji")

    def test_its_rooms_are_its_own(self, name: str, kind: Kind) -> None:
        assert kind.place(ROOMS[name]).platform == name
        with pytest.raises(ValueError):
            kind.place("")

    def test_a_wrong_key_is_named(self, name: str, kind: Kind) -> None:
        with pytest.raises(ConfigError) as caught:
            kind.parse({"colour": "blue"}, {})
        assert any(mistake.startswith(f"platforms.{name}.colour") for mistake in caught.value.mistakes)

    async def test_its_settings_never_show_a_secret(self, name: str, kind: Kind) -> None:
        async with settings_of(name) as (table, environment):
            shown = repr(kind.parse(table, environment))
            assert not [value for key, value in environment.items() if "TOKEN" in key and value in shown]

    async def test_it_says_every_kind_of_post_and_gives_receipts_of_its_own(self, name: str, kind: Kind) -> None:
        async with connected(name, kind) as platform:
            assert platform.name == name
            posts = contents(name)
            assert {type(content).__name__ for _, content in posts} == set(KINDS)
            receipts = [
                await said(platform, Owed(number, Post(Place(name, chat), content), 1))
                for number, (chat, content) in enumerate(posts, start=1)
            ]
            assert {receipt.platform for receipt in receipts} == {name}
            assert len(set(receipts)) == len(receipts)

    async def test_it_rewrites_what_it_said_and_rewriting_twice_is_harmless(self, name: str, kind: Kind) -> None:
        async with connected(name, kind) as platform:
            question = Post(Place(name, CHATS[name]), Question(("billing",), "en"))
            receipt = await platform.say(Owed(1, question, 1))
            closed = Post(Place(name, CHATS[name]), Question((), "en", answered="billing", chosen=True), edits=1)
            for attempt in (1, 2):
                assert await platform.say(Owed(2, closed, attempt, edits=receipt)) == receipt

    async def test_nobody_may_correct_who_is_not_a_lead(self, name: str, kind: Kind) -> None:
        async with connected(name, kind) as platform:
            assert not await platform.may_correct(Person(name, PERSONS[name]))

    async def test_it_is_not_healthy_before_it_listens(self, name: str, kind: Kind) -> None:
        async with connected(name, kind) as platform:
            await asyncio.sleep(0)
            assert not platform.healthy()
