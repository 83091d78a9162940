"""Two `switchboard run` with one database, both receiving from Slack and Telegram, act as one bot."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession, web

from tests.acceptance.processes import Home, free_address
from tests.acceptance.unserved import SECRET, Bot, Records, bot, settings
from tests.postgres import make_database
from tests.worlds.company import GROUPS, Town, town

pytestmark = pytest.mark.slow

EXAMPLES = [
    "I was charged twice",
    "Where is my parcel?",
    "My lamp won't connect to the wifi",
    "How much is the Pro plan?",
    "The app crashes when I open it",
    "When will I get my refund?",
    "The lamp arrived broken",
    "Can we see a demo?",
]
EACH = 100
TALKERS, LINES = 6, 5


@asynccontextmanager
async def balanced(replicas: Sequence[str]) -> AsyncIterator[str]:
    """The address of a load balancer that sends each request to the next replica."""
    turn = itertools.cycle(replicas)

    async def passed_on(request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.startswith(("X-", "Content-Type"))}
        try:
            async with client.post(f"{next(turn)}{request.path}", data=body, headers=headers) as answer:
                return web.Response(status=answer.status)
        except ClientError:
            return web.Response(status=502)

    app = web.Application()
    app.router.add_post("/{path:.*}", passed_on)
    async with ClientSession() as client:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


@asynccontextmanager
async def replicas(folder: Path, around: Town, database: str, polling: bool) -> AsyncIterator[tuple[Bot, Bot]]:
    """Two bots; Socket Mode sends each event to one of them. A balancer distributes updates, or one of them polls."""
    places = [free_address(), free_address()]
    async with balanced([f"http://{place}" for place in places]) as balancer:
        hook = "" if polling else balancer
        home = Home(folder, around.environment() | {"TELEGRAM_WEBHOOK_SECRET": SECRET, "SWITCHBOARD_LOG": "INFO"})
        files = [
            home.file(f"replica-{number}.toml", settings(around, database, listen=place, hook=hook))
            for number, place in enumerate(places)
        ]
        async with bot(home, places[0], "--config", files[0]) as one, bot(home, places[1], "--config", files[1]) as two:
            yield one, two


@pytest.mark.parametrize("polling", [False, True], ids=["webhook", "polling"])
async def test_two_hundred_messages_over_both_platforms_are_two_hundred_conversations(
    postgres_url: str, homes: Path, polling: bool
) -> None:
    folder = homes / f"replicas-{polling}"
    folder.mkdir()
    records = Records(make_database(postgres_url, f"replicas_{polling}".lower()))
    async with town() as around, replicas(folder, around, records.url, polling) as (one, two):
        employees, customers = await _everybody_writes(around)
        await records.until_said(2 * EACH, 300)
        assert records.count("SELECT count(*) FROM conversations") == 2 * EACH
        assert records.count("SELECT count(*) FROM decisions") == 2 * EACH
        assert records.count("SELECT count(*) FROM posts WHERE given_up_at IS NOT NULL") == 0
        for user in employees:
            assert len(around.slack.posts(f"D{user[1:]}")) == 1
        assert {len(around.answers(person)) for person in customers.values()} == {1}
        cards = Counter(text for text in customers for _ in around.telegram_rooms(text))
        routed = {str(text) for (text,) in records.rows("SELECT text FROM conversations WHERE state = 'routed'")}
        assert set(cards) == routed & set(customers)
        assert set(cards.values()) == {1}

        talkers = {person: text for text, person in customers.items() if text in routed}
        talkers = dict(list(talkers.items())[:TALKERS])
        for line in range(LINES):
            for person in talkers:
                await around.telegram.writes(person, f"line {line} of {person}")
        await records.until_said(2 * EACH + LINES * len(talkers), 180)
        for person in talkers:
            assert _lines(around, person) == [f"line {line} of {person}" for line in range(LINES)]
        assert records.count("SELECT count(*) FROM conversations") == 2 * EACH

        logs = [replica.process.said() for replica in (one, two)]
        for replica in (one, two):
            done = await replica.process.stops()
            assert (done.code, "Traceback" in done.err) == (0, False)
    assert all("delivered" in log and "listening" in log for log in logs), "both took part"


async def _everybody_writes(around: Town) -> tuple[list[str], dict[str, int]]:
    """A hundred employees and a hundred customers write at once; returns the users, and text -> customer."""
    employees, customers = [f"U0E{number}" for number in range(EACH)], {}
    for number, user in enumerate(employees):
        text = f"{EXAMPLES[number % len(EXAMPLES)]} ({number})"
        customers[text] = 7000 + number
        await asyncio.gather(
            around.slack.writes(user, user, text),
            around.telegram.writes(customers[text], text),
        )
    return employees, customers


def _lines(around: Town, person: int) -> list[str]:
    """The later messages of this customer as the team saw them, in the order of their room."""
    posts = [post for group in GROUPS.values() for post in around.telegram.posts(group) if f"of {person}" in post.text]
    return [post.text.partition("\n")[2] for post in sorted(posts, key=lambda post: post.message_id)]
