"""What one message costs when nobody else writes: encoders, voices, statements, and the way to the card.

    python -m benchmarks.one_message --messages 90 --kept var/one-message

The real encoders and voices with the demo company's examples, real PostgreSQL in a temporary folder and the real steps;
only the model answers at once. People write held-out messages, in three languages in turn. What takes minutes and is
the same every time, the examples' vectors and the fitted voices, is kept in a folder, if one is given.
"""

import argparse
import asyncio
import hashlib
import json
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, zip_longest
from pathlib import Path
from typing import TypeVar

import numpy as np
from sqlalchemy import Connection, Engine, event

from benchmarks.machine import Figures, machine, show, spread
from benchmarks.overhead import mind
from benchmarks.stage import Stage, staged, unasked, unhurried
from bot.app import demo_settings
from bot.demo import company
from bot.domain.embedders import MINILM, PAIR, USE, known_of
from bot.domain.learning import Adapter
from bot.domain.model_ports import OpenEmbedder, Registry, Vector
from bot.lifecycle import compute_alone, share_interpreter
from bot.settings import Settings
from bot.store import open_store
from db.reading.vector_table import VectorTable
from inference.embedders.choose import open_embedder
from inference.languages import language_of
from inference.voices import VOICES
from inference.voices.fitted import FittedVoices

Answer = TypeVar("Answer")
_AT_ONCE = 256
_PATIENCE = 120.0
_PROPOSED = 16
_SPOKEN = ("en", "pt", "es")


@dataclass(frozen=True, slots=True)
class Remembering:
    """An embedder that has some vectors already and computes all others."""

    embedder: OpenEmbedder
    known: dict[str, Vector]

    @property
    def name(self) -> str:
        return self.embedder.name

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        new = list(dict.fromkeys(text for text in texts if text not in self.known))
        found = self.known | dict(zip(new, await self.embedder.embed(new), strict=True)) if new else self.known
        return [found[text] for text in texts]


