"""What our client costs on top of a bare request to the same vLLM server: `python -m benchmarks.routing_call`.

Bare is a request made ready beforehand and sent by aiohttp, its answer read but not parsed. Both sides ask the same
questions, in turns, so that whatever else the machine does falls on both; reported are medians over the rounds.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from bot.domain.learning import Adapter
from bot.domain.ports import Query
from bot.domain.tasks import Label, Task
from inference.adapters import VllmAdapters
from inference.bases import STARTER
from inference.client import VllmPredictor
from inference.command import ServerSettings
from inference.prompt import PromptBuilder
from inference.server import EmbeddedServer
from tests.fakes_inference import write_lora

TASK = Task("routing", "Which team?", tuple(Label(f"team-{n}", "") for n in range(8)), "team-0")
CODES = {label.name: f"<label_{n:03}>" for n, label in enumerate(TASK.labels)}
IN_FLIGHT = 32
Ask = Callable[[int], Awaitable[object]]


async def main(rounds: int, calls: int) -> None:
    """Starts a server, measures, prints one JSON line."""
    with tempfile.TemporaryDirectory() as scratch:
        settings = ServerSettings(STARTER, "starter", Path(scratch))
        async with EmbeddedServer(settings, _say) as server, aiohttp.ClientSession(str(server.line.base_url)) as http:
            bare, ours = await _askers(server, http, Path(scratch))
            single = [(await _one_by_one(bare, calls), await _one_by_one(ours, calls)) for _ in range(rounds)]
            crowd = [(await _crowd(bare, calls * 8), await _crowd(ours, calls * 8)) for _ in range(rounds)]
    print(json.dumps({"single": _figures(single), f"in_flight_{IN_FLIGHT}": _figures(crowd)}))


async def _askers(server: EmbeddedServer, http: aiohttp.ClientSession, scratch: Path) -> tuple[Ask, Ask]:
    prompts, adapters = PromptBuilder(STARTER), VllmAdapters(server.line, STARTER)
    path = write_lora(scratch / "lora", STARTER, seed=1)
    adapter = Adapter("bench", TASK.name, path, "starter", CODES, 1.0, datetime.now(UTC))
    await adapters.load(adapter)
    predictor, query = VllmPredictor(server.line, prompts, "starter", adapters), Query(TASK, CODES, adapter)
    texts = [f"I was charged twice for order {n}" for n in range(1_000)]
    bodies = [
        _body(prompts.prompt_ids(TASK, CODES, text), [prompts.code_id(c) for c in CODES.values()]) for text in texts
    ]

    async def bare(n: int) -> object:
        headers = {"content-type": "application/json"}
        async with http.post("/v1/completions", data=bodies[n % len(bodies)], headers=headers) as response:
            return await response.read()

    async def ours(n: int) -> object:
        return await predictor.predict(query, [texts[n % len(texts)]])

    for ask in (bare, ours):
        await _crowd(ask, 2 * IN_FLIGHT)
    return bare, ours


def _body(prompt: list[int], allowed: list[int]) -> bytes:
    asked = {"model": "bench", "prompt": prompt, "max_tokens": 1, "temperature": 0}
    return json.dumps(asked | {"allowed_token_ids": allowed, "logprobs": len(allowed)}).encode()


async def _one_by_one(ask: Ask, calls: int) -> float:
    """Median milliseconds of a call."""
    taken = []
    for n in range(calls):
        began = time.perf_counter()
        await ask(n)
        taken.append(time.perf_counter() - began)
    return 1_000 * statistics.median(taken)


async def _crowd(ask: Ask, calls: int) -> float:
    """Milliseconds a call with IN_FLIGHT on the way all the time."""
    numbers = iter(range(calls))

    async def worker() -> None:
        for n in numbers:
            await ask(n)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return 1_000 * (time.perf_counter() - began) / calls


def _figures(pairs: list[tuple[float, float]]) -> dict[str, float]:
    bare, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(mine / theirs for theirs, mine in pairs)
    return {"bare_ms": round(bare, 2), "ours_ms": round(ours, 2), "ratio": round(ratio, 3)}


def _say(share: float, doing: str) -> None:
    if share == 1.0:
        print(doing, file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=100)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.rounds, arguments.calls))
