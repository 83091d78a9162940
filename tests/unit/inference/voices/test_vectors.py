"""The voice that reads vectors, of one part and of two."""

from pathlib import Path

import numpy as np
import pytest

from bot.domain.embedders import MINILM_WIDTH, PAIR
from inference.voices.files import load, save
from inference.voices.fit import fit_voices
from inference.voices.vectors import VectorsModel, fit_vectors
from inference.voices.voice import Floats, Lessons, Questions

LABELS = ("access", "billing", "sales")
OWN, EVERY = 12, 8


def drawn(count: int, seed: int, own_clear: bool = True, every_clear: bool = True, full: bool = True) -> Floats:
    """Vectors of two parts; the nth text has the label n % 3, which one part shows clearly and the other does not."""
    numbers = np.random.default_rng(seed)
    rows = numbers.standard_normal((count, OWN + EVERY)).astype(np.float32) * 0.3
    for n in range(count):
        rows[n, n % 3] += 1.0 * own_clear
        rows[n, OWN + n % 3] += 1.0 * every_clear
    rows[:, :OWN] /= np.linalg.norm(rows[:, :OWN], axis=1, keepdims=True)
    rows[:, OWN:] /= np.linalg.norm(rows[:, OWN:], axis=1, keepdims=True)
    if not full:
        rows[:, :OWN] = 0.0
    return rows


def labels(count: int) -> list[str]:
    return [LABELS[n % 3] for n in range(count)]


def right(model: VectorsModel, vectors: Floats) -> float:
    said = model.say(vectors)
    assert np.exp(said).sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    return float(np.mean([model.labels[row.argmax()] == LABELS[n % 3] for n, row in enumerate(said)]))


def test_what_was_learned_in_texts_with_both_parts_is_known_of_a_text_with_one() -> None:
    model, _ = fit_vectors(drawn(90, 1), labels(90), OWN)
    assert right(model, drawn(90, 2)) > 0.9
    assert right(model, drawn(90, 3, full=False)) > 0.9
    assert right(model, drawn(90, 4, every_clear=False)) > right(model, drawn(90, 4, every_clear=False, full=False))


def test_texts_of_both_kinds_are_said_alike_alone_and_together() -> None:
    model, _ = fit_vectors(drawn(90, 1), labels(90), OWN)
    some, others = drawn(6, 5), drawn(6, 6, full=False)
    mixed = np.concatenate([some, others])[[0, 6, 1, 7]]
    alone = [model.say(row[None])[0] for row in mixed]
    assert model.say(mixed) == pytest.approx(np.array(alone), abs=1e-5)


def test_a_label_learned_in_another_language_alone_is_found_in_both() -> None:
    vectors, known = drawn(120, 7), labels(120)
    foreign = [n for n, label in enumerate(known) if label == "sales"]
    vectors[foreign, :OWN] = 0.0
    model, said = fit_vectors(vectors, known, OWN)
    assert model.own is not None
    assert model.own.labels == ("access", "billing")
    assert right(model, drawn(90, 8)) > 0.8
    assert said.shape == (120, 3)


def test_too_few_texts_with_the_first_part_leave_it_to_the_second() -> None:
    vectors = drawn(60, 9)
    vectors[4:, :OWN] = 0.0
    model, _ = fit_vectors(vectors, labels(60), OWN)
    assert model.own is None
    assert right(model, drawn(90, 10, own_clear=False)) > 0.9


def test_saved_and_loaded_it_says_the_same(tmp_path: Path) -> None:
    two = np.random.default_rng(11).standard_normal((60, MINILM_WIDTH + 4)).astype(np.float32)
    two[::2, :MINILM_WIDTH] = 0.0
    keys = tuple(f"text {n}" for n in range(60))
    fitted = fit_voices(Lessons("digest", PAIR, keys, keys, tuple(labels(60)), two))
    save(tmp_path, fitted)
    loaded = load(tmp_path)
    asked = Questions(keys, two)
    for voice in ("vectors", "neighbours"):
        said = fitted.fitted[voice].log_probabilities(asked)
        assert np.isfinite(said).all()
        assert loaded.fitted[voice].log_probabilities(asked) == pytest.approx(said, abs=0.05)
