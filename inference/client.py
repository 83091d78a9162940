"""The vLLM client: texts in, exact probabilities over the labels of a task out, one forward pass each."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from bot.domain import ports
from bot.domain.decisions import Prediction
from bot.domain.errors import Refused, Unreachable
from bot.domain.ports import AdapterHost, Query
from inference.line import IN_FLIGHT, accepted, send
from inference.prompt import PromptBuilder

_TEXTS = 16
"""Texts in one request: enough to fill a batch of the server's, few enough to be answered before patience ends."""
_SLACK = 1e-3
"""How far from 1 probabilities may sum and still be believed (the server rounds them)."""


class VllmPredictor:
    """The model behind a vLLM server that was started with `--logprobs-mode processed_logprobs`."""

    def __init__(self, line: httpx.AsyncClient, prompts: PromptBuilder, served: str, adapters: AdapterHost) -> None:
        """`served` is the name the base goes by in the server; `adapters` are the same server's."""
        self._line = line
        self._prompts = prompts
        self._served = served
        self._adapters = adapters
        self._turn = asyncio.Semaphore(IN_FLIGHT)

    def alphabet(self) -> Sequence[str]:
        return self._prompts.alphabet()

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        """See `ports.Predictor`. An adapter the server has forgotten (it restarted) is loaded again on the way."""
        asked = self._asked(query)
        chunks = [texts[start : start + _TEXTS] for start in range(0, len(texts), _TEXTS)]
        if len(chunks) == 1:
            return await self._answers(asked, chunks[0])
        try:
            async with asyncio.TaskGroup() as group:
                parts = [group.create_task(self._answers(asked, chunk), name="predict") for chunk in chunks]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        return [prediction for part in parts for prediction in part.result()]

    def _asked(self, query: Query) -> "_Asked":
        if query.adapter is None and self._prompts.bare:
            raise Refused("the starter answers nothing before it was trained for the task")
        ids = {self._prompts.code_id(query.codes[name]): name for name in query.task.names if name in query.codes}
        if not ids:
            raise Refused(f"tasks.{query.task.name}: no label has a code of this model")
        return _Asked(query, ids)

    async def _answers(self, asked: "_Asked", texts: Sequence[str]) -> list[Prediction]:
        query, model = asked.query, asked.query.adapter.name if asked.query.adapter else self._served
        body = {
            "model": model,
            "prompt": [self._prompts.prompt_ids(query.task, query.codes, text) for text in texts],
            "max_tokens": 1,
            "temperature": 0,
            "repetition_penalty": 1,
            "allowed_token_ids": list(asked.labels),
            "logprobs": len(asked.labels),
            "return_tokens_as_token_ids": True,
        }
        async with self._turn:
            response = await self._complete(asked, body)
        rows = _rows(response, len(texts))
        return [Prediction(_distribution(row, asked.labels), asked.adapter) for row in rows]

    async def _complete(self, asked: "_Asked", body: Mapping[str, object]) -> httpx.Response:
        what = f"a question to {body['model']!r}"
        response = await send(self._line, "POST", "/v1/completions", body)
        if response.status_code == 404 and asked.query.adapter is not None:
            await self._adapters.load(asked.query.adapter)
            response = await send(self._line, "POST", "/v1/completions", body)
        return accepted(response, what)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query, with the token of each label that may answer it."""

    query: Query
    labels: Mapping[int, str]

    @property
    def adapter(self) -> str | None:
        return self.query.adapter.name if self.query.adapter else None


def _rows(response: httpx.Response, expected: int) -> list[dict[str, object]]:
    """For each prompt, in order, the server's log-probabilities by `token_id:N`."""
    try:
        choices = sorted(response.json()["choices"], key=lambda choice: int(choice["index"]))
        rows = [dict(choice["logprobs"]["top_logprobs"][0]) for choice in choices]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise _nonsense("no log-probabilities") from error
    if len(rows) != expected:
        raise _nonsense(f"{len(rows)} answers to {expected} questions")
    return rows


def _distribution(row: Mapping[str, object], labels: Mapping[int, str]) -> dict[str, float]:
    """Probabilities by label. Raises Unreachable when they are not a distribution over exactly these labels."""
    found: dict[str, float] = {}
    for id, label in labels.items():
        logprob = row.get(f"token_id:{id}")
        if not isinstance(logprob, int | float) or isinstance(logprob, bool) or not logprob <= _SLACK:
            raise _nonsense("a label is missing; it needs --max-logprobs of at least the number of labels")
        found[label] = math.exp(logprob)
    total = sum(found.values())
    if not abs(total - 1) <= _SLACK:
        raise _nonsense(f"probabilities sum to {total:.3f}; it needs --logprobs-mode processed_logprobs")
    return {label: probability / total for label, probability in found.items()}


def _nonsense(why: str) -> Unreachable:
    return Unreachable(f"model server: answered nonsense: {why}")


_: type[ports.Predictor] = VllmPredictor
