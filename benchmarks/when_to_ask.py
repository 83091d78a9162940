"""Where the bot begins to ask: what becomes of the promised share, and how much a few more examples move it.

    python -m benchmarks.when_to_ask --data ../shared/data/clinc_domains.jsonl ../shared/data/banking77_teams.jsonl

The voices are fitted on more and more examples of the training split, and the threshold is compared with the one that
the examples alone show (and the usual one where they show nothing), on messages that nothing learned from: how many
people would be asked, how many of the unasked decisions are right, in how many draws at least as many as promised, and
by how much the share of people asked moves from one size to the next. The rules' constants were chosen on the
training and validation splits.
"""

import argparse
import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np
from scipy.special import softmax

from benchmarks.learning_quality import Text, read
from benchmarks.machine import Figures, machine, show
from bot.console import counting
from bot.domain.asking import USUAL, Record
from bot.domain.learning import text_key
from inference.embedders.minilm import minilm
from inference.voices.files import Voices
from inference.voices.fit import fit_voices, over
from inference.voices.voice import Floats, Lessons, Questions

SIZES = (40, 80, 120, 160, 200, 240, 280, 320, 400, 500, 700, 1_000)
BANDS = {"40 to 80": (40, 80), "120 to 200": (120, 200), "240 to 320": (240, 320), "400 to 1,000": (400, 1_000)}
"""Numbers of examples that are reported together."""
OUT_OF_SCOPE = "oos"
IN_USE, ALONE = "threshold in use", "by the examples alone"


@dataclass(frozen=True, slots=True)
class Seen:
    """What one rule does with one number of examples."""

    size: int
    asked: float
    """The share of messages that would be asked about."""
    right: float
    """The share of the others that is right."""
    moved: float
    """By how much `asked` differs from the size before."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="JSONL files of text, label and split")
    parser.add_argument("--split", default="test", help="which split is asked")
    parser.add_argument("--promise", type=float, default=0.95, help="the share of unasked decisions to be right")
    parser.add_argument("--draws", type=int, default=5, help="draws of each file's examples")
    parser.add_argument("--most", type=int, default=1_500, help="messages of each file that are asked, at most")
    args = parser.parse_args(arguments)
    found: dict[str, list[Seen]] = defaultdict(list)
    with counting("drawing", args.draws * len(args.data)) as done:
        for path in args.data:
            rows = [row for row in read(path) if row.label != OUT_OF_SCOPE]
            asked = [row for row in rows if row.split == args.split]
            asked = random.Random(0).sample(asked, min(args.most, len(asked)))
            for draw in range(args.draws):
                known = [row for row in rows if row.split == "train"]
                random.Random(draw).shuffle(known)
                for rule, seen in drawn(known[: SIZES[-1]], asked, args.promise):
                    found[rule].append(seen)
                done(1)
    show(f"unasked, {args.promise:.0%} promised, %", figures(found, args.promise), machine())


def drawn(known: Sequence[Text], asked: Sequence[Text], promise: float) -> Iterator[tuple[str, Seen]]:
    """What each rule does as the examples become more."""
    vectors = asyncio.run(minilm().embed([row.text for row in [*known, *asked]]))
    known_vectors, asked_vectors = np.split(np.asarray(vectors, dtype=np.float32), [len(known)])
    questions, before = Questions([row.text for row in asked], asked_vectors), dict[str, float]()
    for size in (one for one in SIZES if one <= len(known)):
        texts, labels = [row.text for row in known[:size]], [row.label for row in known[:size]]
        keys = tuple(map(text_key, texts))
        voices = fit_voices(Lessons("", "bundled", keys, tuple(texts), tuple(labels), known_vectors[:size]))
        names, likely = voices.unseen.labels, pooled(voices, questions)
        sure = likely.max(axis=1)
        right = np.asarray([names[at] == row.label for at, row in zip(likely.argmax(axis=1), asked, strict=True)])
        for rule, below in thresholds(voices.proved or Record(), promise).items():
            unasked = sure >= below
            share = 1 - float(unasked.mean())
            kept = float(right[unasked].mean()) if unasked.any() else 1.0
            yield rule, Seen(size, share, kept, abs(share - before.get(rule, share)))
            before[rule] = share


def thresholds(proved: Record, promise: float) -> dict[str, float]:
    """By rule, the probability below which people are asked."""
    found = {IN_USE: proved.needs(promise), ALONE: proved.keeps(promise)}
    return {rule: USUAL if kept is None else kept.ask_below for rule, kept in found.items()}


def pooled(voices: Voices, questions: Questions) -> Floats:
    """What the voices together say: texts × labels."""
    said = {
        voice: over(voices.unseen.labels, fitted.labels, fitted.log_probabilities(questions))
        for voice, fitted in voices.fitted.items()
    }
    likely: Floats = softmax(sum(voices.without_adapter[voice] * rows for voice, rows in said.items()), axis=1)
    return likely


def figures(found: dict[str, list[Seen]], promise: float) -> dict[str, Figures]:
    """A row for each rule and band of sizes."""
    return {
        f"{band} examples, {rule}": {
            "asked": round(100 * mean(one.asked for one in there), 1),
            "right unasked": round(100 * mean(one.right for one in there), 1),
            "draws that keep it": round(100 * mean(one.right >= promise for one in there)),
            "moved": round(100 * mean(one.moved for one in there), 1),
        }
        for band, (low, high) in BANDS.items()
        for rule, seen in found.items()
        if (there := [one for one in seen if low <= one.size <= high])
    }


if __name__ == "__main__":
    main()
