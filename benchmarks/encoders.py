"""What each encoder is good for: its time, what it learns within a language, and what it carries into others.

    python -m benchmarks.encoders --data ../shared/data [--only speed languages learning crossing corrections]

Every figure is of the product's own embedders, with its own comparison (`bot/domain/embedders.py`) and learning
(`inference/voices/vectors.py`): *nearest* is the vote of the five nearest, *linear* the voice that reads vectors, both
on untouched test splits, without the model and the words voice.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.encoder_scenes import Corrections, nearest_votes, own_width, read
from benchmarks.machine import Figures, machine, show, spread
from bot.domain.embedders import MINILM, PAIR, USE, Vectors
from bot.domain.model_ports import OpenEmbedder, Vector
from inference.embedders.choose import open_embedder
from inference.embedders.minilm import minilm
from inference.embedders.pair import PairEmbedder
from inference.embedders.use_multilingual import use_multilingual
from inference.languages import language_of
from inference.voices.vectors import fit_vectors

Rows = list[tuple[str, str]]
"""Texts and their labels."""
LANGUAGES = ("en", "es", "fr", "de")
_AT_ONCE = 256
_TIMED = 200


class Remembering:
    """An embedder that embeds each text only once."""

    def __init__(self, embedder: OpenEmbedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Vector] = {}
        self.name, self.warm, self.close = embedder.name, embedder.warm, embedder.close

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        for start in range(0, len(new), _AT_ONCE):
            part = new[start : start + _AT_ONCE]
            self._known |= zip(part, await self._embedder.embed(part), strict=True)
            print(f"\r{self.name}: {len(self._known)} texts", end="", file=sys.stderr, flush=True)
        return [self._known[text] for text in texts]


class Encoders:
    """The three included embedders; the pair is made of the other two."""

    def __init__(self) -> None:
        self._minilm, self._use = Remembering(minilm()), Remembering(use_multilingual())
        pair = PairEmbedder(self._minilm, self._use)
        self._by_name: dict[str, OpenEmbedder] = {MINILM: self._minilm, USE: self._use, PAIR: pair}

    async def vectors(self, name: str, rows: Rows) -> Vectors:
        return np.asarray(await self._by_name[name].embed([text for text, _ in rows]), np.float32)


async def speed(data: Path, _: Encoders) -> dict[str, Figures]:
    """Milliseconds for a message, one after the other; also processor time, which other work affects less."""
    english, portuguese = read(data / "banking77.jsonl", "test")[:_TIMED], read(data / "pt_portaria.jsonl")[:_TIMED]
    rows: dict[str, Figures] = {}
    for name in (MINILM, USE, PAIR):
        embedder = open_embedder(name, ["en"])
        for of, texts in (("English", english), ("Portuguese", portuguese)):
            await embedder.embed([text for text, _ in texts[:_TIMED]][:10])
            took, worked = [], []
            for text, _label in texts:
                began, before = time.perf_counter(), time.process_time()
                await embedder.embed([text])
                took.append(1e3 * (time.perf_counter() - began))
                worked.append(1e3 * (time.process_time() - before))
            rows[f"{name}, {of}"] = spread(took) | {"processor p50": spread(worked)["p50"]}
        await embedder.close()
    return rows


async def languages(data: Path, _: Encoders) -> dict[str, Figures]:
    """Percent of a set's texts that are taken for its language, and for English."""
    sets = {"banking77": "en", "clinc150": "en", "pt_portaria": "pt", "es_biblioteca": "es"}
    sets |= {f"{language}_msskills": language for language in LANGUAGES}
    rows: dict[str, Figures] = {}
    for name, language in sets.items():
        said = [language_of(text) for text, _ in read(data / f"{name}.jsonl", "test")]
        rows[name] = {"right": percent(said, [language] * len(said)), "English": percent(said, ["en"] * len(said))}
    return rows


async def learning(data: Path, encoders: Encoders) -> dict[str, Figures]:
    """Measure learning within one language."""
    rows: dict[str, Figures] = {}
    for name, shots in (("banking77", 10), ("banking77", 0), ("clinc150", 10), ("clinc150", 0), *_SMALL):
        learned = read(data / f"fewshot/{name}_train_{shots}.jsonl" if shots else data / f"{name}.jsonl", "train")
        asked = read(data / f"{name}.jsonl", "test")
        rows[f"{name}, {shots or 'all'} a label"] = await both_ways(encoders, learned, asked)
    return rows


_SMALL = (("pt_portaria", 0), ("es_biblioteca", 0))


async def crossing(data: Path, encoders: Encoders) -> dict[str, Figures]:
    """Measure what was learned in English, asked in other languages."""
    learned = read(data / "en_msskills.jsonl", "train")
    known = {label for _, label in learned}
    rows: dict[str, Figures] = {}
    for language in LANGUAGES:
        asked = [row for row in read(data / f"{language}_msskills.jsonl", "test") if row[1] in known]
        rows[f"English to {language}"] = await both_ways(encoders, learned, asked)
    return rows


async def both_ways(encoders: Encoders, learned: Rows, asked: Rows) -> Figures:
    """Percent right by the nearest and by the linear voice, with each encoder."""
    labels, truth = [label for _, label in learned], [label for _, label in asked]
    figures: dict[str, float] = {}
    for name in (MINILM, USE, PAIR):
        known, wanted = await encoders.vectors(name, learned), await encoders.vectors(name, asked)
        short = {MINILM: "MiniLM", USE: "USE", PAIR: "pair"}[name]
        figures[f"{short} nearest"] = percent(nearest_votes(name, known, labels, wanted), truth)
        model, _ = fit_vectors(known, labels, own_width(name))
        said = [model.labels[row.argmax()] for row in model.say(wanted)]
        figures[f"{short} linear"] = percent(said, truth)
    return figures


async def corrections(data: Path, encoders: Encoders) -> dict[str, Figures]:
    """Teach two of ten intents by 25 corrections in one language and ask in all; see `encoder_scenes.Corrections`."""
    learned = {language: read(data / f"{language}_msskills.jsonl", "train") for language in LANGUAGES}
    asked = {language: read(data / f"{language}_msskills.jsonl", "test") for language in LANGUAGES}
    rows: dict[str, Figures] = {}
    for name in (MINILM, USE, PAIR):
        vectors = {
            (language, side): await encoders.vectors(name, rows_of[language])
            for side, rows_of in (("train", learned), ("test", asked))
            for language in LANGUAGES
        }
        scene = Corrections(name, learned, asked, vectors)
        for taught in ("en", "es"):
            rows[f"{name}, taught in {taught}"] = scene.figures(taught)
    return rows


def percent(said: Sequence[str | None], truth: Sequence[str]) -> float:
    return round(100 * sum(a == b for a, b in zip(said, truth, strict=True)) / len(truth), 1)


PARTS: dict[str, Callable[[Path, Encoders], Awaitable[dict[str, Figures]]]] = {
    "speed": speed,
    "languages": languages,
    "learning": learning,
    "crossing": crossing,
    "corrections": corrections,
}


async def main() -> None:
    """Print each part as it ends."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    args = parser.parse_args()
    encoders = Encoders()
    for part in args.only:
        rows = await PARTS[part](args.data, encoders)
        print(file=sys.stderr)
        show(f"encoders: {part}", rows, machine())


if __name__ == "__main__":
    asyncio.run(main())
