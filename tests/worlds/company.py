"""The demo company at work: its teams in Slack channels, Telegram groups and rooms of the local chat."""

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TypedDict, cast

import httpx

from bot.demo import company
from tests.acceptance.processes import Home, free_address, until
from tests.servers.slack import Channel, SlackServer, User
from tests.servers.slack import Post as SlackPost
from tests.servers.telegram import Post as TelegramPost
from tests.servers.telegram import TelegramServer

TASKS = company.SETTINGS.read_text("utf-8").partition("[tasks.routing]")[2]
TEAMS = re.findall(r"^\[tasks\.routing\.labels\.(\w+)\]", TASKS, re.MULTILINE)
HELP = "C0HELP"
SLACK_LEAD, TELEGRAM_LEAD = "U0LEAD", 1000
CHANNELS = {team: f"C0{team.upper()}" for team in TEAMS}
GROUPS = {team: -1_001_000_000_000 - number for number, team in enumerate(TEAMS)}

_ROOM = re.compile(r'deliver_to = { web = "(\w+)" }')
_people = count(5000)


@dataclass(frozen=True, slots=True)
class Town:
    """The places where people talk, and the address of the bot's own page."""

    slack: SlackServer
    telegram: TelegramServer
    listen: str = field(default_factory=free_address)

    @property
    def address(self) -> str:
        return f"http://{self.listen}"

    def environment(self) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "TELEGRAM_BOT_TOKEN": self.telegram.token,
        }

    def settings(self, model: str, settle_seconds: float, homes: Mapping[str, str] | None = None) -> str:
        """The settings file of `switchboard run` here; `homes` are the teams that have a room on one platform only."""
        return f"""
[model]
server = "{model}"
[web]
listen = "{self.listen}"
[conversation]
settle_seconds = {settle_seconds}
languages = ["en", "pt-BR", "es"]
[platforms.web]
[platforms.slack]
api_base_url = "{self.slack.api_url}"
intake = ["{HELP}"]
leads = ["{SLACK_LEAD}"]
[platforms.telegram]
api_base_url = "{self.telegram.api_url}"
file_base_url = "{self.telegram.file_url}"
leads = [{TELEGRAM_LEAD}]
[tasks.routing]{_ROOM.sub(partial(_rooms, homes or {}), TASKS)}
"""

    # --- Slack ---

    async def asks(self, text: str, user: str = "U0ANN") -> str:
        """An employee writes in the intake channel; the ts."""
        return await self.slack.writes(user, HELP, text)

    def replies(self, ts: str) -> list[str]:
        """What the bot said in the employee's thread."""
        return [post.text for post in self.slack.posts(HELP) if post.thread_ts == ts]

    async def replied(self, ts: str, replies: int = 1) -> str:
        """Wait for the newest of so many replies in the thread."""
        await self.slack.until(lambda: len(self.replies(ts)) >= replies, 60)
        return self.replies(ts)[-1]

    def slack_cards(self, team: str, text: str) -> list[SlackPost]:
        """The cards in a team's channel that quote the text."""
        return [post for post in self.slack.posts(CHANNELS[team]) if text in post.text]

    async def slack_card(self, team: str, text: str) -> SlackPost:
        return (await self.slack.until(lambda: self.slack_cards(team, text), 60))[-1]

    def slack_rooms(self, text: str) -> list[str]:
        """The team of every card that quotes the text."""
        return [team for team in TEAMS for _ in self.slack_cards(team, text)]

    # --- Telegram ---

    async def says(self, text: str) -> int:
        """A new customer writes; their id, which is also the chat's."""
        person = next(_people)
        await self.telegram.writes(person, text)
        return person

    def answers(self, person: int) -> list[str]:
        return [post.text for post in self.telegram.posts(person)]

    async def answered(self, person: int, answers: int = 1) -> str:
        """Wait for the newest of so many answers to the customer."""
        await self.telegram.until(lambda: len(self.answers(person)) >= answers, 60)
        return self.answers(person)[-1]

    def telegram_cards(self, team: str, text: str) -> list[TelegramPost]:
        return [post for post in self.telegram.posts(GROUPS[team]) if text in post.text]

    async def telegram_card(self, team: str, text: str) -> TelegramPost:
        return (await self.telegram.until(lambda: self.telegram_cards(team, text), 60))[-1]

    def telegram_rooms(self, text: str) -> list[str]:
        return [team for team in TEAMS for _ in self.telegram_cards(team, text)]


@asynccontextmanager
async def town(redeliver_after: float = 3.0) -> AsyncIterator[Town]:
    """Slack and Telegram are running, with all people and rooms; Slack tries again after so many seconds."""
    async with SlackServer(redeliver_after=redeliver_after) as slack, TelegramServer() as telegram:
        yield settled(slack, telegram)


