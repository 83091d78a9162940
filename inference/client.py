"""The vLLM client: texts in, exact probabilities over a task's labels out, one forward pass for each text."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from bot.domain import model_ports
from bot.domain.decisions import Prediction
from bot.domain.errors import NotTrained, Refused, Unreachable
from bot.domain.learning import Adapter
from bot.domain.model_calls import CallKind
from bot.domain.model_ports import Query
from bot.domain.plural import counted
from bot.domain.tracing import Span, here, shared
from inference.adapters import VllmAdapters
from inference.circuit_breaker import CircuitBreaker
from inference.http import MALFORMED
from inference.prompt import PromptBuilder

_TEXTS = 16
"""Texts in one request: enough to fill a batch of the server, few enough to be answered before the deadline."""
_REQUESTS = 4
"""Requests under way at a time. Questions that come meanwhile share the next one: a request costs both sides
milliseconds, another text in it next to nothing."""
_EACH = 0.5
"""Seconds added to the deadline for each further text in a request: on two processors a 1B model takes 0.35 for one."""
_SLACK = 1e-3
"""How far from 1 the sum of probabilities may be (the server rounds them)."""
_LEAST = -700.0
"""The least log-probability that is kept apart from lower ones; nothing overflows below it."""

_Row = dict[str, object]
"""The server's log-probabilities for one prompt, by `token_id:N`."""


class ModelServer(Protocol):
    """What answers questions: one server, or several that serve the same (`inference.replicas`)."""

    @property
    def who(self) -> str:
        """The server's name for people to read."""

    def served(self, name: str) -> str:
        """The server's name for the adapter of that name."""

    async def complete(self, adapter: Adapter | None, body: Mapping[str, object], kind: CallKind) -> httpx.Response:
        """The server's answer to a question, given by that adapter (None: by the base). Raises Unreachable, Refused."""


class VllmPredictor:
    """The model behind a vLLM server that was started with `--logprobs-mode processed_logprobs`."""

    def __init__(self, prompts: PromptBuilder, served: str, server: ModelServer) -> None:
        """`served` is the base's name in the server."""
        self._prompts = prompts
        self._served = served
        self._server = server
        self._turns, self._hurried = asyncio.Semaphore(_REQUESTS), asyncio.Semaphore(_REQUESTS)
        """Separate turns, so that questions somebody waits for do not queue behind patient ones."""
        self.breaker = CircuitBreaker(server.who)
        """Guards the questions somebody waits for; patient callers ask whether or not it is open."""
        self._waiting: dict[object, _Waiting] = {}

    def alphabet(self) -> Sequence[str]:
        return self._prompts.alphabet()

    def reads(self, text: str) -> bool:
        """See `model_ports.Predictor`."""
        return self._prompts.reads(text)

    def crosses(self) -> bool:
        """See `model_ports.Predictor`. The starter, which knows little language, does not."""
        return not self._prompts.bare

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        """See `model_ports.Predictor`. An adapter that the server has forgotten (it restarted) is loaded again on the
        way."""
        self._asked(query)
        stride, heard = _REQUESTS * _TEXTS, list[Prediction]()
        for start in range(0, len(texts), stride):  # in strides, so that a long list lets other questions in between
            some = texts[start : start + stride]
            heard += await self.distributions(
                query, [self._prompts.prompt_ids(query.task, query.codes, text) for text in some]
            )
        return heard

    async def distributions(self, query: Query, prompts: Sequence[list[int]]) -> list[Prediction]:
        """The same for prompts built elsewhere, whose next token is the code of the answer."""
        asked = self._asked(query)
        places = [self._place(asked, prompt) for prompt in prompts]
        # Shielded, because another caller's text may be in the same request.
        await asyncio.gather(*(asyncio.shield(sent) for sent in {place.sent for place, _ in places}))
        return [
            Prediction(_distribution(place.sent.result()[at], asked.labels, place.parcel.allowed), asked.adapter)
            for place, at in places
        ]

    def _asked(self, query: Query) -> "_Asked":
        if query.adapter is None and self._prompts.bare:
            raise NotTrained("the starter answers nothing before it was trained for the task")
        ids = {self._prompts.code_id(query.codes[name]): name for name in query.task.names if name in query.codes}
        ids |= self._merged(query)
        if not ids:
            raise Refused(f"tasks.{query.task.name}: no label has a code of this model")
        return _Asked(query, ids)

    def _merged(self, query: Query) -> dict[int, str]:
        """Tokens of teams that were merged since the adapter learned them -> the team that has their requests now."""
        if query.adapter is None:
            return {}
        codes, merged = query.adapter.codes, query.adapter.merged
        known = {former: now for former, now in merged.items() if now in query.task.names and now in query.codes}
        return {self._prompts.code_id(codes[former]): now for former, now in known.items() if former in codes}

    def _place(self, asked: "_Asked", prompt: list[int]) -> tuple["_Waiting", int]:
        """The request that will carry the prompt, and the prompt's position in it."""
        waiting = self._waiting.get(asked.kind)
        if waiting is None or len(waiting.prompts) == _TEXTS:
            parcel = _Parcel()
            waiting = _Waiting(parcel, asyncio.create_task(self._send(asked, parcel), name="predict"))
            self._waiting[asked.kind] = waiting
        waiting.parcel.add(asked, prompt)
        return waiting, len(waiting.prompts) - 1

    async def _send(self, asked: "_Asked", parcel: "_Parcel") -> list[_Row]:
        """Wait for a turn, then send all that has gathered in the parcel by then."""
        turns = self._turns if asked.query.deadline is None else self._hurried
        async with _turn(turns, asked.query.deadline, self._server.who):
            if asked.kind in self._waiting and self._waiting[asked.kind].parcel is parcel:
                del self._waiting[asked.kind]
            body = parcel.body(self._server.served(asked.adapter) if asked.adapter else self._served)
            with shared("ask the model", parcel.askers, attributes={"switchboard.texts": len(parcel.prompts)}):
                return _rows(await self._answered(asked, parcel, body), len(parcel.prompts))

    async def _answered(self, asked: "_Asked", parcel: "_Parcel", body: Mapping[str, object]) -> httpx.Response:
        if asked.query.deadline is None:
            return await self._complete(asked, body)
        if parcel.further and self.breaker.closed:
            # The fate of further questions alone says nothing about the server for questions somebody waits for
            return await self._in_time(asked, body, len(parcel.prompts))
        with self.breaker.call():
            return await self._in_time(asked, body, len(parcel.prompts))

    async def _in_time(self, asked: "_Asked", body: Mapping[str, object], texts: int) -> httpx.Response:
        """The answer, for somebody who waits. Raises Unreachable when it is late."""
        patience = (asked.query.deadline or 0.0) + _EACH * (texts - 1)
        try:
            async with asyncio.timeout(patience):
                return await self._complete(asked, body)
        except TimeoutError as error:
            raise Unreachable(f"{self._server.who}: no answer within {patience:g} s") from error

    async def _complete(self, asked: "_Asked", body: Mapping[str, object]) -> httpx.Response:
        kind = CallKind.PATIENT if asked.query.deadline is None else CallKind.QUESTION
        return await self._server.complete(asked.query.adapter, body, kind)


