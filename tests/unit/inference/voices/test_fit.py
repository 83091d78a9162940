"""Voices are fitted, stored without pickle, and give no opinion if there is nothing to learn from."""

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from bot.demo import company
from bot.domain.mixture import NEIGHBOURS, USUAL, VECTORS, WORDS
from inference.languages import language_of
from inference.voices import VOICES
from inference.voices.files import Unusable, Voices, load, save
from inference.voices.fit import fit_voices, read_lessons, write_lessons
from inference.voices.voice import FittedVoice, Floats, Lessons, Questions, Stored, Voice
from inference.voices.weights import fit_weights

SEED = list(company.read(company.SEED))[::11]
HELD_OUT = list(company.read(company.HELD_OUT))[:240]
"""The English ones, which come first."""


def lessons(pairs: list[tuple[str, str]], vectors: bool = True) -> Lessons:
    """Examples with vectors that separate their labels, in the order of the labels' names."""
    names = sorted({label for _, label in pairs})
    rows = np.zeros((len(pairs), 32 if vectors else 0), dtype=np.float32)
    for row, (_, label) in enumerate(pairs):
        if vectors:
            rows[row, names.index(label)] = 1.0
    keys, texts, labels = (tuple(column) for column in zip(*((t, t, label) for t, label in pairs), strict=True))
    return Lessons("digest", "fake", keys, texts, labels, rows)


def asked(texts: list[str], vectors: Floats | None = None) -> Questions:
    """Texts without vectors, or with these."""
    return Questions(texts, np.zeros((len(texts), 0), dtype=np.float32) if vectors is None else vectors)


def said(voices: Voices, voice: str, questions: Questions) -> list[str]:
    """The label that a voice gives the highest probability, for each text."""
    fitted = voices.fitted[voice]
    return [fitted.labels[row.argmax()] for row in fitted.log_probabilities(questions)]


def test_words_find_the_team_of_messages_they_never_saw() -> None:
    voices = fit_voices(lessons(SEED))
    questions = asked([text for text, _ in HELD_OUT])
    right = [found == label for found, (_, label) in zip(said(voices, WORDS, questions), HELD_OUT, strict=True)]
    assert sum(right) / len(right) > 0.6  # one example in eleven; by guessing 0.17
    likely = np.exp(voices.fitted[WORDS].log_probabilities(questions))
    assert likely.sum(axis=1) == pytest.approx(1.0, abs=1e-4)


def test_what_it_says_of_its_own_rows_is_not_learned_by_heart() -> None:
    voices = fit_voices(lessons(SEED))
    names = voices.unseen.labels
    right = [names[row.argmax()] == label for row, (_, label) in zip(voices.unseen.said[WORDS], SEED, strict=True)]
    assert 0.4 < sum(right) / len(right) < 0.9  # it has learned all of them


def test_saved_and_loaded_it_says_the_same(tmp_path: Path) -> None:
    known = lessons(SEED)
    fitted = fit_voices(known)
    save(tmp_path, fitted)
    loaded = load(tmp_path)
    assert set(loaded.fitted) == set(fitted.fitted) == {WORDS, VECTORS, NEIGHBOURS}
    questions = asked(list(known.texts), known.vectors)
    for name, voice in fitted.fitted.items():
        again = loaded.fitted[name].log_probabilities(questions)
        assert again == pytest.approx(voice.log_probabilities(questions), abs=0.05, nan_ok=True)
    assert (loaded.fitted_on, loaded.embedder, loaded.without_adapter) == ("digest", "fake", fitted.without_adapter)
    assert loaded.unseen.keys == fitted.unseen.keys
    assert loaded.proved == fitted.proved and fitted.proved is not None


def test_how_often_they_were_right_is_counted_on_rows_that_they_had_not_learned() -> None:
    """Each voice's own figures out of fold are about the pool's; on learned rows all would be right."""
    fitted = fit_voices(lessons(SEED, vectors=False))
    assert fitted.proved is not None
    right = sum(hits for _, _, _, hits, _ in fitted.proved.rows)
    rows = zip(fitted.unseen.said[WORDS], SEED, strict=True)
    alone = sum(fitted.unseen.labels[row.argmax()] == label for row, (_, label) in rows)
    assert (fitted.proved.n, right) == (len(SEED), alone)
    english = fitted.proved.written_in("en").n
    assert english == sum(language_of(text) == "en" for text, _ in SEED) > 0


