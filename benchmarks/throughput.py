"""How many conversations a second go from stored message to card handed over, with a model that answers at once.

    python -m benchmarks.throughput --conversations 1000

Real PostgreSQL in a temporary folder and the real steps, as in `benchmarks.overhead`; everybody writes at once.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import Figures, machine, show
from benchmarks.overhead import mind
from benchmarks.stage import staged, unhurried
from bot.app import demo_settings, open_store


async def measured(conversations: int) -> dict[str, Figures]:
    """Seconds until all are stored, and until the last card is handed over."""
    with tempfile.TemporaryDirectory(prefix="switchboard-throughput-") as home:
        settings = unhurried(demo_settings(Path(home)))
        async with (
            open_store(settings) as store,
            mind(settings, store) as models,
            staged(settings, store, models, patience=300) as stage,
        ):
            rooms = [f"person-{number}" for number in range(conversations)]
            await asyncio.gather(*(stage.writes(f"warm-{number}", "I was charged twice") for number in range(8)))
            await asyncio.gather(*(stage.card(f"warm-{number}") for number in range(8)))
            began = time.perf_counter()
            stored = await asyncio.gather(*(stage.writes(room, f"I was charged twice, says {room}") for room in rooms))
            cards = await asyncio.gather(*(stage.card(room) for room in rooms))
    seconds = max(card.at for card in cards) - began
    return {
        "all at once": {
            "conversations": conversations,
            "stored after, s": round(max(stored) - began, 2),
            "last card after, s": round(seconds, 2),
            "conversations/s": round(conversations / seconds, 1),
        }
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--conversations", type=int, default=1_000, help="how many at once")
    args = parser.parse_args(arguments)
    on = machine()
    show("throughput", asyncio.run(measured(args.conversations)), on)


if __name__ == "__main__":
    main()
