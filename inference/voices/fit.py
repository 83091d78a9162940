"""Fits the voices: a folder with rows.jsonl and vectors.npy in, voices.npz and voices.json out.

    python -m inference.voices.fit FOLDER

A process of its own, at the lowest priority, so that nobody who writes waits for it.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.domain.embedders import known_of
from bot.domain.mixture import VECTORS, WORDS
from inference.voices.files import Unseen, Voices, save
from inference.voices.linear import Floats
from inference.voices.proved import proved
from inference.voices.vectors import VectorsModel, fit_vectors
from inference.voices.weights import fit_weights
from inference.voices.words import WordsModel, fit_words

ROWS, VECTOR_ROWS = "rows.jsonl", "vectors.npy"


@dataclass(frozen=True, slots=True)
class Lessons:
    """What the voices are fitted on; the three sequences are as long as one another."""

    digest: str
    embedder: str
    keys: tuple[str, ...]
    """Content hashes of the texts (`learning.text_key`)."""
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    vectors: Floats
    """Rows of NaN where a text has no vector yet."""


def main(folder: Path) -> None:
    """Fit what the folder holds."""
    save(folder, fit_voices(read_lessons(folder)))


def fit_voices(lessons: Lessons) -> Voices:
    """The voices, each silent where there is nothing it could learn from: one label, no words, no vectors."""
    names = tuple(sorted(set(lessons.labels)))
    words, said = _words(lessons, names)
    vectors, also_said = _vectors(lessons, names)
    spoken = {name: rows for name, rows in ((WORDS, said), (VECTORS, also_said)) if rows is not None}
    truth = [names.index(label) for label in lessons.labels]
    weights = fit_weights(spoken, truth) if spoken else {}
    return Voices(
        fitted_on=lessons.digest,
        words=words,
        vectors=vectors,
        embedder=lessons.embedder,
        without_adapter=weights,
        proved=proved(spoken, weights, names, truth),
        unseen=Unseen(lessons.keys, names, spoken),
    )


def _words(lessons: Lessons, names: Sequence[str]) -> tuple[WordsModel | None, Floats | None]:
    if len(names) < 2 or not any(any(c.isalnum() for c in text) for text in lessons.texts):
        return None, None
    return fit_words(lessons.texts, lessons.labels)


def _vectors(lessons: Lessons, names: Sequence[str]) -> tuple[VectorsModel | None, Floats | None]:
    """Rows that have no vector yet are not learned from, and nothing is said of them: every label alike."""
    there = np.asarray(~np.isnan(lessons.vectors).any(axis=1), dtype=np.bool_)
    if not lessons.vectors.shape[1]:
        there[:] = False
    labels = [label for label, has in zip(lessons.labels, there, strict=True) if has]
    if len(set(labels)) < 2:
        return None, None
    model, said = fit_vectors(lessons.vectors[there], labels, known_of(lessons.embedder).likeness.own)
    rows = np.full((len(there), len(names)), -np.log(len(names)), dtype=np.float32)
    columns = np.asarray([names.index(label) for label in model.labels])
    rows[np.ix_(np.flatnonzero(there), columns)] = said
    return model, rows


def write_lessons(folder: Path, lessons: Lessons) -> None:
    """The folder's input files."""
    folder.mkdir(parents=True, exist_ok=True)
    head = {"digest": lessons.digest, "embedder": lessons.embedder}
    rows = [
        {"key": key, "text": text, "label": label}
        for key, text, label in zip(lessons.keys, lessons.texts, lessons.labels, strict=True)
    ]
    # Escaped, so that no kind of line end in a text can end the line
    (folder / ROWS).write_text("".join(json.dumps(row) + "\n" for row in [head, *rows]), "utf-8")
    np.save(folder / VECTOR_ROWS, lessons.vectors, allow_pickle=False)


def read_lessons(folder: Path) -> Lessons:
    """What `write_lessons` wrote."""
    head, *rows = [json.loads(line) for line in (folder / ROWS).read_text("utf-8").splitlines()]
    return Lessons(
        head["digest"],
        head["embedder"],
        tuple(row["key"] for row in rows),
        tuple(row["text"] for row in rows),
        tuple(row["label"] for row in rows),
        np.load(folder / VECTOR_ROWS, allow_pickle=False),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
