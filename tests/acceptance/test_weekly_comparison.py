"""The scheduled comparison in a running bot: messages arrive, leads settle them, and leads get the verdict."""

import json
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import cast

import pytest
from PIL import Image

from bot.demo import company
from bot.domain.learning import Side, side_of
from bot.domain.worth import LEAST
from tests.acceptance.processes import Home, running, until
from tests.servers.slack import User
from tests.worlds.company import CHANNELS, SLACK_LEAD, TASKS, TEAMS, Town, page, town

pytestmark = [pytest.mark.vllm, pytest.mark.slow]

PRICES = 'dated = 2026-11-01\ncurrency = "EUR"\nown_cpu_per_hour = 36.0\n'
LEARNING = """
[tasks.routing.learning]
digest = ""
comparison = "{when}"
corrections_per_hour = 0
neighbour_guard = false
[compare]
prices = "prices.toml"
"""
_EMOJI = re.compile(r"^\[tasks\.routing\.labels\.(\w+)\].*?^emoji = { slack = \"(\w+)\"", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Written:
    """A request in a person's direct messages, and the team that it is for."""

    person: str
    text: str
    team: str

    @property
    def place(self) -> str:
        return f"D{self.person[1:]}"


@dataclass(frozen=True, slots=True)
class OnThePage:
    """The report as the bot's own page shows it."""

    text: str
    reasons: Sequence[str]
    picture: bytes


def requests() -> Sequence[Written]:
    """Nothing learns from these requests; only texts of the held-out side are used for judging."""
    rows = [row for name in ("heldout", "hard") for row in company.read(company.HELD_OUT.with_name(f"{name}.jsonl"))]
    judging = [(text, team) for text, team in rows if side_of(text) is Side.HELD_OUT]
    return [Written(f"U0P{number:03}", text, team) for number, (text, team) in enumerate(judging)]


async def test_what_leads_settled_is_compared_by_schedule_and_the_verdict_reaches_them(
    model_url: str, homes: Path
) -> None:
    folder = homes / "weekly"
    folder.mkdir()
    async with town() as around:
        home = Home(folder, around.environment())
        home.file("prices.toml", PRICES)
        settings = around.settings(model_url, settle_seconds=0.3)
        home.settings(settings + LEARNING.format(when=""))
        async with running(home, "run", address=around.address):
            ruled = await _settled(around, home)
        assert ruled >= LEAST
        home.settings(settings + LEARNING.format(when="* * * * *"))
        async with running(home, "run", address=around.address) as bot:
            await around.slack.until(lambda: _reports(around), 300)
            await around.slack.until(lambda: _pictures(around), 60)
            shown = await _on_the_page(around)
            past = (await home.succeeds("compare", "--history", "--json")).out
            await home.succeeds("compare", "--history", "--html", "weeks.html")
            said = bot.said()
        first = json.loads(past)[-1]
        _is_one_report(_reports(around)[0], shown, first, ruled)
        assert {Image.open(BytesIO(one)).format for one in (_pictures(around)[0], shown.picture)} == {"PNG"}
        assert first["verdict"] in (folder / "weeks.html").read_text("utf-8")
        assert not [one for one in requests() if one.text in past or one.text in said]


async def _settled(around: Town, home: Home) -> int:
    """Everybody writes, and a lead gives every card its team's emoji; returns how many rulings stand."""
    emoji, written = dict(_EMOJI.findall(f"[tasks.routing]{TASKS}")), requests()
    assert set(emoji) == set(TEAMS)
    for one in written:
        around.slack.add_user(User(id=one.person, name=f"Person-{one.person}"))
        await around.slack.writes(one.person, one.person, one.text)
    await until(lambda: _idle(home, len(written)), 300)
    for one in written:
        for asked in around.slack.posts(one.place):
            if "choose_other" in str(asked.blocks):
                await around.slack.presses(one.person, one.place, asked.ts, "choose_other")
    cards = await around.slack.until(lambda: _cards(around, written), 300)
    for one, (channel, ts) in cards.items():
        await around.slack.reacts(SLACK_LEAD, channel, ts, emoji[one.team])

    async def ruled() -> bool:
        [(standing,)] = home.rows("SELECT count(*) FROM corrections WHERE withdrawn_at IS NULL")
        return standing == len(cards)

    await until(ruled, 300)
    await until(lambda: _idle(home, len(written)), 300)
    return len(cards)


async def _idle(home: Home, messages: int) -> bool:
    """Whether every message was stored, and routed or its writer asked, and no post is waiting."""
    [(heard, unread)] = home.rows(
        "SELECT count(*), count(*) FILTER (WHERE m.concluded_at IS NULL AND c.state IS DISTINCT FROM 'asked') "
        "FROM messages m LEFT JOIN conversations c ON c.id = m.conversation_id"
    )
    [(owed,)] = home.rows("SELECT count(*) FROM posts WHERE said_at IS NULL AND given_up_at IS NULL")
    return (heard, unread, owed) == (messages, 0, 0)


def _cards(around: Town, written: Sequence[Written]) -> Mapping[Written, tuple[str, str]]:
    """The card of each request; nothing until all of them exist."""
    posts = [
        (str(post.blocks), channel, post.ts) for channel in CHANNELS.values() for post in around.slack.posts(channel)
    ]
    found = {one: (channel, ts) for one in written for said, channel, ts in posts if f"Person-{one.person}" in said}
    return found if len(found) == len(written) else {}


def _reports(around: Town) -> list[str]:
    """The reports that leads read in Slack."""
    return [post.text for post in around.slack.posts(CHANNELS["triage"]) if "compare --history" in post.text]


def _pictures(around: Town) -> list[bytes]:
    return [file.content for file in around.slack.files.stored.values() if CHANNELS["triage"] in file.shared]


async def _on_the_page(around: Town) -> OnThePage:
    """The first of them, once it exists."""

    async def shown() -> list[OnThePage]:
        async with page(around.address) as web:
            teams = cast(list[dict[str, object]], (await web.state())["teams"])
        [cards] = [cast(list[dict[str, object]], team["cards"]) for team in teams if team["room"] == "triage"]
        return [
            OnThePage(
                str(card["text"]),
                cast(list[str], card["reasons"]),
                b64decode(str(card["picture"]).removeprefix("data:image/png;base64,")),
            )
            for card in cards
            if card["kind"] == "report"
        ]

    return (await until(shown))[-1]


def _is_one_report(told: str, shown: OnThePage, kept: Mapping[str, object], ruled: int) -> None:
    """Check that Slack, the page and the stored report have the same figures, with the prices of the settings."""
    verdict, title, *rest = told.splitlines()
    arms = cast(list[dict[str, object]], kept["arms"])
    messages = kept["messages"]
    assert isinstance(messages, int) and LEAST <= messages <= ruled
    assert f"By {messages} messages" in title
    assert (verdict, [title, *rest]) == (shown.text, list(shown.reasons))
    assert kept["ruling"] not in ("too_few", "one_label", "no_model")
    assert {"majority", "adapter", "mixture", "mixture without adapter"} <= {str(arm["name"]) for arm in arms}
    for arm, line in zip(arms, rest, strict=False):
        assert line.startswith(f"{arm['name']}: {cast(float, arm['accuracy']):.1%} right")
    assert (kept["adapter"], kept["currency"]) == ("routing-seed", "EUR")
    assert all(" EUR per 1,000" in line for line in rest[1 : len(arms)]), rest
