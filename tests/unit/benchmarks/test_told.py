"""What finished arms show: the product's rows as answers, arms compared, and the page."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.bench import product
from benchmarks.bench.aims import ACCURACY, CALIBRATION, LET_IN, Aim
from benchmarks.bench.results import Results
from benchmarks.bench.table import page
from benchmarks.bench.told import Told, told
from benchmarks.bench.trial import Row, Trial

ASKED = (Row("a1", "a", "pt"), Row("a2", "a", "es"), Row("b1", "b", "es"), Row("x", "oos", "es"))
TRIAL = Trial("pt_portaria", (Row("t1", "a"), Row("t2", "b")), ASKED)


def row(label: str, confidence: float, words: str | None, without: str, nearest: float) -> dict[str, object]:
    voices = [{"voice": "adapter", "label": label, "probability": confidence, "weight": 0.4}]
    if words is not None:
        voices.append({"voice": "words", "label": words, "probability": 0.7, "weight": 0.6})
    return {
        "label": label,
        "confidence": confidence,
        "by": "model",
        "would_ask": [],
        "entropy": 1 - confidence,
        "nearest": nearest,
        "voices": voices,
        "without_model": {"label": without, "confidence": 0.6},
        "ms": 4.0,
    }


ROWS = [row("a", 0.9, "a", "a", 0.9), row("a", 0.8, "b", "b", 0.8), row("b", 0.9, None, "b", 0.9)]
ROWS.append(row("a", 0.4, "a", "a", 0.1))


def peer(*given: str) -> dict[str, object]:
    answers = {"given": given, "sure": [0.5, 0.4, 0.3, 0.2], "calibrated": True, "strange": [0.1, 0.2, 0.3, 0.0]}
    return {"answers": answers, "fit_seconds": 1.0, "latencies": [1.0, 3.0]}


def stored(trial: Trial, folder: Path, measured: Mapping[str, dict[str, object]]) -> Told:
    results = Results(folder, "abc1234", 1)
    return told(trial, {arm: results.keep(trial, arm, result) for arm, result in measured.items()})


@pytest.fixture
def one(tmp_path: Path) -> Told:
    whole: dict[str, object] = {
        "rows": ROWS,
        "seconds": {"import": 3.0},
        "trained": {"promoted": True, "reasons": ["first model"]},
    }
    return stored(TRIAL, tmp_path, {"svc": peer("b", "a", "a", "a"), product.WHOLE: whole})


def test_every_voice_is_an_arm_the_loudest_first_and_silence_is_not_right() -> None:
    arms = product.arms(ROWS)
    assert list(arms) == [product.WHOLE, product.WITHOUT, "words", "adapter"]
    assert arms["words"].given == ("a", "b", "", "a")
    assert arms[product.WITHOUT].given == ("a", "b", "b", "a")
    assert arms[product.WHOLE].strange[3] == max(arms[product.WHOLE].strange)


def test_accuracy_is_over_what_belongs_to_a_label(one: Told) -> None:
    accuracies = {arm.name: (arm.whole.n, round(arm.whole.accuracy, 3)) for arm in one.arms}
    assert accuracies == {
        product.WHOLE: (3, 1.0),
        product.WITHOUT: (3, 0.667),
        "words": (3, 0.333),
        "adapter": (3, 1.0),
        "svc": (3, 0.333),
    }


def test_arms_are_paired_with_the_product_and_told_by_part(one: Told) -> None:
    assert one.whole is not None and one.best_peer is not None
    assert one.whole.paired is None
    assert one.best_peer.name == "svc"
    assert one.best_peer.paired is not None
    assert (one.best_peer.paired.gained, one.best_peer.paired.lost) == (2, 0)
    assert {part: of.accuracy for part, of in one.best_peer.by_part.items()} == {"pt": 0.0, "es": 0.5}


def test_strangers_are_told_from_the_rest_by_how_strange_they_seem(one: Told) -> None:
    assert one.whole is not None and one.best_peer is not None
    assert one.whole.out_of_scope == (1.0, 0.0)
    assert one.best_peer.out_of_scope == (0.0, 1.0)


def test_how_often_people_are_asked_and_how_right_the_rest_is() -> None:
    asked = [{**one, "would_ask": ["a", "b"] if n in (0, 3) else []} for n, one in enumerate(ROWS)]
    asked[1]["by"] = "fallback"
    found = told(TRIAL, {product.WHOLE: {"rows": asked}}).asking
    assert found is not None
    assert found.known == pytest.approx(2 / 3)
    assert (found.strangers, found.right) == (1.0, 1.0)
    everybody = [{**one, "would_ask": ["a"]} for one in ROWS]
    nobody_else = told(TRIAL, {product.WHOLE: {"rows": everybody}}).asking
    assert nobody_else is not None and nobody_else.right is None


def test_aims_are_missed_by_what_is_lacking(one: Told) -> None:
    assert one.found(Aim("pt_portaria", ACCURACY, 0.97)) == 1.0
    assert one.found(Aim("pt_portaria", ACCURACY, 0.97, "fr")) is None
    assert Aim("", ACCURACY, 0.97).missed_by(0.95) == pytest.approx(0.02)
    assert Aim("", CALIBRATION, 0.02).missed_by(0.05) == pytest.approx(0.03)
    assert Aim("", LET_IN, 0.08).missed_by(0.05) < 0


def test_the_page_names_aims_misses_machine_commit_and_what_is_left_out(one: Told) -> None:
    written = page([one, Told(Trial("sms_spam", (), ()), problem="left out: sms_spam.jsonl is not there")])
    for part in (
        "| pt_portaria | 2 | 2 | 4 | 100.0 | 66.7 | 33.3 (TF-IDF",
        "| pt_portaria | accuracy | ≥ 97.0% | 100.0% | met |",
        "| pt_portaria | ECE | ≤ 0.020 | 0.133 | 0.113 |",
        "| sms_spam | left out: sms_spam.jsonl is not there |",
        "Commit: abc1234.",
        "Seed: 1.",
        "+2 −0, p 0.500",
        "CPFT",
    ):
        assert part in written
    assert "a1" not in written, "no text of a set is in it"


def test_a_finished_arm_counts_for_its_commit_seed_and_data_alone(tmp_path: Path) -> None:
    results = Results(tmp_path, "abc1234", 1)
    results.keep(TRIAL, "svc", peer("a", "a", "a", "a"))
    assert results.finished(TRIAL, "svc") is not None
    assert results.finished(TRIAL, "majority") is None
    other = Trial("pt_portaria", TRIAL.learned, ASKED[:2])
    assert results.finished(other, "svc") is None
    assert Results(tmp_path, "fff0000", 1).finished(TRIAL, "svc") is None
    assert Results(tmp_path, "abc1234", 2).finished(TRIAL, "svc") is None
    assert Results(tmp_path, "fff0000", 1, any_commit=True).finished(TRIAL, "svc") is not None
    assert Results(tmp_path, "fff0000", 1, any_commit=True).finished(other, "svc") is None


def test_half_a_file_is_not_finished(tmp_path: Path) -> None:
    results = Results(tmp_path, "abc1234", 1)
    results.keep(TRIAL, "svc", peer("a", "a", "a", "a"))
    [file] = tmp_path.glob("*.json")
    file.write_text(file.read_text("utf-8")[:50], "utf-8")
    assert results.finished(TRIAL, "svc") is None
