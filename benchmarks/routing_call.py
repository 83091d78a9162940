"""What our client costs on top of a bare request to the same vLLM server.

    python -m benchmarks.routing_call

The starter with its own adapter. A bare request is prepared beforehand and its answer read but not parsed; it is sent
by httpx, as ours are, and for comparison by aiohttp, which costs less. All sides ask the same questions in turns, so
that whatever else the machine does affects all of them. Reported are medians over the rounds, and the median of the
rounds' ratios.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from benchmarks.machine import Figures, machine, show
from bot.app import demo_settings
from bot.console import counting, share_of
from bot.domain.errors import UsageError
from bot.domain.learning import Adapter
from bot.domain.model_ports import Query
from inference.adapters import VllmAdapters
from inference.base_models import STARTER
from inference.client import VllmPredictor
from inference.http import open_line
from inference.prompt import PromptBuilder
from inference.seed import starter_seed
from inference.server import EmbeddedServer
from inference.server_command import ServerSettings

IN_FLIGHT = 32
_JSON = {"content-type": "application/json"}
Ask = Callable[[int], Awaitable[object]]
Measure = Callable[[Ask], Awaitable[float]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Start a server, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=100, help="single calls a round; eight times as many in a crowd")
    args = parser.parse_args(arguments)
    on = machine()
    show("routing call, ms", asyncio.run(measured(args.rounds, args.calls)), on)


async def measured(rounds: int, calls: int) -> dict[str, Figures]:
    """Milliseconds for a call, by client, with the ratio of ours to each of the others."""
    with tempfile.TemporaryDirectory(prefix="switchboard-routing-call-") as scratch:
        async with _askers(Path(scratch)) as askers:
            for ask in askers.values():
                await _crowd(ask, 2 * IN_FLIGHT)
            single = await _rounds("single", askers, rounds, lambda ask: _one_by_one(ask, calls))
            crowd = await _rounds("crowd", askers, rounds, lambda ask: _crowd(ask, 8 * calls))
    return {"single, p50": _figures(single), f"{IN_FLIGHT} in flight, a call": _figures(crowd)}


@asynccontextmanager
async def _askers(scratch: Path) -> AsyncIterator[dict[str, Ask]]:
    grown, task = starter_seed(), demo_settings(scratch).routing
    if grown is None:
        raise UsageError("the starter has no adapter yet; make it with `python -m bot.demo.grow`")
    adapter = Adapter("seed", task.name, grown.folder, "starter", grown.codes, 1.0, datetime.now(UTC))
    query, prompts = Query(task, grown.codes, adapter), PromptBuilder(STARTER)
    texts = [f"I was charged twice for order {n}" for n in range(1_000)]
    bodies = [_body(query, prompts, text) for text in texts]
    with share_of("starting vLLM") as told:
        server = await EmbeddedServer(ServerSettings(STARTER, "starter", scratch), told).__aenter__()
    try:
        url = str(server.line.base_url)
        async with aiohttp.ClientSession(url) as cheap, open_line(url) as line:
            adapters = VllmAdapters(server.line, STARTER)
            await adapters.load(adapter)
            predictor = VllmPredictor(prompts, "starter", adapters)

            async def ours(n: int) -> object:
                return await predictor.predict(query, [texts[n % len(texts)]])

            async def bare(n: int) -> object:
                response = await line.post("/v1/completions", content=bodies[n % len(bodies)], headers=_JSON)
                return response.content

            async def cheapest(n: int) -> object:
                async with cheap.post("/v1/completions", data=bodies[n % len(bodies)], headers=_JSON) as response:
                    return await response.read()

            yield {"ours": ours, "bare httpx": bare, "bare aiohttp": cheapest}
    finally:
        await server.__aexit__(None, None, None)


def _body(query: Query, prompts: PromptBuilder, text: str) -> bytes:
    """The request that our client sends for the same text."""
    allowed = [prompts.code_id(code) for code in query.codes.values()]
    asked = {
        "model": "seed",
        "prompt": [prompts.prompt_ids(query.task, query.codes, text)],
        "max_tokens": 1,
        "temperature": 0,
        "repetition_penalty": 1,
        "allowed_token_ids": allowed,
        "logprobs": len(allowed),
        "return_tokens_as_token_ids": True,
    }
    return json.dumps(asked).encode()


async def _rounds(doing: str, askers: Mapping[str, Ask], rounds: int, measure: Measure) -> list[dict[str, float]]:
    taken = []
    with counting(doing, rounds) as done:
        for number in range(rounds):
            order = list(askers.items())[:: -1 if number % 2 else 1]
            taken.append({who: await measure(ask) for who, ask in order})
            done(1)
    return taken


async def _one_by_one(ask: Ask, calls: int) -> float:
    """Median milliseconds of a call."""
    taken = []
    for n in range(calls):
        began = time.perf_counter()
        await ask(n)
        taken.append(time.perf_counter() - began)
    return 1_000 * statistics.median(taken)


async def _crowd(ask: Ask, calls: int) -> float:
    """Milliseconds for a call with IN_FLIGHT calls under way all the time."""
    numbers = iter(range(calls))

    async def worker() -> None:
        for n in numbers:
            await ask(n)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return 1_000 * (time.perf_counter() - began) / calls


def _figures(rounds: Sequence[Mapping[str, float]]) -> Figures:
    medians = {
        who: round(statistics.median(r[who] for r in rounds), 2) for who in ("ours", "bare httpx", "bare aiohttp")
    }
    ratios = {
        f"to {whose}": round(statistics.median(r["ours"] / r[f"bare {whose}"] for r in rounds), 3)
        for whose in ("httpx", "aiohttp")
    }
    return medians | ratios


if __name__ == "__main__":
    main()
