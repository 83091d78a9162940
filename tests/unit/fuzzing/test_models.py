"""What servers of models answer, bent: probabilities, vectors and words, or the domain's own error; never another."""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from hypothesis import given

from bot.domain.endpoints import Endpoint
from bot.domain.errors import Refused, Unreachable
from bot.domain.model_calls import CallKind, ModelCall
from bot.domain.model_ports import Query
from inference.adapters import VllmAdapters
from inference.calls import watched
from inference.client import VllmPredictor
from inference.embedders.url import UrlEmbedder
from inference.hosted import HostedModel
from inference.http import accepted, send
from inference.prompt import PromptBuilder
from inference.server_proof import proofs
from tests.samples import TASK
from tests.small_bases import listed_base
from tests.unit.fuzzing.shapes import VALUES, bent

Shape = Mapping[str, object]
Ask = Callable[[httpx.AsyncClient], Awaitable[None]]
CODES = dict(zip(TASK.names, "ABCDEFGH", strict=False))
LIST: Shape = {
    "data": [{"id": "base", "root": "/base", "parent": None, "max_model_len": 512}, {"id": "a", "parent": "base"}]
}
VECTORS: Shape = {"data": [{"index": 1, "embedding": [0.5, 2]}, {"index": 0, "embedding": [1.0, 0.0]}]}
CHAT: Shape = {
    "choices": [
        {
            "message": {"content": [{"type": "text", "text": "billing"}]},
            "logprobs": {"content": [{"token": "billing", "logprob": -0.1}]},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 7, "completion_tokens": 1},
    "error": None,
}
DEEP = "[" * 100_000


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> PromptBuilder:
    return PromptBuilder(listed_base(tmp_path_factory.mktemp("base") / "base"))


def look(shape: Shape, ask: Ask) -> None:
    """Every answer to that question is read, or refused by an error that callers expect."""

    async def asked(written: str) -> None:
        way = httpx.MockTransport(lambda _: httpx.Response(200, content=written.encode()))
        async with httpx.AsyncClient(base_url="http://models.test", transport=way) as line:
            await ask(line)

    @given(bent(shape) | VALUES)
    def answered(body: object) -> None:
        with suppress(Unreachable, Refused):
            asyncio.run(asked(json.dumps(body)))

    asyncio.run(asked(json.dumps(shape)))
    answered()
    with suppress(Unreachable, Refused):
        asyncio.run(asked(DEEP))


def test_probabilities(prompts: PromptBuilder) -> None:
    tokens = [prompts.code_id(code) for code in CODES.values()]
    row = {f"token_id:{token}": math.log(1 / len(tokens)) for token in tokens}
    usage = {"prompt_tokens": 3, "completion_tokens": 1}
    shape = {"choices": [{"index": 0, "logprobs": {"top_logprobs": [row]}}], "usage": usage}

    async def ask(line: httpx.AsyncClient) -> None:
        predictor = VllmPredictor(prompts, "base", VllmAdapters(line, Path()))
        (heard,) = await predictor.predict(Query(TASK, CODES, None), ["hello"])
        assert math.isclose(sum(heard.probabilities.values()), 1)

    look(shape, ask)


def test_vectors() -> None:
    async def ask(line: httpx.AsyncClient) -> None:
        vectors = await UrlEmbedder(line, "tiny").embed(["one", "two"])
        assert all(math.isclose(math.hypot(*vector), 1) for vector in vectors)

    look(VECTORS, ask)


def test_words_of_a_hosted_model() -> None:
    async def ask(line: httpx.AsyncClient) -> None:
        reply = await HostedModel(line, Endpoint("far", "http://models.test", "m", "", None)).ask("which team?")
        assert reply.probability is None or 0 <= reply.probability <= 1

    look(CHAT, ask)


def test_the_list_of_what_is_served() -> None:
    async def ask(line: httpx.AsyncClient) -> None:
        await VllmAdapters(line, Path()).loaded()
        assert [proof async for proof in proofs(line, "base", 256, (5, 6))]

    look(LIST, ask)


def test_counts_of_tokens() -> None:
    seen: list[ModelCall] = []

    async def ask(line: httpx.AsyncClient) -> None:
        with watched(seen.append, CallKind.LIST) as call:
            call.answer(accepted(await send(line, "GET", "/"), "it"))

    look(CHAT, ask)
    assert all(isinstance(call.sent, int) for call in seen)
