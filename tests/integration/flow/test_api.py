"""The API over real HTTP and a real database: permissions, results, and the messages of refusals."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urljoin

import httpx
import pytest
from starlette.applications import Starlette

from bot.commands.actions import route_row
from bot.domain.api_tokens import ApiToken, Scope, digest_of, new_token
from bot.domain.decisions import Reason
from bot.domain.learning import Source
from bot.domain.tasks import Task
from bot.http.api import MAX_BODY, Api
from bot.http.server import listening_socket, serve_http
from db.engine import Database
from db.queries import PostgresQueries
from tests.samples import TASK
from tests.worlds.story import Story

ALL, READER = new_token(), new_token()
TOKENS = (
    ApiToken("helpdesk", digest_of(ALL), frozenset(Scope)),
    ApiToken("wall", digest_of(READER), frozenset({Scope.READ})),
)


@pytest.fixture
async def api(story: Story, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The API on its own port, used by a program with every permission."""

    async def decide(task: Task, text: str) -> Mapping[str, object]:
        [known] = await story.classifier.consider(await story.classifier.query(task), [text])
        return route_row(text, known.decided(task, may_ask=True))

    site = Api(TOKENS, (TASK,), decide, PostgresQueries(database), story.ledger, story.now)
    with listening_socket("127.0.0.1", 0) as socket:
        serving = asyncio.create_task(serve_http(Starlette(routes=site.routes), socket))
        address = f"http://127.0.0.1:{socket.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=address, headers=bearing(ALL), trust_env=False) as client:
            yield client
        serving.cancel()
        await asyncio.wait([serving])


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def charged(story: Story) -> dict[str, str]:
    """A request that billing has; the ref of its message."""
    ref = await story.writes("I was charged twice", "m1")
    await story.settles()
    return {"platform": ref.platform, "chat": ref.chat, "message": ref.id}


async def test_what_would_be_decided_is_told_as_the_command_tells_it(api: httpx.AsyncClient, story: Story) -> None:
    answer = await api.post("/api/route", json={"text": "I was charged twice"})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["label"], told["by"], told["text"], told["would_ask"]) == (
        "billing",
        "model",
        "I was charged twice",
        [],
    )
    assert set(told) == set(
        route_row(
            "",
            (await story.classifier.consider(await story.classifier.query(TASK), ["x"]))[0].decided(TASK, may_ask=True),
        )
    )
    assert story.cards() == []


async def test_a_word_through_the_api_moves_the_request_teaches_and_is_taken_back(
    api: httpx.AsyncClient, story: Story
) -> None:
    where = await charged(story)
    answer = await api.post("/api/correct", json={**where, "label": "it"})
    assert (answer.status_code, answer.json()["label"]) == (202, "it")
    await story.settles()
    assert story.reads().label == "it"
    [lesson] = await story.examples.examples("routing")
    assert (lesson.label, lesson.source) == ("it", Source.CORRECTION)

    story.later(1)
    assert (await api.post("/api/correct", json={**where, "label": "it", "withdraw": True})).status_code == 202
    await story.settles()
    assert (story.reads().label, story.reads().reason) == ("billing", Reason.WITHDRAWN)
    assert await story.examples.examples("routing") == []


async def test_requests_are_listed_newest_first_page_by_page(api: httpx.AsyncClient, story: Story) -> None:
    where = await charged(story)
    await story.writes("where is my parcel", "m2")
    await story.settles()
    page = (await api.get("/api/requests", params={"limit": 1})).json()
    [newest] = page["requests"]
    assert (newest["label"], newest["state"], newest["excerpt"]) == ("delivery", "routed", "where is my parcel")
    older = (await api.get("/api/requests", params={"before": page["before"]})).json()
    assert [(one["label"], one["source"]) for one in older["requests"]] == [("billing", where)]
    assert "before" not in older
    of_billing = (await api.get("/api/requests", params={"label": "billing", "state": "all"})).json()["requests"]
    assert [one["label"] for one in of_billing] == ["billing"]
    assert (await api.get("/api/requests", params={"state": "closed"})).json() == {"requests": []}


