"""How many conversations a second go from stored message to card handed over, with a model that answers at once.

    python -m benchmarks.throughput --conversations 1000 --alone 100

Real PostgreSQL in a temporary folder and the real steps, as in `benchmarks.overhead`; first people write one at a time,
then everybody at once. The voices beside the model are fitted before that, on meaningless vectors. They would be so
unsure that people were asked back, and a question brings no card; so asking is switched off.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import Figures, machine, show
from benchmarks.overhead import figures, mind, one_by_one
from benchmarks.stage import Stage, staged, unasked, unhurried
from bot.app import demo_settings
from bot.store import open_store

_PATIENCE = 120.0
"""Seconds after which a missing card fails the measurement."""


async def measured(conversations: int, alone: int) -> dict[str, Figures]:
    """Milliseconds of each when nobody else writes; then seconds until all sent at once are stored, and handed over."""
    with tempfile.TemporaryDirectory(prefix="switchboard-throughput-") as home:
        settings = unasked(unhurried(demo_settings(Path(home))))
        async with (
            open_store(settings) as store,
            mind(settings, store) as models,
            staged(settings, store, models, _PATIENCE) as stage,
        ):
            await asyncio.gather(*(stage.writes(f"warm-{number}", "I was charged twice") for number in range(8)))
            await asyncio.gather(*(stage.card(f"warm-{number}") for number in range(8)))
            first = await one_by_one(stage, (f"alone-{number}" for number in range(alone)), alone) if alone else []
            crowd = await _all_at_once(stage, conversations)
    return {**(figures("one at a time", first) if first else {}), "all at once": crowd}


async def _all_at_once(stage: Stage, conversations: int) -> Figures:
    rooms = [f"person-{number}" for number in range(conversations)]
    began, busy = time.perf_counter(), time.process_time()
    stored = await asyncio.gather(*(stage.writes(room, f"I was charged twice, says {room}") for room in rooms))
    cards = await asyncio.gather(*(stage.card(room) for room in rooms))
    seconds, busy = max(card.at for card in cards) - began, time.process_time() - busy
    return {
        "n": conversations,
        "stored after, s": round(max(stored) - began, 2),
        "last card after, s": round(seconds, 2),
        "conversations/s": round(conversations / seconds, 1),
        "our processor, ms each": round(1_000 * busy / conversations, 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--conversations", type=int, default=1_000, help="how many at once")
    parser.add_argument("--alone", type=int, default=100, help="how many before that, one at a time")
    args = parser.parse_args(arguments)
    on = machine()
    show("throughput", asyncio.run(measured(args.conversations, args.alone)), on)


if __name__ == "__main__":
    main()
