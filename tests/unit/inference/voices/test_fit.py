"""Voices are fitted, kept without pickle, and silent where there is nothing to learn from."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.demo import company
from bot.domain.mixture import USUAL, VECTORS, WORDS
from inference.voices.files import Unusable, load, save
from inference.voices.fit import Lessons, fit_voices, read_lessons, write_lessons
from inference.voices.weights import fit_weights

SEED = list(company.read(company.SEED))[::11]
HELD_OUT = list(company.read(company.HELD_OUT))


def lessons(pairs: list[tuple[str, str]], vectors: bool = True) -> Lessons:
    """Examples with vectors that tell their labels apart, in the order of the labels' names."""
    names = sorted({label for _, label in pairs})
    rows = np.zeros((len(pairs), 32 if vectors else 0), dtype=np.float32)
    for row, (_, label) in enumerate(pairs):
        if vectors:
            rows[row, names.index(label)] = 1.0
    keys, texts, labels = (tuple(column) for column in zip(*((t, t, label) for t, label in pairs), strict=True))
    return Lessons("digest", "fake", keys, texts, labels, rows)


def test_words_find_the_team_of_messages_they_never_saw() -> None:
    words = fit_voices(lessons(SEED)).words
    assert words is not None
    said = words.log_probabilities([text for text, _ in HELD_OUT])
    right = [words.linear.labels[row.argmax()] == label for row, (_, label) in zip(said, HELD_OUT, strict=True)]
    assert sum(right) / len(right) > 0.6  # one example in eleven; by guessing 0.17
    assert np.exp(said).sum(axis=1) == pytest.approx(1.0, abs=1e-4)


def test_what_it_says_of_its_own_rows_is_not_learned_by_heart() -> None:
    voices = fit_voices(lessons(SEED))
    names = voices.unseen.labels
    right = [names[row.argmax()] == label for row, (_, label) in zip(voices.unseen.said[WORDS], SEED, strict=True)]
    assert 0.4 < sum(right) / len(right) < 0.9  # by heart it knows them all


def test_saved_and_loaded_it_says_the_same(tmp_path: Path) -> None:
    fitted = fit_voices(lessons(SEED))
    save(tmp_path, fitted)
    loaded = load(tmp_path)
    assert loaded.words is not None and fitted.words is not None
    texts = [text for text, _ in HELD_OUT]
    assert loaded.words.log_probabilities(texts) == pytest.approx(fitted.words.log_probabilities(texts), abs=0.05)
    assert (loaded.fitted_on, loaded.embedder, loaded.without_adapter) == ("digest", "fake", fitted.without_adapter)
    assert loaded.unseen.keys == fitted.unseen.keys
    assert loaded.proved == fitted.proved and fitted.proved is not None


def test_how_often_they_were_right_is_counted_on_rows_that_they_had_not_learned() -> None:
    """Each voice's own figures out of fold lie about where the pool's does; by heart it would be all of them."""
    fitted = fit_voices(lessons(SEED, vectors=False))
    assert fitted.proved is not None
    right = sum(hits for _, _, _, hits in fitted.proved.rows)
    rows = zip(fitted.unseen.said[WORDS], SEED, strict=True)
    alone = sum(fitted.unseen.labels[row.argmax()] == label for row, (_, label) in rows)
    assert (fitted.proved.n, right) == (len(SEED), alone)


def test_the_same_examples_give_the_same_file_in_every_process(tmp_path: Path) -> None:
    for place in ("one", "other"):
        write_lessons(tmp_path / place, lessons(SEED[:120]))
        subprocess.run([sys.executable, "-m", "inference.voices.fit", str(tmp_path / place)], check=True)
    one, other = (json.loads((tmp_path / place / "voices.json").read_text("utf-8")) for place in ("one", "other"))
    assert one["without_adapter"] == other["without_adapter"]
    texts = [text for text, _ in HELD_OUT[:50]]
    said = [load(tmp_path / place).words for place in ("one", "other")]
    assert all(
        np.array_equal(said[0].log_probabilities(texts), w.log_probabilities(texts)) for w in said if w and said[0]
    )


@pytest.mark.parametrize("harm", ["npz", "json", "both", "format", "labels"])
def test_a_harmed_file_is_unusable(tmp_path: Path, harm: str) -> None:
    save(tmp_path, fit_voices(lessons(SEED[:60])))
    arrays, names = tmp_path / "voices.npz", tmp_path / "voices.json"
    if harm == "npz":
        arrays.write_bytes(arrays.read_bytes()[:-7])
    elif harm == "json":
        names.write_text(names.read_text("utf-8")[:-7], "utf-8")
    elif harm == "both":
        arrays.unlink()
    else:
        said = json.loads(names.read_text("utf-8"))
        said["format" if harm == "format" else "words"] = 99 if harm == "format" else {"labels": ["one"]}
        names.write_text(json.dumps(said), "utf-8")
    with pytest.raises(Unusable):
        load(tmp_path)


def test_nothing_to_learn_from_is_silence() -> None:
    one_label = fit_voices(lessons([("I was charged twice", "billing"), ("refund?", "billing")]))
    assert (one_label.words, one_label.vectors) == (None, None)
    no_words = fit_voices(lessons([("🙏", "billing"), ("?!", "it"), ("…", "it")]))
    assert no_words.words is None
    assert no_words.vectors is not None
    no_vectors = fit_voices(lessons(SEED[:40], vectors=False))
    assert no_vectors.vectors is None
    assert set(no_vectors.unseen.said) == {WORDS}


def test_one_example_a_label_and_two_labels_are_enough() -> None:
    voices = fit_voices(lessons([("my card was charged twice", "billing"), ("the printer is broken", "it")]))
    assert voices.words is not None
    [row] = voices.words.log_probabilities(["charged twice"])
    assert voices.words.linear.labels[row.argmax()] == "billing"


def test_a_text_without_a_vector_is_not_learned_from_by_its_vector() -> None:
    known = lessons(SEED[:60])
    holes = known.vectors.copy()
    holes[::2] = np.nan
    voices = fit_voices(replace(known, vectors=holes))
    assert voices.vectors is not None
    row = voices.unseen.said[VECTORS][0]
    assert row == pytest.approx(np.full(len(row), -np.log(len(row))))


def test_lessons_come_back_as_they_were_written(tmp_path: Path) -> None:
    strange = lessons([("line\u2028two\nthree\x85", "billing"), ("C++", "it"), ("मुझे बिल चाहिए", "billing")])
    write_lessons(tmp_path, strange)
    back = read_lessons(tmp_path)
    assert (back.texts, back.labels, back.keys) == (strange.texts, strange.labels, strange.keys)


def test_a_voice_that_knows_nothing_gets_no_weight() -> None:
    truth = [0, 1] * 200
    good = np.log(np.array([[0.9, 0.1], [0.1, 0.9]] * 200, dtype=np.float32))
    wrong = good[:, ::-1]
    weights = fit_weights({WORDS: good, VECTORS: wrong}, truth)
    assert weights[WORDS] > 0.5
    assert weights[VECTORS] < 0.1


def test_with_a_few_rows_the_usual_weights_hardly_move() -> None:
    row = np.log(np.array([[0.9, 0.1]], dtype=np.float32))
    weights = fit_weights({WORDS: row, VECTORS: row}, [1])
    assert weights == pytest.approx({WORDS: USUAL[WORDS], VECTORS: USUAL[VECTORS]}, abs=0.1)
    assert fit_weights({WORDS: row}, []) == {WORDS: USUAL[WORDS]}