@dataclass(slots=True)
class Meter:
    """Milliseconds of each call, on the wall and of our processor, all threads together."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    @contextmanager
    def reading(self) -> Iterator[None]:
        began, busy = time.perf_counter(), time.process_time()
        yield
        self.processor.append(1_000 * (time.process_time() - busy))
        self.wall.append(1_000 * (time.perf_counter() - began))

    async def of(self, work: Awaitable[Answer]) -> Answer:
        """Await the answer and measure it."""
        with self.reading():
            return await work

    def add(self, other: "Meter") -> None:
        self.wall += other.wall
        self.processor += other.processor

    def figures(self) -> Figures:
        wall, processor = spread(self.wall), spread(self.processor)
        told = {"n": len(self.wall), "wall p50, ms": wall["p50"], "wall p99, ms": wall["p99"]}
        lowest = np.quantile(self.wall, 0.1)
        return {**told, "wall p10, ms": round(float(lowest), 1), "processor p50, ms": processor["p50"]}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--messages", type=int, default=90, help="how many, one at a time")
    parser.add_argument("--kept", type=Path, help="where vectors and fitted voices are kept from run to run")
    parser.add_argument("--only", choices=("voices", "way"), help="the encoders and voices, or the way to the card")
    args = parser.parse_args(arguments)
    on = machine()
    with tempfile.TemporaryDirectory(prefix="switchboard-one-message-") as home:
        kept: Path = args.kept or Path(home)
        kept.mkdir(parents=True, exist_ok=True)
        asyncio.run(_measured(kept, args.messages, args.only, on))


async def _measured(kept: Path, messages: int, only: str | None, on: dict[str, object]) -> None:
    share_interpreter()
    compute_alone()
    pair = open_embedder(PAIR, ())
    try:
        await pair.warm()
        examples = await remembered(pair, kept)
        await _with_fitted(examples, kept, messages, only, on)
    finally:
        await pair.close()


async def _with_fitted(
    examples: Remembering, kept: Path, messages: int, only: str | None, on: dict[str, object]
) -> None:
    voices = FittedVoices(kept / "voices", PAIR)
    if only == "voices" and voices.fitted_on(demo_settings(kept).routing.name):
        show("a message's own time", await own_time(examples, voices, messages), on)
        return
    with tempfile.TemporaryDirectory(prefix="switchboard-one-message-") as home:
        settings = unasked(unhurried(demo_settings(Path(home))))
        async with open_store(settings) as store, mind(settings, store, examples, kept / "voices") as models:
            await _promoted(settings, store.registry)
            if only != "way":
                voices = FittedVoices(kept / "voices", PAIR)
                show("a message's own time", await own_time(examples, voices, messages), on)
            if only != "voices":
                async with staged(settings, store, models, _PATIENCE) as stage:
                    show("the way to its card", await way(stage, messages), on)


async def _promoted(settings: Settings, registry: Registry) -> None:
    """Promote an adapter, so that all is looked up that a message needs of one."""
    task, now = settings.routing, datetime.now(UTC)
    codes = dict.fromkeys(task.names, "A")
    await registry.add_adapter(Adapter("routing-1", task.name, settings.model.runs, "starter", codes, 1.0, now))
    await registry.promote(task.name, "routing-1", "benchmark", "it serves", now, base="starter")


async def own_time(examples: Remembering, voices: FittedVoices, messages: int) -> dict[str, Figures]:
    """The time of encoders and voices for one text, without the adapter's call, by the text's language."""
    task, meters, pair = demo_settings(Path()).routing.name, dict[str, Meter](), examples.embedder
    held = VectorTable(known_of(PAIR).likeness)
    held.put(range(len(examples.known)), np.asarray(list(examples.known.values()), np.float32))
    names = {voice.name for voice in VOICES}
    parts = {name: open_embedder(name, ()) for name in (MINILM, USE)}

    def meter(name: str) -> Meter:
        return meters.setdefault(name, Meter())

    for part in parts.values():
        await part.warm()
    for text in [*texts(6), *texts(messages)]:  # the first few load what is loaded once
        whole = Meter()
        with whole.reading():
            [vector] = await pair.embed([text])
            await voices.say(task, [text], [vector], names)
        both = "both encoders" if language_of(text, least_lead=0.0) == "en" else "one encoder"
        meter(f"encoders and voices, {both}").add(whole)
        await meter(f"encoders, {both}").of(pair.embed([text]))
        for name, part in parts.items():
            await meter(f"{name} alone").of(part.embed([text]))
        asked = np.asarray([vector], np.float32)
        await meter("the memory's nearest").of(asyncio.to_thread(held.nearest, asked, _PROPOSED, [()]))
        with meter("its language").reading():
            language_of(f"{text} ?")  # which nobody has asked about yet
        for voice in sorted(names):
            await meter(f"voice {voice}").of(voices.say(task, [text], [vector], [voice]))
    for part in parts.values():
        await part.close()
    return {name: one.figures() for name, one in sorted(meters.items())}


async def way(stage: Stage, messages: int) -> dict[str, Figures]:
    """From stored message to card handed over, everything included; and the statements and commits meanwhile."""
    counted = Counter[str]()
    with counting_statements(counted):
        for number, text in enumerate(texts(12)):
            await stage.writes(f"warm-{number}", text)
            await stage.card(f"warm-{number}")
        counted.clear()
        to_answer, to_card = Meter(), Meter()
        for number, text in enumerate(texts(messages)):
            await asyncio.sleep(0.15)  # by then the work left by the message before is done
            room, busy = f"person-{number}", time.process_time()
            began = await stage.writes(room, text)
            answer, card = await stage.answer(room), await stage.card(room)
            to_answer.wall.append(1_000 * (answer.at - began))
            to_card.wall.append(1_000 * (card.at - began))
            for one in (to_answer, to_card):
                one.processor.append(1_000 * (time.process_time() - busy))
    each = {name: round(count / messages, 1) for name, count in sorted(counted.items())}
    return {"to the answer": to_answer.figures(), "to the card": {**to_card.figures(), **each}}


@contextmanager
def counting_statements(counted: Counter[str]) -> Iterator[None]:
    """How often the database is queried, transactions are committed, and the server is waited for, looks in vain
    included."""

    def asked(*_: object) -> None:
        counted["statements"] += 1
        counted["round trips"] += 1

    def committed(connection: Connection) -> None:
        counted["commits"] += 1
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            counted["round trips"] += 2  # its begin and its end

    heard: list[tuple[str, Callable[..., None]]] = [("before_cursor_execute", asked), ("commit", committed)]
    for name, told in heard:
        event.listen(Engine, name, told)
    try:
        yield
    finally:
        for name, told in heard:
            event.remove(Engine, name, told)


def texts(most: int) -> list[str]:
    """Held-out messages of the demo company, one language after the other."""
    rows = [json.loads(line) for line in company.HELD_OUT.read_text("utf-8").splitlines()]
    said = [[row["text"] for row in rows if row.get("language", "en") == language] for language in _SPOKEN]
    turns = chain.from_iterable(zip_longest(*said))
    return [text for text in turns if text is not None][:most]


async def remembered(pair: OpenEmbedder, kept: Path) -> Remembering:
    """The embedder with the stored vectors of examples, not of the messages that are asked."""
    said = [text for text, _ in company.read(company.SEED)]
    digest = hashlib.sha256("\n".join(said).encode()).hexdigest()
    file = kept / f"{digest[:16]}.npy"
    if not file.exists():
        parts = [await pair.embed(said[start : start + _AT_ONCE]) for start in range(0, len(said), _AT_ONCE)]
        np.save(file, np.asarray([row for part in parts for row in part], np.float32))
    return Remembering(pair, dict(zip(said, np.load(file).tolist(), strict=True)))


if __name__ == "__main__":
    main()
