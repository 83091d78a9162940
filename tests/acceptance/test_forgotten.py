"""People are forgotten, each from where they are, and then looked for in everything that a running bot leaves behind.

The model server is a scripted one in a process of its own. The data files and the write-ahead log of PostgreSQL are not
searched: they keep the old bytes until PostgreSQL uses their place again (docs/running.md).
"""

import json
import re
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
from psycopg import sql

from db.server.cluster import prepared
from tests.acceptance.processes import Home, free_address, until
from tests.acceptance.unserved import bot
from tests.servers.otlp_collector import Collector, collecting
from tests.servers.slack import User as Employee
from tests.servers.slack.state import BOT_USER
from tests.servers.telegram import User as Customer
from tests.servers.telegram.state import BOT
from tests.worlds.company import CHANNELS, GROUPS, HELP, SLACK_LEAD, TELEGRAM_LEAD, Page, Town, page, town

EMPLOYEE, CUSTOMER, OTHER = "U0ZEB", 8800, 8801
MARKS = {"slack": "xylophone", "telegram": "didgeridoo", "web": "hurdygurdy", "command": "glockenspiel"}
"""In everything that each of them writes, and that is written to them."""
ASKS = {
    "xylophone": "I was charged twice",
    "didgeridoo": "My lamp does not connect to the network",
    "hurdygurdy": "The heating in the office is broken",
    "glockenspiel": "We want to order fifty lamps for a hotel",
}
"""Different matters: what a lead says of one must not make the next one doubtful."""
NAMES = ("Zebulon", "Quirina", "Ottilie")
SLACK_EMOJI, TELEGRAM_EMOJI = {"delivery": "package", "billing": "moneybag"}, {"delivery": "🎅", "billing": "🤝"}
WEB_EMOJI = {"delivery": "📦", "billing": "💰"}


@dataclass(frozen=True, slots=True)
class Scene:
    """A running bot, the places where it speaks, and all that it writes."""

    around: Town
    web: Page
    home: Home
    collector: Collector

    async def left(self, words: Collection[str]) -> Mapping[str, list[str]]:
        """Where each of the words still is; without the words that are nowhere."""
        places = (
            self._tables() | self._files() | self._shown() | {"traces": self.collector.raw.decode("utf-8", "replace")}
        )
        places["page"] = (await self.web.web.get("/chat/state")).text
        found = {word: [place for place, text in places.items() if _holds(text, word)] for word in words}
        return {word: where for word, where in found.items() if where}

    def _tables(self) -> dict[str, str]:
        """Every row of every table, all columns of it as text; bytes as hexadecimal digits."""
        url = prepared(self.home.folder / "var" / "postgres").url
        with psycopg.connect(url) as connection:
            listed = connection.execute(
                "SELECT table_schema, table_name FROM information_schema.tables "
                "WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
            ).fetchall()
            query = sql.SQL("SELECT t::text FROM {} t")
            rows = {
                f"table {name}": connection.execute(query.format(sql.Identifier(schema, name))).fetchall()
                for schema, name in listed
            }
        return {table: "\n".join(str(row) for row in found) for table, found in rows.items()}

    def _files(self) -> dict[str, str]:
        """Logs of the bot, of the model server and of PostgreSQL, runs, voices, and whatever else is a file."""
        data = self.home.folder / "var" / "postgres" / "data"
        files = [path for path in self.home.folder.rglob("*") if path.is_file()]
        files = [path for path in files if data not in path.parents or path.suffix == ".log"]
        assert data / "server.log" in files, "PostgreSQL's log is looked at"
        texts = {}
        for path in files:
            with suppress(OSError):  # it went while we looked
                texts[str(path.relative_to(self.home.folder))] = path.read_bytes().decode("utf-8", "replace")
        return texts

    def _shown(self) -> dict[str, str]:
        """What the bot says as Slack and Telegram show it now; what people wrote there themselves is theirs."""
        slack, telegram = self.around.slack, self.around.telegram
        posts = [post for post in slack.space.posts.values() if post.user == BOT_USER]
        said = [post for post in telegram.account.posts.values() if post.sender == BOT]
        return {
            "Slack": json.dumps([post.payload() for post in posts], ensure_ascii=False),
            "Slack's Home tabs": json.dumps(slack.views.homes, ensure_ascii=False),
            "Telegram": "\n".join(f"{post.spoken} {post.buttons} {post.extra}" for post in said),
        }


