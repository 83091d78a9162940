"""How long choosing a training set takes, and how late everybody else is meanwhile: 50,000 rows, 5,000 corrections.

    python -m benchmarks.choosing [EXAMPLES]

The texts are runs of words out of the demo company's messages, a twentieth of them nearly repeated.
"""

import asyncio
import random
import sys
import time
from datetime import UTC, datetime

from bot.demo import company
from bot.domain.learning import Example, Source, side_of
from bot.domain.training_data import draw

LABELS = tuple("abcdefgh")
WORDS = 14


def texts(count: int) -> list[str]:
    """So many texts; the same on every machine."""
    chance = random.Random(5)
    words = sorted({word for text, _ in company.read(company.SEED) for word in text.lower().split()})
    made = [" ".join(chance.choices(words, k=WORDS)) for _ in range(count * 19 // 20)]
    return made + [f"please, {text}" for text in chance.choices(made, k=count - len(made))]


def examples(count: int) -> list[Example]:
    """The examples; one in eleven is a correction."""
    now = datetime.now(UTC)
    return [
        Example(text, LABELS[n % 8], Source.IMPORT if n % 11 else Source.CORRECTION, side_of(text), now)
        for n, text in enumerate(texts(count))
    ]


async def measured(known: list[Example]) -> tuple[float, float, list[float], int]:
    """(wall seconds, processor seconds, how late the event loop was each time in ms, what leaked)."""
    late: list[float] = []
    wall, cpu = time.perf_counter(), time.process_time()
    choosing = asyncio.ensure_future(asyncio.to_thread(draw, known, frozenset(LABELS)))
    while not choosing.done():
        asked = time.perf_counter()
        await asyncio.sleep(0.01)
        late.append((time.perf_counter() - asked - 0.01) * 1000)
    return time.perf_counter() - wall, time.process_time() - cpu, sorted(late), (await choosing).leaked


def main(count: int) -> None:
    """Measure a quarter, a half and the whole, so that linear growth shows."""
    whole = examples(count)
    for part in (count // 4, count // 2, count):
        wall, cpu, late, leaked = asyncio.run(measured(whole[-part:]))
        p50, p99 = (late[min(len(late) - 1, int(len(late) * share))] for share in (0.5, 0.99))
        print(
            f"{part} examples: {wall:.1f} s, {cpu:.1f} s of a processor, {leaked} leaked; "
            f"the event loop was late by {p50:.1f} ms (p50), {p99:.1f} ms (p99), {late[-1]:.0f} ms (most)"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 55_000)
