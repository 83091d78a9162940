"""A stand-in for a hosted model: OpenAI's chat completions on 127.0.0.1, counting tokens and misbehaving as planned."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.servers.half import half

Misdeed = Callable[[web.Request], web.Response | None]
"""What is sent instead of an answer; None: the connection is closed in the middle of one."""


class ChatEndpoint:
    """A server while an `async with` lasts; `answer` makes an answer from a prompt."""

    def __init__(self, answer: Callable[[str], str], usage: bool = True, logprobs: bool = True) -> None:
        self.answer = answer
        self.usage = usage
        self.logprobs = logprobs
        self.misdeeds: deque[Misdeed] = deque()
        """For the next calls, one each."""
        self.refuses: frozenset[str] = frozenset()
        """Parameters that this server does not know."""
        self.charged: int | None = None
        """The number of tokens reported for each answer, whatever it took."""
        self.prompts: list[str] = []
        """Every call, including refused ones."""
        self.answered: list[str] = []
        self.keys: set[str] = set()
        self.most_at_once = 0
        self._now = 0
        self._held: asyncio.Event | None = None
        self._gate = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._called)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    def hold_next(self) -> None:
        """The next call gets no answer until `let_go`."""
        self._held = self._gate

    def let_go(self) -> None:
        self._gate.set()

    async def _called(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        prompt: str = body["messages"][0]["content"]
        self.prompts.append(prompt)
        self.keys.add(request.headers.get("Authorization", ""))
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            return await self._answered(request, body, prompt)
        finally:
            self._now -= 1

    async def _answered(self, request: web.Request, body: dict[str, object], prompt: str) -> web.StreamResponse:
        held, self._held = self._held, None
        if held is not None:
            await held.wait()
        if self.misdeeds:
            done = self.misdeeds.popleft()(request)
            return await self._half(request) if done is None else done
        if unknown := sorted(self.refuses & set(body)):
            use = " Use 'max_completion_tokens' instead." if unknown[0] == "max_tokens" else ""
            message = f"Unsupported parameter: '{unknown[0]}' is not supported with this model.{use}"
            return _error(400, "unsupported_parameter", message, {})
        self.answered.append(prompt)
        return web.json_response(self._body(self.answer(prompt), prompt))

    def _body(self, content: str, prompt: str) -> dict[str, object]:
        choice: dict[str, object] = {"index": 0, "message": {"role": "assistant", "content": content}}
        choice["finish_reason"] = "stop"
        if self.logprobs:
            choice["logprobs"] = {"content": [{"token": content, "logprob": -0.105360515657826}]}
        sent, got = len(prompt.split()), len(content.split())
        usage = {"prompt_tokens": self.charged or sent, "completion_tokens": self.charged or got}
        return {"object": "chat.completion", "choices": [choice], **({"usage": usage} if self.usage else {})}

    async def _half(self, request: web.Request) -> web.StreamResponse:
        """Begin to answer, and close the connection."""
        return await half(request, b'{"choices": [')


def failing(status: int, code: str = "", message: str = "no", **headers: str) -> Misdeed:
    """An error in OpenAI's format; underscores in a header's name become dashes."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: _error(status, code, message, sent)


def _error(status: int, code: str, message: str, headers: dict[str, str]) -> web.Response:
    body = {"error": {"message": message, "type": "an_error", "code": code or None}}
    return web.json_response(body, status=status, headers=headers)


def saying(body: object, status: int = 200) -> Misdeed:
    """Any body; text is sent unchanged."""
    if isinstance(body, str):
        return lambda request: web.Response(text=body, status=status)
    return lambda request: web.Response(text=json.dumps(body), status=status, content_type="application/json")


def hanging_up(request: web.Request) -> web.Response | None:
    return None