def test_the_same_examples_give_the_same_file_in_every_process(tmp_path: Path) -> None:
    for place in ("one", "other"):
        write_lessons(tmp_path / place, lessons(SEED[:120]))
        subprocess.run([sys.executable, "-m", "inference.voices.fit", str(tmp_path / place)], check=True)
    one, other = (json.loads((tmp_path / place / "voices.json").read_text("utf-8")) for place in ("one", "other"))
    assert one == other


@pytest.mark.parametrize("harm", ["npz", "json", "both", "format", "labels", "library"])
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
        kept = json.loads(names.read_text("utf-8"))
        if harm == "labels":
            kept["voices"][WORDS]["labels"] = ["one"]
        else:
            kept["format" if harm == "format" else "scikit-learn"] = "99"
        names.write_text(json.dumps(kept), "utf-8")
    with pytest.raises(Unusable):
        load(tmp_path)


def test_nothing_to_learn_from_is_silence() -> None:
    one_label = fit_voices(lessons([("I was charged twice", "billing"), ("refund?", "billing")]))
    assert one_label.fitted == {}
    no_words = fit_voices(lessons([("🙏", "billing"), ("?!", "it"), ("…", "it")]))
    assert set(no_words.fitted) == {VECTORS, NEIGHBOURS}
    no_vectors = fit_voices(lessons(SEED[:40], vectors=False))
    assert set(no_vectors.fitted) == set(no_vectors.unseen.said) == {WORDS}


def test_one_example_a_label_and_two_labels_are_enough() -> None:
    known = lessons([("my card was charged twice", "billing"), ("the printer is broken", "it")])
    voices = fit_voices(known)
    for voice in (WORDS, VECTORS, NEIGHBOURS):
        assert said(voices, voice, asked(["charged twice"], known.vectors[:1])) == ["billing"]


def test_a_text_without_a_vector_is_not_learned_from_by_its_vector() -> None:
    known = lessons(SEED[:60])
    holes = known.vectors.copy()
    holes[::2] = np.nan
    voices = fit_voices(replace(known, vectors=holes))
    for voice in (VECTORS, NEIGHBOURS):
        row = voices.unseen.said[voice][0]
        assert row == pytest.approx(np.full(len(row), -np.log(len(row))))


def test_neighbours_do_not_count_a_text_as_its_own() -> None:
    known = lessons(SEED[:60])
    lonely = replace(known, labels=("alone", *known.labels[1:]))
    voices = fit_voices(lonely)
    at = voices.unseen.labels.index("alone")
    assert np.exp(voices.unseen.said[NEIGHBOURS][0][at]) < 0.05
    assert said(voices, NEIGHBOURS, asked(["?"], known.vectors[2:3])) == [known.labels[2]]


def test_a_vector_of_another_width_is_not_read() -> None:
    voices = fit_voices(lessons(SEED[:60]))
    for voice in (VECTORS, NEIGHBOURS):
        assert np.isnan(voices.fitted[voice].log_probabilities(asked(["?"], np.ones((1, 7), np.float32)))).all()


@dataclass(frozen=True)
class FirstLetter:
    """A simple voice: everything has the first label."""

    labels: tuple[str, ...] = ()
    name: str = "toy"
    usual: float = 0.1

    def log_probabilities(self, questions: Questions) -> Floats:
        likely = np.full((len(questions.texts), len(self.labels)), 0.1, dtype=np.float32)
        likely[:, 0] = 1 - 0.1 * (len(self.labels) - 1)
        return np.log(likely)

    def stored(self) -> Stored:
        return Stored(names={"labels": self.labels})

    def fit(self, lessons: Lessons) -> tuple[FittedVoice, Floats] | None:
        fitted = FirstLetter(tuple(sorted(set(lessons.labels))))
        return fitted, fitted.log_probabilities(asked(list(lessons.texts)))

    def restored(self, stored: Stored) -> FittedVoice:
        return FirstLetter(tuple(stored.names["labels"]))


def test_a_voice_is_one_class_and_a_place_in_the_list(tmp_path: Path) -> None:
    kinds: tuple[Voice, ...] = (*VOICES, FirstLetter())
    save(tmp_path, fit_voices(lessons(SEED[:60]), kinds))
    voices = load(tmp_path, kinds)
    assert set(voices.fitted) == set(voices.without_adapter) == {WORDS, VECTORS, NEIGHBOURS, "toy"}
    assert said(voices, "toy", asked(["anything"])) == [min(label for _, label in SEED[:60])]
    assert set(load(tmp_path).fitted) == {WORDS, VECTORS, NEIGHBOURS}  # a voice that does not know it reads others


