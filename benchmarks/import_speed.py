"""How long a large file takes to be imported, without its vectors, and how long others wait for the database meanwhile.

    python -m benchmarks.import_speed --rows 100000

A real file and a real PostgreSQL in a temporary folder: the file is read as `switchboard import` reads it, stored,
stored once more, and stored with every label changed. During each storing another client repeats what every command
does when it starts: look whether the settings' own examples are there, and ask for the adapters.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import Figures, machine, show, spread
from bot.commands.examples import AT_ONCE, Ready, ready_to_import
from bot.domain.example_files.reading import ReadOptions
from bot.domain.learning import Example, Side, Source
from db.engine import Database, open_database
from db.examples import PostgresExamples
from db.migrate import upgrade
from db.registry import PostgresRegistry
from db.server.embedded import serving
from tests.samples import TASK

_WORDS = (
    "where is my parcel refund invoice please help cannot log in the order number late broken again charged twice card"
    " account payment delivery address change password screen printer contract cancel"
).split()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args(arguments).rows
    on = machine()
    with tempfile.TemporaryDirectory(prefix="switchboard-import-") as folder:
        file = _file(Path(folder) / "rows.csv", rows)
        began = time.perf_counter()
        ready = ready_to_import(file, TASK, ReadOptions(), skip_bad=False, strict=False)
        figures: dict[str, Figures] = {"read": {"s": round(time.perf_counter() - began, 1)}}
        with serving(Path(folder) / "postgres") as url:
            upgrade(url)
            figures |= asyncio.run(_stored(url, ready))
    show(f"{rows} rows", figures, on)


def _file(path: Path, rows: int) -> Path:
    """A CSV of texts of twenty words, all different."""
    dice = random.Random(1)
    lines = (f'"{" ".join(dice.choices(_WORDS, k=20))}, {n}!",{dice.choice(TASK.names)}\n' for n in range(rows))
    path.write_text("text,label\n" + "".join(lines), "utf-8")
    return path


async def _stored(url: str, ready: Ready) -> dict[str, Figures]:
    async with open_database(url) as database:
        later = datetime.now(UTC)
        other = dict(zip(TASK.names, TASK.names[1:] + TASK.names[:1], strict=True))
        relabelled = [replace(one, label=other[one.label], at=later) for one in ready.examples]
        return {
            "stored": await _beside_a_reader(database, ready.examples),
            "stored again": await _beside_a_reader(database, ready.examples),
            "stored with other labels": await _beside_a_reader(database, relabelled),
        }


async def _beside_a_reader(database: Database, examples: Sequence[Example]) -> Figures:
    waited: list[float] = []
    reader = asyncio.create_task(_read(database, waited), name="somebody else")
    began = time.perf_counter()
    store = PostgresExamples(database)
    new = 0
    for start in range(0, len(examples), AT_ONCE):
        new += await store.add_examples(TASK.name, examples[start : start + AT_ONCE])
    seconds = time.perf_counter() - began
    reader.cancel()
    with suppress(asyncio.CancelledError):
        await reader
    others = spread(waited, 0)
    return {"s": round(seconds, 1), "new": new, "others p50 ms": others["p50"], "others max ms": round(max(waited))}


async def _read(database: Database, waited: list[float]) -> None:
    """What a command reads before it answers: the settings' examples, and the adapters."""
    known = [
        Example(f"about {name}", name, Source.SEED, Side.TRAIN, datetime(2000, 1, 1, tzinfo=UTC)) for name in TASK.names
    ]
    examples, registry = PostgresExamples(database), PostgresRegistry(database)
    await examples.add_examples(TASK.name, known)
    while True:
        began = time.perf_counter()
        await examples.add_examples(TASK.name, known)
        await registry.adapters(TASK.name)
        waited.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    main()
