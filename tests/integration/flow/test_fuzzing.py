"""Altered input through all layers: the API never answers 500, and whatever is stored can be read back."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace

import httpx
import psycopg
import pytest
from hypothesis import strategies as st
from starlette.applications import Starlette

from bot.domain.api_tokens import ApiToken, Scope, digest_of, new_token
from bot.domain.messages import Fact, Message, Note, Reaction
from bot.domain.tasks import Task
from bot.http.api import Api
from bot.platforms.slack import events as slack
from bot.platforms.web import PLATFORM
from bot.platforms.web.adapter import WebChat
from db.engine import Database
from db.queries import PostgresQueries
from tests.fakes_web import FakeWorld
from tests.samples import TASK
from tests.unit.fuzzing.drawn import drawn
from tests.unit.fuzzing.shapes import TEXTS, VALUES, bent
from tests.unit.fuzzing.test_platforms import PAGE, SLACK_EVENTS
from tests.unit.platforms.slack.test_events import EARS
from tests.worlds.story import Story

Drawn = Mapping[str, list[object]]
AS_JSON = {"Content-Type": "application/json"}
POSTS: Mapping[str, dict[str, object]] = {
    **dict(zip(("messages", "edits", "deletions", "notes", "reactions", "presses"), PAGE.values(), strict=True)),
    "learn": {"task": "routing"},
}
TOKEN = new_token()
ROUTE: Mapping[str, object] = {"text": "I was charged twice", "task": "routing"}
CORRECT: Mapping[str, object] = {
    "platform": "web",
    "chat": "customer",
    "message": "m1",
    "label": "it",
    "withdraw": False,
}
LIST: Mapping[str, object] = {"state": "open", "label": "it", "limit": "5", "before": "7"}
LONG = [{name: "9" * 5_000} for name in LIST]
"""More digits than Python converts to a number."""


@pytest.fixture
def asked_of_the_api() -> Drawn:
    """By path. Drawn, as the following, before the event loop runs: to draw thousands takes minutes."""
    bodies = {path: drawn(bent(shape) | VALUES) for path, shape in (("route", ROUTE), ("correct", CORRECT))}
    return {**bodies, "requests": drawn(st.dictionaries(st.sampled_from([*LIST, "odd"]), TEXTS))}


@pytest.fixture
def slack_payloads() -> list[object]:
    return drawn(bent(*SLACK_EVENTS))


@pytest.fixture
def posted() -> Drawn:
    """By path of the page."""
    return {path: [shape, *drawn(bent(shape) | VALUES)] for path, shape in POSTS.items()}


async def test_the_apis_json_and_queries(asked_of_the_api: Drawn, story: Story, database: Database) -> None:
    async def decide(task: Task, text: str) -> Mapping[str, object]:
        return {"task": task.name, "text": text}

    token = ApiToken("helpdesk", digest_of(TOKEN), frozenset(Scope))
    site = Starlette(routes=Api((token,), (TASK,), decide, PostgresQueries(database), story.ledger, story.now).routes)
    way = httpx.ASGITransport(site, raise_app_exceptions=False)
    known = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=way, base_url="http://127.0.0.1", headers=known) as client:
        for path in ("route", "correct"):
            for body in [*asked_of_the_api[path], {"\ud800": 1}, {"label": "it", "platform": "\x00"}]:
                answer = await client.post(f"/api/{path}", content=json.dumps(body).encode())
                assert answer.status_code < 500, (path, body)
        for query in [*asked_of_the_api["requests"], *LONG]:
            assert isinstance(query, dict)
            sent = {key: value.encode("utf-8", "replace") for key, value in query.items()}
            answer = await client.get("/api/requests", params=sent)
            assert answer.status_code < 500, query


async def test_what_is_stored_of_slacks_events_can_be_read_back(
    slack_payloads: list[object], story: Story, database_url: str
) -> None:
    found = [slack.read(payload, EARS) for payload in slack_payloads if isinstance(payload, dict)]
    facts = [fact for fact in found if isinstance(fact, Message | Note | Reaction)]
    for fact in facts:
        await _taken(story, fact)
    with psycopg.connect(database_url) as connection:
        stored = connection.execute("SELECT platform, chat, message_id, text FROM messages").fetchall()
        aside = connection.execute("SELECT count(*) FROM failed_items").fetchone()
    refs = {(fact.ref.platform, fact.ref.chat, fact.ref.id) for fact in facts if isinstance(fact, Message)}
    assert {(platform, chat, ref) for platform, chat, ref, _ in stored} <= refs
    assert (len(stored) > 0, aside) == (True, (0,))


async def test_whatever_is_posted_to_the_page_is_stored_or_refused_with_a_sentence(
    posted: Drawn, story: Story, database_url: str
) -> None:
    context = replace(FakeWorld().around(), ledger=story.ledger)
    async with PLATFORM.connect(PLATFORM.parse({"leads": ["lead"]}, {}), context) as chat, asyncio.timeout(3_600):
        assert isinstance(chat, WebChat)
        listening = asyncio.create_task(chat.listen(story.inbox))
        while not chat.healthy():  # noqa: ASYNC110 - the chat has no event for it
            await asyncio.sleep(0.01)
        way = httpx.ASGITransport(Starlette(routes=list(chat.routes)), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=way, base_url="http://127.0.0.1") as client:
            for path, bodies in posted.items():
                for body in bodies:
                    answer = await client.post(f"/chat/{path}", content=json.dumps(body), headers=AS_JSON)
                    assert answer.status_code in (200, 403, 422), (path, answer.status_code, body)
                    assert answer.status_code == 200 or answer.json()["problem"]
        listening.cancel()
        await asyncio.wait([listening])
    with psycopg.connect(database_url) as connection:
        stored = connection.execute("SELECT count(*) FROM messages").fetchone()
        aside = connection.execute("SELECT count(*) FROM failed_items").fetchone()
    assert (stored > (0,) if stored else False, aside) == (True, (0,))


async def _taken(story: Story, fact: Fact) -> None:
    match fact:
        case Message():
            await story.inbox.message(fact)
        case Note():
            await story.inbox.note(fact)
        case Reaction():
            await story.inbox.reaction(fact)