def test_lessons_come_back_as_they_were_written(tmp_path: Path) -> None:
    strange = lessons([("line\u2028two\nthree\x85", "billing"), ("C++", "it"), ("मुझे बिल चाहिए", "billing")])
    write_lessons(tmp_path, strange)
    back = read_lessons(tmp_path)
    assert (back.texts, back.labels, back.keys) == (strange.texts, strange.labels, strange.keys)


def test_a_voice_that_knows_nothing_gets_no_weight() -> None:
    truth = [0, 1] * 200
    good = np.log(np.array([[0.9, 0.1], [0.1, 0.9]] * 200, dtype=np.float32))
    wrong = good[:, ::-1]
    weights = fit_weights({WORDS: good, VECTORS: wrong}, truth, USUAL)
    assert weights[WORDS] > 0.5
    assert weights[VECTORS] < 0.1


def test_how_sure_all_are_together_is_fitted_on_a_few_dozen_rows() -> None:
    """Both say .7 of what is right nine times in ten; with the usual weights the pool would say .63."""
    truth = [n % 2 if n % 10 else 1 - n % 2 for n in range(80)]
    row = np.log(np.array([[0.7, 0.3], [0.3, 0.7]] * 40, dtype=np.float32))
    weights = fit_weights({WORDS: row, VECTORS: row}, truth, USUAL)
    odds = sum(weights.values()) * np.log(0.7 / 0.3)
    assert 1 / (1 + np.exp(-odds)) == pytest.approx(0.9, abs=0.04)


def test_with_a_few_rows_the_usual_weights_hardly_move() -> None:
    row = np.log(np.array([[0.9, 0.1]], dtype=np.float32))
    weights = fit_weights({WORDS: row, VECTORS: row}, [1], USUAL)
    assert weights == pytest.approx({WORDS: USUAL[WORDS], VECTORS: USUAL[VECTORS]}, abs=0.1)
    assert fit_weights({WORDS: row}, [], USUAL) == {WORDS: USUAL[WORDS]}


def test_three_hundred_labels_and_one_that_nobody_used() -> None:
    pairs = [(f"please do thing number{n} for me {turn}", f"label-{n:03}") for n in range(300) for turn in range(2)]
    known = replace(lessons(pairs, vectors=False), vectors=np.eye(300, dtype=np.float32)[[n // 2 for n in range(600)]])
    voices = fit_voices(known)
    assert len(voices.fitted[WORDS].labels) == 300
    assert said(voices, NEIGHBOURS, asked(["?"], known.vectors[20:21])) == ["label-010"]
    assert "label-300" not in voices.counts
    assert voices.counts["label-010"] == 2


def flipped(every: int) -> tuple[Lessons, list[int]]:
    """A hundred examples of each of two teams, distinguishable by words and vectors; some have the other's label."""
    pairs = [
        (f"my {thing} number {n}", team)
        for n in range(100)
        for thing, team in (("invoice", "billing"), ("laptop", "it"))
    ]
    known, wrong = lessons(pairs), list(range(3, len(pairs), every))
    labels = [("it" if team == "billing" else "billing") if n in wrong else team for n, team in enumerate(known.labels)]
    return replace(known, labels=tuple(labels)), wrong


def test_labels_that_are_plainly_slips_are_not_learned() -> None:
    known, wrong = flipped(every=33)
    voices = fit_voices(known)
    assert {known.keys[n] for n in wrong}.isdisjoint(voices.unseen.keys)
    assert len(voices.unseen.keys) == len(known.keys) - len(wrong)


def test_what_people_said_of_a_message_is_never_a_slip() -> None:
    known, wrong = flipped(every=33)
    firm = known.keys[wrong[0]]
    assert firm in fit_voices(replace(known, firm=frozenset({firm}))).unseen.keys


def test_the_few_examples_of_a_new_team_are_no_slips() -> None:
    known, _ = flipped(every=1000)
    labels = tuple("new" if n < 3 else label for n, label in enumerate(known.labels))
    assert fit_voices(replace(known, labels=labels)).counts["new"] == 3
