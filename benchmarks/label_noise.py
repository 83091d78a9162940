"""What wrong training labels cost: the voices and their mixture, with a share of the labels flipped.

    python -m benchmarks.label_noise --data ../shared/data/banking77.jsonl

Each flipped label becomes a random other one. Only training labels are flipped, never those of the test split. The
mixture is the one that decides where no adapter answers, with the weights that it fits on the flipped labels
themselves.
"""

import argparse
import asyncio
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.learning_quality import Text, read
from benchmarks.machine import Figures, machine, show
from bot.domain.learning import text_key
from inference.embedders.minilm import minilm
from inference.voices.fit import fit_voices
from inference.voices.voice import Floats, Lessons, Questions


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="a JSONL file of text, label and split")
    parser.add_argument("--flipped", type=float, nargs="+", default=[0.0, 0.05, 0.1, 0.2], help="shares of the labels")
    parser.add_argument("--known", type=int, default=4_000, help="examples to learn from")
    parser.add_argument("--split", default="test", help="which split is asked")
    args = parser.parse_args(arguments)
    rows = read(args.data)
    known = [row for row in rows if row.split == "train"]
    learned = random.Random(0).sample(known, min(len(known), args.known))
    asked = [row for row in rows if row.split == args.split]
    vectors = asyncio.run(minilm().embed([row.text for row in learned + asked]))
    known_vectors, asked_vectors = np.split(np.asarray(vectors, dtype=np.float32), [len(learned)])
    questions = Questions([row.text for row in asked], asked_vectors)
    truth = [row.label for row in asked]
    figures = {
        f"{share:.0%} flipped": right(flipped(learned, share), known_vectors, questions, truth)
        for share in args.flipped
    }
    show(f"{args.data.stem}, % right", figures, machine())


def flipped(rows: Sequence[Text], share: float) -> list[tuple[str, str]]:
    """The rows, that share of them with another label."""
    rng = random.Random(1)
    names = sorted({row.label for row in rows})
    return [
        (row.text, rng.choice([n for n in names if n != row.label]) if rng.random() < share else row.label)
        for row in rows
    ]


def right(rows: Sequence[tuple[str, str]], vectors: Floats, questions: Questions, truth: Sequence[str]) -> Figures:
    """Shares of right answers: each voice's and the mixture's."""
    texts, labels = zip(*rows, strict=True)
    voices = fit_voices(Lessons("", "bundled", tuple(map(text_key, texts)), texts, labels, vectors))
    said = {name: voice.log_probabilities(questions) for name, voice in voices.fitted.items()}
    mixed = np.sum([voices.without_adapter[name] * rows for name, rows in said.items()], axis=0)
    names = np.asarray(sorted(set(labels)))
    shares = {name: np.mean(names[rows.argmax(axis=1)] == truth) for name, rows in {**said, "mixture": mixed}.items()}
    return {name: round(100 * float(share), 2) for name, share in shares.items()}


if __name__ == "__main__":
    main()