@asynccontextmanager
async def _turn(turns: asyncio.Semaphore, deadline: float | None, who: str) -> AsyncIterator[None]:
    """Hold one of the turns to send a request. Raises Unreachable if the turn does not come within the deadline."""
    try:
        async with asyncio.timeout(deadline):
            await turns.acquire()
    except TimeoutError as error:
        raise Unreachable(f"{who}: busy with other questions for {deadline:g} s") from error
    try:
        yield
    finally:
        turns.release()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query, with the label of each token that may answer it."""

    query: Query
    labels: Mapping[int, str]

    @property
    def adapter(self) -> str | None:
        return self.query.adapter.name if self.query.adapter else None

    @property
    def kind(self) -> object:
        """Equal for prompts that may share a request, even of several questions: they are for the same model and
        deadline."""
        return self.adapter, self.query.deadline


@dataclass(slots=True)
class _Parcel:
    """Prompts that share one request, and the tokens that may answer any of them."""

    prompts: list[list[int]] = field(default_factory=list)
    allowed: dict[int, None] = field(default_factory=dict)
    further: bool = True
    """Whether none of them is about the team."""
    askers: list[Span] = field(default_factory=list)
    """The trace spans in which the prompts were asked, each once."""

    def add(self, asked: _Asked, prompt: list[int]) -> None:
        self.prompts.append(prompt)
        if (asker := here()) not in self.askers:
            self.askers.append(asker)
        self.allowed |= dict.fromkeys(asked.labels)
        self.further = self.further and asked.query.further

    def body(self, model: str) -> dict[str, object]:
        return {
            "model": model,
            "prompt": self.prompts,
            "max_tokens": 1,
            "temperature": 0,
            "repetition_penalty": 1,
            "allowed_token_ids": list(self.allowed),
            "logprobs": len(self.allowed),
            "return_tokens_as_token_ids": True,
        }


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A parcel that waits for its turn, and the task that sends it."""

    parcel: _Parcel
    sent: "asyncio.Task[list[_Row]]"

    @property
    def prompts(self) -> list[list[int]]:
        return self.parcel.prompts


def _rows(response: httpx.Response, expected: int) -> list[_Row]:
    """One row for each prompt, in order. Raises Unreachable for an answer of another shape."""
    try:
        choices = sorted(response.json()["choices"], key=lambda choice: int(choice["index"]))
        rows = [dict(choice["logprobs"]["top_logprobs"][0]) for choice in choices]
    except MALFORMED as error:
        raise _nonsense("no log-probabilities") from error
    if len(rows) != expected:
        raise _nonsense(f"{counted(len(rows), 'answer')} to {counted(expected, 'question')}")
    return rows


def _distribution(row: _Row, labels: Mapping[int, str], allowed: Iterable[int]) -> dict[str, float]:
    """Probabilities by label. Raises Unreachable when the row is not a distribution over exactly what was `allowed`.

    `allowed` has more tokens than `labels` where several questions shared a request: the shares of other questions'
    tokens are left out, and what remains is the exact distribution over this question's own.
    """
    logs = {id: _log_probability(row, id) for id in allowed}
    total = sum(map(math.exp, logs.values()))
    if not abs(total - 1) <= _SLACK:
        raise _nonsense(f"probabilities sum to {total:.3f}; it needs --logprobs-mode processed_logprobs")
    top = max(logs[id] for id in labels)
    shares: dict[str, float] = {}
    for id, label in labels.items():  # a team that others were merged into has several tokens
        shares[label] = shares.get(label, 0.0) + math.exp(logs[id] - top)
    return {label: share / sum(shares.values()) for label, share in shares.items()}


def _log_probability(row: _Row, token: int) -> float:
    found = row.get(f"token_id:{token}")
    if not isinstance(found, int | float) or isinstance(found, bool) or not found <= _SLACK:
        raise _nonsense("a label is missing; it needs --max-logprobs of at least the number of labels")
    return float(max(found, _LEAST))


def _nonsense(why: str) -> Unreachable:
    return Unreachable(f"model server: answered nonsense: {why}")


_: tuple[type[model_ports.Predictor], type[ModelServer]] = (VllmPredictor, VllmAdapters)