async def test_who_may_only_read_sees_no_word_and_does_nothing(api: httpx.AsyncClient, story: Story) -> None:
    where = await charged(story)
    told = await api.get("/api/requests", headers=bearing(READER))
    assert "excerpt" not in told.json()["requests"][0]
    assert "charged" not in told.text
    for path, body in (("/api/route", {"text": "x"}), ("/api/correct", {**where, "label": "it"})):
        refused = await api.post(path, json=body, headers=bearing(READER))
        assert refused.status_code == 403
        assert "the token wall lacks the scope" in refused.json()["error"]
    await story.settles()
    assert story.reads().label == "billing"


@pytest.mark.parametrize("header", [{"Authorization": ""}, bearing("sb_wrong"), {"Authorization": f"Basic {ALL}"}])
async def test_without_a_token_of_the_settings_nothing_is_told(api: httpx.AsyncClient, header: dict[str, str]) -> None:
    for answer in (
        await api.get("/api/requests", headers=header),
        await api.post("/api/route", json={"text": "hello"}, headers=header),
        await api.post("/api/correct", json={}, headers=header),
    ):
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("route", b"{", 400, "send one JSON object"),
        ("route", b"[1]", 400, "send one JSON object"),
        ("route", b"[" * 40_000, 400, "send one JSON object"),
        ("route", b"{}", 422, "text: missing, or no text"),
        ("route", b'{"text": "  "}', 422, "text: there is nothing in it"),
        ("route", b'{"text": "x", "task": "mood"}', 422, "task: there is none called 'mood'; there are routing"),
        ("route", b'{"text": "x", "who": 1}', 422, "who: unknown; fields are task, text"),
        ("route", b'{"text": "' + b"x" * MAX_BODY + b'"}', 413, "longer than 64,000 bytes"),
        ("correct", b'{"platform": "web", "chat": "customer", "message": "m1"}', 422, "label: missing"),
        (
            "correct",
            b'{"platform": "web", "chat": "customer", "message": "m1", "label": "sales"}',
            422,
            "label: there is no team called 'sales'; teams are billing, delivery, it, triage",
        ),
        (
            "correct",
            b'{"platform": "web", "chat": "customer", "message": "never", "label": "it"}',
            404,
            "no request has such a message",
        ),
    ],
)
async def test_what_is_wrong_with_a_request_is_said_in_a_sentence(
    api: httpx.AsyncClient, path: str, body: bytes, status: int, said: str
) -> None:
    answer = await api.post(f"/api/{path}", content=body)
    assert answer.status_code == status
    assert said in answer.json()["error"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("limit=0", "limit: must be a whole number from 1 to 200"),
        ("limit=201", "limit: must be a whole number from 1 to 200"),
        ("before=x", "before: must be a whole number"),
        ("state=lost", "state: 'lost' is none; choose from open, closed, all"),
        ("order=asc", "order: unknown; there are before, label, limit, state"),
    ],
)
async def test_a_list_is_asked_for_in_words_that_there_are(api: httpx.AsyncClient, query: str, said: str) -> None:
    answer = await api.get(f"/api/requests?{query}")
    assert (answer.status_code, said in answer.json()["error"]) == (422, True)


async def test_the_page_and_the_document_name_every_path(api: httpx.AsyncClient) -> None:
    document = (await api.get("/api/openapi.json")).json()
    assert sorted(document["paths"]) == ["/api/correct", "/api/requests", "/api/route"]
    assert urljoin("https://bot.example/api/openapi.json", document["servers"][0]["url"]) == "https://bot.example/"
    page = await api.get("/api")
    assert page.headers["content-type"].startswith("text/html")
    assert all(path in page.text for path in document["paths"])


async def test_without_tokens_there_is_no_api(story: Story, database: Database) -> None:
    async def decide(task: Task, text: str) -> Mapping[str, object]:
        return {}

    assert Api((), (TASK,), decide, PostgresQueries(database), story.ledger, story.now).routes == []
