"""A platform in a separate package, found only by its entry point: no file of Switchboard contains its name."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.domain.errors import UsageError
from bot.domain.tasks import Label, Task, Vocabulary
from bot.http.server import listening_socket, serve_http
from bot.platforms import EMOJI_ACTS, Routed, platform_modules, platform_names
from db.engine import Database
from tests.fakes import FakePlatform
from tests.integration.platforms.contract import PlatformContract, Settings, UnderTest, platform_context
from tests.integration.platforms.example import ROOT
from tests.worlds.story import Story

TOKEN = "between-us"


def offer(folder: Path, name: str, value: str) -> None:
    """Write the metadata that pip would install for another package."""
    info = folder / f"another_{name}-2.0.dist-info"
    info.mkdir(parents=True)
    info.joinpath("METADATA").write_text("Name: another-package\nVersion: 2.0\n", "utf-8")
    info.joinpath("entry_points.txt").write_text(f"[switchboard.platforms]\n{name} = {value}\n", "utf-8")


@dataclass
class Chat:
    """The other end of the chat: keeps what it is given, by id, as it would show it."""

    shown: dict[str, dict[str, str]] = field(default_factory=dict)

    async def take(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Response(status_code=401)
        post = await request.json()
        self.shown[post["id"]] = post
        return Response(status_code=200)

    def texts(self, room: str) -> list[str]:
        return [post["text"] for post in self.shown.values() if post["room"] == room]

    def newest(self, room: str) -> str:
        return [id for id, post in self.shown.items() if post["room"] == room][-1]


@asynccontextmanager
async def chat_at(chat: Chat) -> AsyncIterator[str]:
    """The chat's address while the context lasts."""
    with listening_socket("127.0.0.1", 0) as socket:
        site = asyncio.create_task(serve_http(Starlette(routes=[Route("/posts", chat.take, methods=["POST"])]), socket))
        try:
            yield f"http://127.0.0.1:{socket.getsockname()[1]}/posts"
        finally:
            site.cancel()
            await asyncio.wait([site])


@asynccontextmanager
async def settings() -> AsyncIterator[Settings]:
    async with chat_at(Chat()) as url:
        yield {"url": url}, {"HOOKS_TOKEN": TOKEN}


class TestTheExample(PlatformContract):
    @pytest.fixture
    def one(self, installed: Path) -> UnderTest:
        return UnderTest("hooks", platform_modules()["hooks"], "billing", "ann", "ann-and-bot", settings)


def test_it_is_found_beside_our_own(installed: Path) -> None:
    assert list(platform_modules()) == platform_names() == ["hooks", "slack", "telegram", "web"]


def test_without_the_package_nobody_has_heard_of_it() -> None:
    assert list(platform_modules()) == platform_names() == ["slack", "telegram", "web"]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("switchboard_hooks:NOTHING", "has no attribute 'NOTHING'"),
        ("no_such_package:PLATFORM", "No module named 'no_such_package'"),
        ("switchboard_hooks:NAME", "'hooks' is no PlatformModule"),
    ],
)
def test_a_package_that_cannot_be_loaded_is_named(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, problem: str
) -> None:
    offer(tmp_path, "broken", value)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UsageError, match=f"platform broken of the package another-package 2.0 .*{problem}"):
        platform_modules()


def test_a_package_may_not_take_the_name_of_another_platform(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(tmp_path, "slack", "switchboard_hooks:PLATFORM")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(
        UsageError, match="two platforms called slack; uninstall the package that has switchboard_hooks"
    ):
        platform_modules()


def test_the_commands_offer_it_and_write_its_settings(installed: Path, tmp_path: Path) -> None:
    path = f"{ROOT}:{installed}"
    told = subprocess.run(
        [sys.executable, "-m", "bot.cli", "init", "hooks", "--config", str(tmp_path / "switchboard.toml")],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "1. Hooks: agree on a secret word with the chat: export HOOKS_TOKEN=…" in told.stderr
    assert "[platforms.hooks]" in (tmp_path / "switchboard.toml").read_text("utf-8")
    shown = subprocess.run(
        [sys.executable, "-m", "bot.cli", "check", "--help"],
        env={"PYTHONPATH": path, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "hooks|slack|telegram|web" in shown.stdout


class Town:
    """Ann, who writes to the bot over the chat, and Lee, who leads its teams."""

    def __init__(self, story: Story, chat: Chat, client: httpx.AsyncClient) -> None:
        self.story = story
        self.chat = chat
        self.client = client

    async def posts(self, kind: str, **body: str) -> None:
        answer = await self.client.post(f"/hooks/{kind}", json=body, headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200, answer.text
        self.story.time = max(self.story.time, datetime.now(UTC))
        await self.story.settles()


TEAMS = {"billing": "moneybag", "it": "computer"}


@pytest.fixture
async def town(installed: Path, database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    module, chat = platform_modules()["hooks"], Chat()
    labels = [
        Label(name, f"about {name}", (), {"hooks": emoji}, {"hooks": module.place(name)})
        for name, emoji in TEAMS.items()
    ]
    task = Task("routing", "Which team?", tuple(labels), "it")
    take, done, wrong, send = ({"hooks": module.usual_emoji[act]} for act in EMOJI_ACTS)
    vocabulary = Vocabulary(take, done, wrong, send)
    async with chat_at(chat) as url:
        config = module.parse({"url": url, "leads": ["lee"]}, {"HOOKS_TOKEN": TOKEN})
        around = platform_context(UnderTest("hooks", module, "billing", "ann", "ann", settings))
        async with module.connect(config, around) as hooks:
            assert isinstance(hooks, Routed)
            story = Story(database, tmp_path, task, [cast(FakePlatform, hooks)], vocabulary=vocabulary)
            listening = asyncio.create_task(hooks.listen(story.inbox))
            transport = httpx.ASGITransport(Starlette(routes=list(hooks.routes)))
            async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
                await asyncio.sleep(0)
                yield Town(story, chat, client)
            listening.cancel()
            await asyncio.wait([listening])


async def test_a_message_becomes_a_card_is_corrected_and_answered(town: Town) -> None:
    await town.posts("messages", room="ann", id="1", by="ann", text="I was charged twice")
    assert town.chat.texts("ann") == ["Thanks! This is one for billing. It is with them now."]
    [card] = town.chat.texts("billing")
    assert "I was charged twice" in card
    assert "React with" in card and "computer it" in card, "its own sentence"

    await town.posts("reactions", room="billing", on=town.chat.newest("billing"), by="lee", emoji="computer")
    assert "Moved to it" in town.chat.texts("billing")[0]
    assert "A lead moved it here" in town.chat.texts("it")[0]
    assert town.chat.texts("ann")[-1] == "it has your request now. There is nothing you need to do."

    note = {"room": "it", "on": town.chat.newest("it"), "by": "lee"}
    await town.posts("notes", id="2", text="a bug of ours", **note)
    assert len(town.chat.texts("ann")) == 2, "nothing internal reaches Ann"
    await town.posts("notes", id="3", text="reply: the second charge is refunded", **note)
    assert town.chat.texts("ann")[-1] == "it writes:\nthe second charge is refunded"


async def test_whoever_does_not_know_the_word_is_not_heard(town: Town) -> None:
    answer = await town.client.post("/hooks/messages", json={}, headers={"authorization": "Bearer guess"})
    assert answer.status_code == 403