def settled(slack: SlackServer, telegram: TelegramServer) -> Town:
    """Create the rooms and people of the company."""
    for channel in (HELP, *CHANNELS.values()):
        slack.add_channel(Channel(id=channel, name=channel.lower()))
    for name in ("Ann", "Lead", "Stranger"):
        slack.add_user(User(id=f"U0{name.upper()}", name=name))
    for team, group in GROUPS.items():
        telegram.add_group(group, team)
        telegram.add_member(group, TELEGRAM_LEAD)
    return Town(slack, telegram)


class Line(TypedDict):
    """One line of a room, as the page receives it; so are those below, as deep as tests look."""

    id: str
    kind: str
    text: str


class Thread(TypedDict):
    thread: str
    lines: list[Line]


class PersonRoom(TypedDict):
    room: str
    threads: list[Thread]


class Card(TypedDict):
    id: str
    label: str
    excerpt: str
    mark: str
    moved: str | None


class TeamRoom(TypedDict):
    room: str
    cards: list[Card]


class Learning(TypedDict):
    adapter: str | None
    phase: str | None
    promoted: bool
    verdict: str


class State(TypedDict):
    people: list[PersonRoom]
    teams: list[TeamRoom]
    learning: Learning


@dataclass(frozen=True, slots=True)
class Page:
    """What the local chat's page does, without a browser."""

    web: httpx.AsyncClient
    _ids: "count[int]" = field(default_factory=lambda: count(1))

    async def write(self, text: str, room: str = "customer") -> str:
        """A person writes; the thread's id."""
        id = f"page-{next(self._ids)}-{abs(hash(text)) % 10**9}"
        await self._post("messages", {"room": room, "id": id, "text": text})
        return id

    async def react(self, room: str, card: str, emoji: str, added: bool = True, actor: str = "lead") -> None:
        ref = {"room": room, "id": card}
        await self._post("reactions", {"ref": ref, "actor": actor, "emoji": emoji, "added": added})

    async def note(self, room: str, card: str, text: str, send: bool = False) -> None:
        """The lead writes under a card."""
        id = f"note-{next(self._ids)}"
        await self._post("notes", {"under": {"room": room, "id": card}, "id": id, "text": text, "send": send})

    async def press(self, room: str, message: str, value: str) -> None:
        await self._post("presses", {"ref": {"room": room, "id": message}, "value": value})

    async def said(self, thread: str, room: str = "customer") -> list[str]:
        """What the bot said in the thread."""
        return [line["text"] for line in await self._lines(thread, room)]

    async def newest(self, thread: str, room: str = "customer") -> str:
        """The id of what the bot said last in the thread."""
        return (await self._lines(thread, room))[-1]["id"]

    async def _lines(self, thread: str, room: str) -> list[Line]:
        people = (await self.state())["people"]
        threads = next(person["threads"] for person in people if person["room"] == room)
        found = [one["lines"] for one in threads if one["thread"] == thread]
        return [line for line in found[0] if line["kind"] != "person"] if found else []

    async def heard(self, thread: str, lines: int = 1, room: str = "customer") -> str:
        """Wait for the newest of so many lines of the bot in the thread."""

        async def enough() -> Sequence[str]:
            said = await self.said(thread, room)
            return said if len(said) >= lines else []

        return (await until(enough))[-1]

    async def cards(self, text: str) -> list[tuple[str, Card]]:
        """(room, card) of every card that quotes the text, in the order of the teams, newest first."""
        teams = (await self.state())["teams"]
        return [(team["room"], card) for team in teams for card in team["cards"] if text in (card.get("excerpt") or "")]

    async def card(self, room: str, text: str) -> Card:
        """Wait for the card of the room that quotes the text."""

        async def there() -> list[Card]:
            return [card for place, card in await self.cards(text) if place == room]

        return (await until(there))[0]

    async def state(self) -> State:
        answer = await self.web.get("/chat/state")
        assert answer.status_code == 200, answer.text
        return cast(State, answer.json())

    async def _post(self, what: str, body: object) -> None:
        answer = await self.web.post(f"/chat/{what}", json=body)
        assert answer.status_code == 200, answer.text


@asynccontextmanager
async def page(address: str) -> AsyncIterator[Page]:
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as web:
        yield Page(web)


def decisions(home: Home, text: str) -> list[tuple[object, ...]]:
    """(platform, label, by, reason, adapter, probabilities) of every decision about this text, oldest first."""
    return home.rows(
        "SELECT c.platform, d.label, d.by, d.reason, d.adapter, d.probabilities FROM decisions d "
        "JOIN conversations c ON c.id = d.conversation_id WHERE c.text = %s ORDER BY d.id",
        text,
    )


def _rooms(homes: Mapping[str, str], web: re.Match[str]) -> str:
    team = web[1]
    rooms = {"web": team, "slack": CHANNELS[team], "telegram": str(GROUPS[team])}
    there = {name: room for name, room in rooms.items() if homes.get(team, name) == name}
    return f"deliver_to = {{ {', '.join(f'{name} = {json.dumps(room)}' for name, room in there.items())} }}"
