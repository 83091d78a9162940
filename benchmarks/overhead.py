"""What the bot itself costs, from a message that is stored to the posts handed to the platform.

    python -m benchmarks.overhead --messages 300 --burst 32

Real PostgreSQL in a temporary folder, the real steps with their notifications, no wait for people to finish typing, and
the demo company's examples in the memory. Model and embedder answer at once and the chat service only records the time,
so what is left is the bot's own cost.
"""

import argparse
import asyncio
import hashlib
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import numpy as np

from benchmarks.machine import Figures, machine, show, spread
from benchmarks.stage import Stage, staged, unasked, unhurried
from bot.app import demo_settings
from bot.console import counting
from bot.domain.embedders import WIDTHS
from bot.domain.model_ports import Embedder, Vector
from bot.flow.classify import Classifier
from bot.flow.embed import EmbeddingBackfill
from bot.flow.fit_voices import VoiceFitter
from bot.flow.learn import Learner
from bot.flow.score import Scorer
from bot.model_stack import ModelStack
from bot.settings import Settings
from bot.store import Store, load_demo_examples, now, open_store
from inference.adapters import VllmAdapters
from inference.base_models import STARTER
from inference.http import open_line
from inference.voices.fitted import FittedVoices
from tests.fakes import FakePredictor, FakeWorkshop

_NOBODY = "http://127.0.0.1:9"


class Instant:
    """An embedder that takes no time: vectors drawn from the text, every two at a cosine near 0.5."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        return [_drawn(text) for text in texts]


def _drawn(text: str) -> Vector:
    """Both parts of the pair's vector."""
    numbers = np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]))
    vector: list[float] = []
    for width in WIDTHS.values():
        direction = numbers.standard_normal(width)
        part = direction / np.linalg.norm(direction)
        part[0] += 1.0
        vector += (part / np.linalg.norm(part)).tolist()
    return vector


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--messages", type=int, default=300, help="how many, one at a time")
    parser.add_argument("--burst", type=int, default=32, help="how many at once, by as many people")
    parser.add_argument("--rounds", type=int, default=10, help="how many bursts")
    args = parser.parse_args(arguments)
    on = machine()
    rows = asyncio.run(measured(args.messages, args.burst, args.rounds))
    show("own overhead, ms", rows, on)


async def measured(messages: int, burst: int, rounds: int) -> dict[str, Figures]:
    """Milliseconds from stored to handed over, by how many write at once."""
    with tempfile.TemporaryDirectory(prefix="switchboard-overhead-") as home:
        settings = unasked(unhurried(demo_settings(Path(home))))
        async with (
            open_store(settings) as store,
            mind(settings, store) as models,
            staged(settings, store, models) as stage,
        ):
            rooms = (f"person-{n}" for n in range(1_000_000))
            await _crowd(stage, rooms, 8)  # connections opened, statements prepared
            alone = await one_by_one(stage, rooms, messages)
            together = await _bursts(stage, rooms, burst, rounds)
    return {**figures("one at a time", alone), **figures(f"{burst} at once", together)}


@asynccontextmanager
async def mind(
    settings: Settings, store: Store, embedder: Embedder | None = None, kept: Path | None = None
) -> AsyncIterator[ModelStack]:
    """Everything that classifies, taking no time except the `embedder`'s; voices that are `kept` are not fitted
    again."""
    task, embedder = settings.routing, embedder or Instant(store.embedder.name)
    voices = FittedVoices(kept or settings.model.runs.parent / "voices", embedder.name)
    predictor = FakePredictor(lambda _: "billing")
    classifier = Classifier(predictor, embedder, store.memory, store.registry, "starter", fitted=voices)
    async with open_line(_NOBODY) as line:
        adapters = VllmAdapters(line, STARTER)
        embedding_backfill = EmbeddingBackfill(store.memory, embedder, store.failures, now)
        learner = Learner(
            {task.name: task},
            store.examples,
            store.registry,
            Scorer(classifier),
            adapters,
            FakeWorkshop(),
            settings.model.runs,
            settings.model.runs,
            now,
        )
        await load_demo_examples(task, store)
        with _progress("remembering", None) as done:
            await embedding_backfill.all(done)
        fitter = VoiceFitter((task,), store.lessons, voices, embedder.name)
        with _progress("fitting the voices", None):
            await fitter.step()
        yield ModelStack(classifier, embedding_backfill, fitter, learner, None, adapters)


async def one_by_one(stage: Stage, rooms: Iterator[str], messages: int) -> list[tuple[float, float]]:
    """Milliseconds to the answer and to the card of each message, when nobody else writes."""
    taken = []
    with _progress("one at a time", messages) as done:
        for _ in range(messages):
            await asyncio.sleep(random.uniform(0.05, 0.15))  # by then the work left by the message before is done
            taken.append(await _carried(stage, next(rooms)))
            done(1)
    return taken


async def _bursts(stage: Stage, rooms: Iterator[str], burst: int, rounds: int) -> list[tuple[float, float]]:
    taken = []
    with _progress(f"{burst} at once", rounds) as done:
        for _ in range(rounds):
            await asyncio.sleep(random.uniform(0.3, 0.5))
            taken += await _crowd(stage, rooms, burst)
            done(1)
    return taken


async def _crowd(stage: Stage, rooms: Iterator[str], people: int) -> list[tuple[float, float]]:
    return await asyncio.gather(*(_carried(stage, next(rooms)) for _ in range(people)))


async def _carried(stage: Stage, room: str) -> tuple[float, float]:
    """Milliseconds from stored to the person's answer and to the team's card."""
    accepted = await stage.writes(room, f"I was charged twice, says {room}")
    answer, card = await stage.answer(room), await stage.card(room)
    return 1_000 * (answer.at - accepted), 1_000 * (card.at - accepted)


def figures(how: str, taken: Sequence[tuple[float, float]]) -> dict[str, Figures]:
    """Their median and 99th percentile."""
    answers, cards = zip(*taken, strict=True)
    return {
        f"{how}: to the answer": {"n": len(taken), **spread(answers)},
        f"{how}: to the card": {"n": len(taken), **spread(cards)},
    }


@contextmanager
def _progress(doing: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar, if somebody watches; otherwise redrawing it would only add to the measurement."""
    if sys.stderr.isatty():
        with counting(doing, total) as done:
            yield done
    else:
        yield lambda _more: None


if __name__ == "__main__":
    main()
