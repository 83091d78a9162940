"""A client of OpenAI-compatible chat endpoints, one attempt for each call: what they answer, and what failures mean.

Servers keep the promise of compatibility only in part. Seen among them: errors in an answer of status 200, `choices`
that are null or empty, content that is null or a list of parts, no `usage`, and parameters that are refused by name
(`max_tokens` by models that think, which want `max_completion_tokens`; `temperature`; `logprobs`). Nothing of an
answer's body is ever shown or logged: servers repeat the request in it.
"""

import asyncio
import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import cast

import httpx

from bot.domain import prompted
from bot.domain.endpoints import Endpoint
from bot.domain.errors import Refused, Unreachable
from bot.domain.few_shot import Shown
from bot.domain.prompted import MessageRefused, Reply, Unheard
from bot.domain.tasks import Task
from inference.prompt import chat_prompt

_CONNECT_SECONDS = 10.0
_AGAIN = frozenset({408, 409, 425, 429})
_THIS_MESSAGE = frozenset({400, 413, 422})
_HOPELESS = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
"""Error codes of a 429 that waiting does not cure."""
_WORD = re.compile(r"[A-Za-z][\w.-]{0,59}")
"""What an error's code or type looks like; anything else may be people's words."""
_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
"""What thinking models write before they answer."""

_Body = dict[str, object]


class HostedModel:
    """One chat endpoint."""

    def __init__(self, line: httpx.AsyncClient, endpoint: Endpoint) -> None:
        """`line` is a client from `open_endpoint`."""
        self._line = line
        self._endpoint = endpoint
        self._body: _Body = {"model": endpoint.model, "temperature": 0, "logprobs": True}
        self._length = "max_tokens"

    @property
    def identity(self) -> str:
        """What decides an answer besides the prompt."""
        known = self._endpoint
        return json.dumps([known.url.rstrip("/"), known.model, known.max_tokens])

    def prompt(self, task: Task, text: str, examples: Sequence[Shown]) -> str:
        """See `prompted.ChatModel`."""
        return chat_prompt(task, text, examples)

    async def ask(self, prompt: str) -> Reply:
        """See `prompted.ChatModel`. A parameter that is refused by name is left out from then on."""
        while True:
            body = {**self._body, self._length: self._endpoint.max_tokens}
            body["messages"] = [{"role": "user", "content": prompt}]
            began = time.perf_counter()
            response = await self._posted(body)
            if response.status_code in _THIS_MESSAGE and self._adapted(body, response):
                continue
            return _reply(_accepted(response), (time.perf_counter() - began) * 1000)

    async def _posted(self, body: Mapping[str, object]) -> httpx.Response:
        try:
            async with asyncio.timeout(self._endpoint.timeout):  # for the whole answer: it may arrive in drops
                return await self._line.post("chat/completions", json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unreachable(f"no connection ({type(error).__name__})") from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise Unheard(f"no answer within {self._endpoint.timeout:g} s") from error
        except httpx.HTTPError as error:
            raise Unheard(f"the connection ended before the answer ({type(error).__name__})") from error

    def _adapted(self, sent: Mapping[str, object], response: httpx.Response) -> bool:
        """Whether a refused parameter was dropped or renamed, so that the call can be repeated; another call may have
        done it."""
        said = response.text
        if "max_completion_tokens" in said and "max_tokens" in sent:
            self._length = "max_completion_tokens"
            return True
        for name in ("logprobs", "temperature"):
            if name in sent and name in said:
                self._body.pop(name, None)
                return True
        return False


def open_endpoint(endpoint: Endpoint) -> httpx.AsyncClient:
    """A client for the endpoint, through the machine's proxy if it has one."""
    key = endpoint.secret
    return httpx.AsyncClient(
        base_url=endpoint.url.rstrip("/").removesuffix("/chat/completions") + "/",
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=httpx.Timeout(endpoint.timeout, connect=min(_CONNECT_SECONDS, endpoint.timeout), pool=None),
    )


# --- what came back ---


def _accepted(response: httpx.Response) -> Mapping[str, object]:
    """The body of a success. Raises the error a failure means, also for a failure with a status of success."""
    body = _object(response)
    status = response.status_code
    if response.is_success and body is None:
        raise Unheard("answered with something that is not JSON")
    fault = (body or {}).get("error")
    if response.is_success and body is not None and not fault:
        return body
    code = _code(fault)
    if response.is_success:
        status = int(code) if code.isdecimal() else 500
    said = f"answered {status}" + (f" ({code})" if code and code != str(status) else "")
    if status in _AGAIN or status >= 500:
        if code in _HOPELESS:
            raise Refused(said)
        raise Unreachable(said, retry_after(response.headers, datetime.now(UTC)))
    raise MessageRefused(said) if status in _THIS_MESSAGE else Refused(said)


def _reply(body: Mapping[str, object], milliseconds: float) -> Reply:
    choice = _first(body.get("choices"))
    if choice is None:
        raise Unheard("answered without a choice")
    message = choice.get("message")
    content = _text(message.get("content")) if isinstance(message, dict) else ""
    usage = body.get("usage")
    counted = usage if isinstance(usage, dict) else {}
    tokens_in, tokens_out = _count(counted.get("prompt_tokens")), _count(counted.get("completion_tokens"))
    if not tokens_in:  # some servers send a usage of zeros without counting
        tokens_in = tokens_out = None
    answer = _THOUGHTS.sub("", content)
    certain = _probability(choice.get("logprobs")) if answer == content else None
    return Reply(answer, tokens_in, tokens_out, certain, choice.get("finish_reason") == "length", milliseconds)


def _object(response: httpx.Response) -> Mapping[str, object] | None:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    return cast("Mapping[str, object]", body) if isinstance(body, dict) else None


def _code(fault: object) -> str:
    """The error's code, or its type, if it looks like one."""
    if not isinstance(fault, dict):
        return ""
    for name in ("code", "type"):
        value = fault.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and (value.isdecimal() or _WORD.fullmatch(value)):
            return value
    return ""


def _first(choices: object) -> Mapping[str, object] | None:
    first = choices[0] if isinstance(choices, list) and choices else None
    return cast("Mapping[str, object]", first) if isinstance(first, dict) else None


def _text(content: object) -> str:
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _probability(logprobs: object) -> float | None:
    """The probability of the whole answer: from the sum of its tokens' log-probabilities."""
    rows = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(rows, list) or not rows:
        return None
    values = [row.get("logprob") if isinstance(row, dict) else None for row in rows]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) != len(values):
        return None
    try:
        certain = math.exp(sum(numbers))
    except OverflowError:
        return None
    return min(1.0, certain) if math.isfinite(certain) else None


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the server asks us to wait, given in seconds, in milliseconds or as a date; None: it does not say."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        return timedelta(seconds=seconds) if 0 <= seconds < 1e7 else None
    try:
        until = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(timedelta(0), until.replace(tzinfo=until.tzinfo or UTC) - now)


_: type[prompted.ChatModel] = HostedModel
