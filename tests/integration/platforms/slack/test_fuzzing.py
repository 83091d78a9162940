"""Altered events, forms, menus, shortcuts, presses and commands of Slack: answered, and no crash afterwards."""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import strategies as st
from starlette.applications import Starlette

from bot.platforms.slack import Mode
from bot.platforms.slack.interactions import FIELD, HOME_ROUTE, REPLY_BUTTON, ROUTE_SHORTCUT, ExtraButton
from bot.platforms.slack.modals import reply_form, route_form
from tests.integration.platforms.slack.parts import (
    ANN,
    HELP,
    LEAD,
    LOUNGE,
    TASK,
    FakeDesk,
    Recorder,
    around,
    config,
    listening,
    speaking,
)
from tests.servers.slack import SlackServer, events
from tests.servers.slack.state import Channel, Post, User
from tests.unit.fuzzing.drawn import drawn
from tests.unit.fuzzing.shapes import VALUES, bent
from tests.unit.fuzzing.test_platforms import SLACK_EVENTS

Shape = Mapping[str, object]
SECRET_WORD = "xylophone"
TS = "1764000000.000100"
_TOGETHER = 50
"""Inputs between two waits for what follows them: thousands at once would outlast the time limits of the calls."""
FOLLOWING = {"slack form", "slack command", "slack forget", "slack home", "slack order"}
"""The tasks that begin with an answer."""
WHO, PLACE = User(id=LEAD, name="Lead"), Channel(id=LOUNGE, name="lounge")
FILES = json.dumps([["F1", "photo", "a.png", "https://f"]])
NOTES = {"author": ANN, "chat": LOUNGE, "ts": TS, "thread": TS, "files": FILES, "text": SECRET_WORD}
POST = Post(channel=LOUNGE, ts=TS, user=ANN, text=f"help me with my {SECRET_WORD}")


def _submitted(form: Shape, answer: Shape) -> Shape:
    state = {"values": {FIELD: {FIELD: answer}}}
    return events.submission(WHO, {"id": "V1", **form, "type": "modal", "state": state})


def _pressed(element: Shape) -> Shape:
    return events.press(WHO, PLACE, POST, dict(element), "http://127.0.0.1:1/answer", TS, "trigger")


ROUTE = route_form(TASK, "en", NOTES, lead=True, known=False)
REPLY = reply_form("en", {"card": f"slack {LOUNGE} {TS}"})
PICKED = {"selected_option": {"text": {"type": "plain_text", "text": "billing"}, "value": "billing"}}
KINDS: Mapping[str, tuple[Shape, ...]] = {
    "view_submission": (
        _submitted(ROUTE, {"type": "static_select", **PICKED}),
        _submitted(route_form(TASK, "en", {"source": f"slack {LOUNGE} {TS}"}, lead=True, known=True), PICKED),
        _submitted(REPLY, {"type": "plain_text_input", "value": SECRET_WORD}),
    ),
    "view_closed": ({**events.submission(WHO, {"id": "V1", **ROUTE}), "type": "view_closed", "is_cleared": False},),
    "block_suggestion": (
        {**events.submission(WHO, {"id": "V1", **ROUTE}), "type": "block_suggestion", "action_id": FIELD, "value": "b"},
    ),
    "shortcut": (
        events.shortcut(WHO, POST, ROUTE_SHORTCUT, "trigger", "http://127.0.0.1:1/answer"),
        {**events.submission(WHO, {}), "type": "shortcut", "callback_id": ROUTE_SHORTCUT, "trigger_id": "t"},
    ),
    "block_actions": (
        *(_pressed({"type": "button", "action_id": name, "value": "x"}) for name in (REPLY_BUTTON, "choose_0")),
        *(events.home_press(WHO, {"type": "button", "action_id": name}, "", TS) for name in ExtraButton),
        events.home_press(
            WHO,
            {"type": "static_select", "action_id": HOME_ROUTE, "block_id": f"slack {LOUNGE} {TS}"},
            "billing",
            TS,
        ),
    ),
    "event_callback": tuple(one for one in SLACK_EVENTS if "tokens_revoked" not in str(one)),
    "slash_command": tuple(
        events.command(WHO, HELP, text, "trigger", "http://127.0.0.1:1/answer")
        for text in (
            *("", "help", "status", "teams", "forget me", "learn", "models", "promote routing-2", "rollback"),
            f"route my {SECRET_WORD} is broken",
            "why https://test.slack.com/archives/C0HELP/p1764000000000100",
        )
    ),
}


FORMS_OF_OTHER_VERSIONS = bent(NOTES).map(
    lambda notes: _submitted({**ROUTE, "private_metadata": json.dumps(notes)}, {"value": ""})
)
MORE: Mapping[str, st.SearchStrategy[object]] = {"view_submission": FORMS_OF_OTHER_VERSIONS}


class Door:
    """The route that Slack posts to; everything posted has Slack's signature."""

    def __init__(self, web: httpx.AsyncClient, secret: str) -> None:
        self._web = web
        self._secret = secret.encode()

    async def status(self, kind: str, payload: object) -> int:
        """The status of the answer to the payload, posted as Slack posts this kind."""
        content, body = "application/x-www-form-urlencoded", json.dumps(payload).encode()
        if kind == "event_callback":
            content = "application/json"
        elif kind == "slash_command" and isinstance(payload, dict):
            body = urlencode({name: _written(value) for name, value in payload.items()}, errors="replace").encode()
        else:
            body = urlencode({"payload": body}).encode()
        now = str(int(time.time()))
        signed = hmac.new(self._secret, f"v0:{now}:".encode() + body, hashlib.sha256).hexdigest()
        headers = {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": f"v0={signed}", "Content-Type": content}
        return (await self._web.post("/slack/events", content=body, headers=headers)).status_code


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


async def _quiet() -> None:
    """Wait until the tasks that follow the answers have ended, too."""
    async with asyncio.timeout(60):
        while {one.get_name() for one in asyncio.all_tasks()} & FOLLOWING:  # noqa: ASYNC110 - the adapter has no event for it
            await asyncio.sleep(0.05)


@asynccontextmanager
async def _door(server: SlackServer, inbox: Recorder) -> AsyncIterator[Door]:
    async with (
        speaking(config(server, Mode.HTTP), around(FakeDesk())) as slack,
        listening(server, slack, inbox),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(Starlette(routes=list(slack.routes))), base_url="http://127.0.0.1"
        ) as web,
    ):
        yield Door(web, server.signing_secret)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_is_answered_and_nothing_that_follows_it_crashes(
    server: SlackServer, inbox: Recorder, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    caplog.set_level(logging.INFO, "bot")
    caplog.set_level(logging.WARNING, "httpx")
    # Drawn before anybody waits: nothing else is done meanwhile
    payloads = drawn(bent(*KINDS[kind]) | VALUES | MORE.get(kind, st.nothing()))
    async with _door(server, inbox) as door:
        for shape in KINDS[kind]:
            assert await door.status(kind, shape) == 200, "as Slack sends it"
        for number, payload in enumerate(payloads):
            assert await door.status(kind, payload) < 500, payload
            if number % _TOGETHER == 0:
                await _quiet()
        await _quiet()
    ours = [record for record in caplog.records if record.name != "aiohttp.server"]  # that one is the local Slack
    failed = [record.message for record in ours if record.levelno >= logging.ERROR]
    assert not failed, caplog.text
    assert SECRET_WORD not in caplog.text
