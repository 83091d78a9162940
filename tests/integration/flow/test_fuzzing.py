"""Altered input through all layers: the API never answers 500, and whatever is stored can be read back."""

import json
from collections.abc import Mapping

import httpx
import psycopg
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from bot.domain.api_tokens import ApiToken, Scope, digest_of, new_token
from bot.domain.messages import Fact, Message, Note, Reaction
from bot.domain.tasks import Task
from bot.http.api import Api
from bot.platforms.slack import events as slack
from db.engine import Database
from db.queries import PostgresQueries
from tests.samples import TASK
from tests.unit.fuzzing.shapes import TEXTS, VALUES, bent
from tests.unit.fuzzing.test_platforms import SLACK_EVENTS
from tests.unit.platforms.slack.test_events import EARS
from tests.worlds.story import Story

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


def drawn(strategy: st.SearchStrategy[object]) -> list[object]:
    """As many examples as the profile says."""
    found: list[object] = []

    @given(strategy)
    def draw(value: object) -> None:
        found.append(value)

    draw()
    return found


async def test_the_apis_json_and_queries(story: Story, database: Database) -> None:
    async def decide(task: Task, text: str) -> Mapping[str, object]:
        return {"task": task.name, "text": text}

    token = ApiToken("helpdesk", digest_of(TOKEN), frozenset(Scope))
    site = Starlette(routes=Api((token,), (TASK,), decide, PostgresQueries(database), story.ledger, story.now).routes)
    way = httpx.ASGITransport(site, raise_app_exceptions=False)
    known = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=way, base_url="http://127.0.0.1", headers=known) as client:
        for path, shape in (("route", ROUTE), ("correct", CORRECT)):
            for body in [*drawn(bent(shape) | VALUES), {"\ud800": 1}, {"label": "it", "platform": "\x00"}]:
                answer = await client.post(f"/api/{path}", content=json.dumps(body).encode())
                assert answer.status_code < 500, (path, body)
        for query in [*drawn(st.dictionaries(st.sampled_from([*LIST, "odd"]), TEXTS)), *LONG]:
            assert isinstance(query, dict)
            sent = {key: value.encode("utf-8", "replace") for key, value in query.items()}
            answer = await client.get("/api/requests", params=sent)
            assert answer.status_code < 500, query


async def test_what_is_stored_of_slacks_events_can_be_read_back(story: Story, database_url: str) -> None:
    found = [slack.read(payload, EARS) for payload in drawn(bent(*SLACK_EVENTS)) if isinstance(payload, dict)]
    facts = [fact for fact in found if isinstance(fact, Message | Note | Reaction)]
    for fact in facts:
        await _taken(story, fact)
    with psycopg.connect(database_url) as connection:
        stored = connection.execute("SELECT platform, chat, message_id, text FROM messages").fetchall()
        aside = connection.execute("SELECT count(*) FROM failed_items").fetchone()
    refs = {(fact.ref.platform, fact.ref.chat, fact.ref.id) for fact in facts if isinstance(fact, Message)}
    assert {(platform, chat, ref) for platform, chat, ref, _ in stored} <= refs
    assert (len(stored) > 0, aside) == (True, (0,))


async def _taken(story: Story, fact: Fact) -> None:
    match fact:
        case Message():
            await story.inbox.message(fact)
        case Note():
            await story.inbox.note(fact)
        case Reaction():
            await story.inbox.reaction(fact)