def _holds(text: str, word: str) -> bool:
    lowered = text.lower()
    return word.lower() in lowered or word.encode().hex() in lowered


@asynccontextmanager
async def _scene(folder: Path) -> AsyncIterator[Scene]:
    model = free_address()
    async with town() as around, collecting() as collector:
        traced = {"SWITCHBOARD_LOG": "DEBUG", "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        home = Home(folder, around.environment() | traced)
        settings = around.settings(f"http://{model}", settle_seconds=0.3).replace('["en", "pt-BR", "es"]', '["en"]')
        home.settings(settings)
        around.slack.add_user(Employee(id=EMPLOYEE, name=NAMES[0]))
        for person, name in ((CUSTOMER, NAMES[1]), (OTHER, NAMES[2])):
            around.telegram.add_user(Customer(id=person, first_name=name))
        answers = await home.start(model.rpartition(":")[2], module="benchmarks.chaos.model")
        try:
            await until(lambda: _healthy(model))
            async with bot(home, around.listen) as running, page(around.address) as web:
                yield Scene(around, web, home, collector)
                assert (await running.process.stops()).code == 0
        finally:
            answers.kill()
            await answers.process.wait()


async def _healthy(address: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as web:
        with suppress(httpx.TransportError):
            return (await web.get(f"http://{address}/health")).is_success
    return False


async def test_nothing_of_whoever_is_forgotten_is_left_anywhere(homes: Path) -> None:
    folder = homes / "forgotten"
    folder.mkdir()
    async with _scene(folder) as scene:
        await _in_slack(scene, MARKS["slack"])
        await _in_telegram(scene, CUSTOMER, MARKS["telegram"])
        await _in_telegram(scene, OTHER, MARKS["command"])
        await _on_the_page(scene, MARKS["web"])
        before = await scene.left([*MARKS.values(), *NAMES])
        assert set(before) == {*MARKS.values(), *NAMES}, "all of them are found where they must be"
        for mark, where in (("slack", "Slack"), ("telegram", "Telegram"), ("command", "Telegram"), ("web", "page")):
            assert {"table messages", "table conversations", "table notes", "table posts", where} <= {
                *before[MARKS[mark]]
            }

        await _forgotten_from_slack(scene)
        await _forgotten_from_telegram(scene)
        for person in (f"telegram:{OTHER}", "web:customer"):
            done = await scene.home.succeeds("forget", person, "--yes", "--json")
            assert done.json["conversations"] == 1

        async def gone() -> bool:
            return not await scene.left([*MARKS.values(), *NAMES])

        with suppress(AssertionError):  # the assertion after it says what is where
            await until(gone, 60)
        assert await scene.left([*MARKS.values(), *NAMES]) == {}


async def _in_slack(scene: Scene, mark: str) -> None:
    """Written, moved by a lead, answered, followed up, done, and confirmed to be solved."""
    slack = scene.around.slack
    ts = await slack.writes(EMPLOYEE, HELP, f"{ASKS[mark]}, {mark}")
    await scene.around.replied(ts)
    [team] = await slack.until(lambda: scene.around.slack_rooms(mark), 60)
    card = await scene.around.slack_card(team, mark)
    right = "billing" if team == "delivery" else "delivery"
    await slack.reacts(SLACK_LEAD, CHANNELS[team], card.ts, SLACK_EMOJI[right])
    moved = await scene.around.slack_card(right, mark)
    await slack.writes(
        SLACK_LEAD, CHANNELS[right], f"reply: Dear {NAMES[0]}, about the {mark}: soon", thread_ts=moved.ts
    )
    await slack.until(lambda: [text for text in scene.around.replies(ts) if f"the {mark}: soon" in text], 60)
    await slack.writes(EMPLOYEE, HELP, f"thank you for the {mark}", thread_ts=ts)
    await slack.until(lambda: [p for p in slack.posts(CHANNELS[right]) if f"thank you for the {mark}" in p.text], 60)
    await slack.reacts(SLACK_LEAD, CHANNELS[right], moved.ts, "white_check_mark")

    def asked() -> list[tuple[str, str]]:
        posts = [post for post in slack.posts(HELP) if post.thread_ts == ts]
        return [
            (post.ts, found[0]) for post in posts if (found := re.search(r"choose_yes\w*", json.dumps(post.blocks)))
        ]

    [(question, yes)] = await slack.until(asked, 60)
    await slack.presses(EMPLOYEE, HELP, question, yes)
    await slack.until(lambda: "Good to hear" in str(scene.around.replies(ts)), 60)


async def _in_telegram(scene: Scene, person: int, mark: str) -> None:
    """The same."""
    telegram = scene.around.telegram
    await telegram.writes(person, f"{ASKS[mark]}, {mark}")
    await scene.around.answered(person)
    [team] = await telegram.until(lambda: scene.around.telegram_rooms(mark), 60)
    card = await scene.around.telegram_card(team, mark)
    right = "billing" if team == "delivery" else "delivery"
    await telegram.reacts(TELEGRAM_LEAD, GROUPS[team], card.message_id, [TELEGRAM_EMOJI[right]])
    moved = await scene.around.telegram_card(right, mark)
    words = f"reply: about the {mark}: soon"
    await telegram.writes(TELEGRAM_LEAD, words, GROUPS[right], reply_to=moved.message_id)
    await telegram.until(lambda: [text for text in scene.around.answers(person) if f"the {mark}: soon" in text], 60)
    await telegram.writes(person, f"thank you for the {mark}")
    thanks = f"thank you for the {mark}"
    await telegram.until(lambda: [post for post in telegram.posts(GROUPS[right]) if thanks in post.text], 60)
    await telegram.reacts(TELEGRAM_LEAD, GROUPS[right], moved.message_id, ["👌"])
    await telegram.until(lambda: "dealt with" in scene.around.answers(person)[-1], 60)
    await telegram.presses(person, person, telegram.posts(person)[-1].message_id, "yes")
    await telegram.until(lambda: "Good to hear" in scene.around.answers(person)[-1], 60)


async def _on_the_page(scene: Scene, mark: str) -> None:
    """The same."""
    web = scene.web
    thread = await web.write(f"{ASKS[mark]}, {mark}")
    await web.heard(thread)
    [(team, card)] = await until(lambda: web.cards(mark))
    right = "billing" if team == "delivery" else "delivery"
    await web.react(team, card["id"], WEB_EMOJI[right])
    moved = await web.card(right, mark)
    await web.note(right, moved["id"], f"about the {mark}: soon", send=True)

    async def told() -> bool:
        return any(f"the {mark}: soon" in text for text in await web.said(thread))

    await until(told)
    await web.react(right, moved["id"], "✅")

    async def asked() -> bool:
        return "dealt with" in (await web.said(thread))[-1]

    await until(asked)
    await web.press("customer", await web.newest(thread), "yes")

    async def heard() -> bool:
        return "Good to hear" in (await web.said(thread))[-1]

    await until(heard)


async def _forgotten_from_slack(scene: Scene) -> None:
    slack = scene.around.slack
    await slack.clicks.command(EMPLOYEE, HELP, "forget me")
    shown = await slack.until(lambda: [p for p in slack.ephemerals(HELP, EMPLOYEE) if "forget_me" in str(p.blocks)], 30)
    await slack.presses(EMPLOYEE, HELP, shown[-1].ts, "forget_me")


async def _forgotten_from_telegram(scene: Scene) -> None:
    telegram = scene.around.telegram
    await telegram.writes(CUSTOMER, "/forget")
    await telegram.until(lambda: "erase everything" in scene.around.answers(CUSTOMER)[-1], 30)
    question = telegram.posts(CUSTOMER)[-1]
    [yes] = re.findall(r"/forget \d+ yes", json.dumps(question.buttons))
    await telegram.presses(CUSTOMER, CUSTOMER, question.message_id, yes)
    await telegram.until(lambda: "are erased" in scene.around.answers(CUSTOMER)[-1], 30)
