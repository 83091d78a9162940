"""The API: what would be decided, which requests there are, and corrections, for callers with a token."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.domain.api_tokens import PLATFORM, ApiToken, Scope, holder
from bot.domain.conversations import State
from bot.domain.errors import Unreachable, UsageError
from bot.domain.ledger import Ledger
from bot.domain.messages import MessageRef, Person, Reaction, choice, clean
from bot.domain.queries import Queries, Request
from bot.domain.tasks import Task
from bot.http.openapi import PAGE, openapi

log = logging.getLogger(__name__)

MAX_BODY = 64_000
"""The most bytes of a request: more than the longest message of any platform, in any script."""
MOST, USUAL = 200, 50
_DIGITS = 20
"""The most digits of a number: more than any of ours has, and fewer than Python refuses to parse."""
_STATES = {"open": (State.NEW, State.ASKED, State.ROUTED), "closed": (State.CLOSED,), "all": tuple(State)}
Decide = Callable[[Task, str], Awaitable[Mapping[str, object]]]
"""The decision that a text would get, in the form of `switchboard route --json`."""


class Denied(Exception):
    """The status and the sentence to answer with; the sentence says what to change."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Api:
    """Answers callers with a token."""

    tokens: Sequence[ApiToken]
    tasks: Sequence[Task]
    decide: Decide
    queries: Queries
    ledger: Ledger
    now: Callable[[], datetime]

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes; none where the settings have no token, so that there is no API."""
        if not self.tokens:
            return []
        return [
            Route("/api/route", self._answered(self._route, Scope.ROUTE), methods=["POST"]),
            Route("/api/correct", self._answered(self._correct, Scope.CORRECT), methods=["POST"]),
            Route("/api/requests", self._answered(self._requests, Scope.READ), methods=["GET"]),
            Route("/api/openapi.json", document, methods=["GET"]),
            Route("/api", _page, methods=["GET"]),
        ]

    def _answered(
        self, work: Callable[[HttpRequest, ApiToken], Awaitable[Response]], scope: Scope
    ) -> Callable[[HttpRequest], Awaitable[Response]]:
        """A handler that runs `work` for a token with that scope; every refusal is one sentence of JSON."""

        async def answer(request: HttpRequest) -> Response:
            try:
                return await work(request, self._admitted(request, scope))
            except Denied as denied:
                headers = {"WWW-Authenticate": "Bearer"} if denied.status == 401 else None
                told = str(denied).encode("utf-8", "backslashreplace").decode()  # it may quote invalid Unicode
                return JSONResponse({"error": told}, denied.status, headers)
            except Unreachable as error:
                log.warning("API request not answered", extra={"path": request.url.path, "problem": str(error)})
                return JSONResponse({"error": "not now: a part of the bot is away; try again later"}, 503)

        return answer

    def _admitted(self, request: HttpRequest, scope: Scope) -> ApiToken:
        kind, _, shown = request.headers.get("authorization", "").partition(" ")
        token = holder(self.tokens, shown.strip()) if kind.lower() == "bearer" else None
        if token is None:
            raise Denied(401, "send a token of the settings: Authorization: Bearer sb_…")
        if scope not in token.scopes:
            raise Denied(403, f"the token {token.name} lacks the scope {scope.value}; add it under api.tokens")
        return token

    # --- the calls ---

    async def _route(self, request: HttpRequest, _: ApiToken) -> Response:
        said = await _fields(request, {"text", "task"})
        text, name = clean(_text(said, "text")), said.get("task")
        if not text:
            raise Denied(422, "text: there is nothing in it; send a few words")
        task = next((one for one in self.tasks if (one.name == name if name is not None else one.routes)), None)
        if task is None:
            raise Denied(422, f"task: there is none called {name!r}; there are {', '.join(t.name for t in self.tasks)}")
        try:
            return JSONResponse(dict(await self.decide(task, text)))
        except UsageError as error:
            raise Denied(422, str(error)) from error

    async def _correct(self, request: HttpRequest, token: ApiToken) -> Response:
        said = await _fields(request, {"platform", "chat", "message", "label", "withdraw"})
        ref = MessageRef(_text(said, "platform"), _text(said, "chat"), _text(said, "message"))
        label, withdraw = _text(said, "label"), said.get("withdraw", False)
        routing = next(task for task in self.tasks if task.routes)
        if label not in routing.names:
            raise Denied(422, f"label: there is no team called {label!r}; teams are {', '.join(routing.names)}")
        if not isinstance(withdraw, bool):
            raise Denied(422, "withdraw: send true or false")
        account = await self.queries.account(ref)
        if account is None:
            raise Denied(404, "no request has such a message")
        lead = Person(PLATFORM, token.name, token.name)
        word = Reaction(account.request.source, lead, choice(label), added=not withdraw, at=self.now())
        await self.ledger.add_reaction(word)
        told = {"conversation": account.request.conversation, "label": label, "withdrawn": withdraw}
        return JSONResponse(told, 202)

    async def _requests(self, request: HttpRequest, token: ApiToken) -> Response:
        asked = request.query_params
        if unknown := set(asked) - {"state", "label", "limit", "before"}:
            raise Denied(422, f"{min(unknown)}: unknown; there are before, label, limit, state")
        state = asked.get("state", "open")
        if state not in _STATES:
            raise Denied(422, f"state: {state!r} is none; choose from {', '.join(_STATES)}")
        limit, before = _number(asked.get("limit"), "limit", USUAL, MOST), _number(asked.get("before"), "before", None)
        found = await self.queries.requests(_STATES[state], asked.get("label"), before, limit or USUAL)
        rows = [_row(one, Scope.TEXTS in token.scopes) for one in found]
        more = {"before": found[-1].conversation} if len(found) == limit else {}
        return JSONResponse({"requests": rows, **more})


def _row(request: Request, with_text: bool) -> dict[str, object]:
    source = request.source
    row: dict[str, object] = {
        "conversation": request.conversation,
        "label": request.label,
        "state": request.state.value,
        "since": request.since.isoformat(),
        "taken_by": request.taken_by,
        "disputed": request.disputed,
        "unsure": request.unsure,
        "source": {"platform": source.platform, "chat": source.chat, "message": source.id},
    }
    return {**row, "excerpt": request.excerpt} if with_text else row


async def _fields(request: HttpRequest, known: set[str]) -> Mapping[str, object]:
    """The request's JSON object. Raises Denied when it is too long, not JSON, or has unknown fields."""
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > MAX_BODY:
            raise Denied(413, f"the request is longer than {MAX_BODY:,} bytes; send one message at a time")
    try:
        said = json.loads(read)
    except (ValueError, RecursionError) as error:
        raise Denied(400, "send one JSON object") from error
    if not isinstance(said, dict):
        raise Denied(400, "send one JSON object")
    if unknown := set(said) - known:
        raise Denied(422, f"{min(unknown)}: unknown; fields are {', '.join(sorted(known))}")
    return said


def _text(said: Mapping[str, object], key: str) -> str:
    value = said.get(key)
    if not isinstance(value, str) or not value:
        raise Denied(422, f"{key}: missing, or no text")
    return value


def _number(written: str | None, key: str, usual: int | None, most: int = 2**62) -> int | None:
    if written is None:
        return usual
    short = written.isascii() and written.isdigit() and len(written) < _DIGITS
    if not short or not 0 < int(written) <= most:
        raise Denied(422, f"{key}: must be a whole number from 1 to {most}")
    return int(written)


async def document(request: HttpRequest) -> Response:
    """The description of the API, for programs."""
    return JSONResponse(openapi(str(request.scope.get("root_path", ""))))


async def _page(_: HttpRequest) -> Response:
    return HTMLResponse(PAGE)
