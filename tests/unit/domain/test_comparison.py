"""Arms on the same messages: intervals against a known case, figures, and messages that may not be used."""

from dataclasses import replace

import numpy as np
import pytest

from bot.domain.comparison import (
    Arm,
    bootstrap_interval,
    difference,
    figures,
    majority,
    mcnemar,
    quantile,
    training_side,
    unseen,
)
from bot.domain.learning import Example, Score, Side, Source
from bot.domain.paired_tests import Paired
from bot.domain.predictions import NO_ANSWER
from tests.samples import NOW, TASK

EXAMPLE = Example("my invoice is wrong", "billing", Source.IMPORT, Side.HELD_OUT, NOW)


def score(key: str, answer: str, probability: float = 0.9, language: str | None = "en") -> Score:
    return Score(key, Source.IMPORT, "it", answer, {answer: probability}, language)


def test_the_interval_is_that_of_messages_drawn_again() -> None:
    """The same as drawing a thousand messages again and again, one by one."""
    differences = np.array([1] * 60 + [-1] * 30 + [0] * 910)
    random = np.random.default_rng(5)
    drawn = [random.choice(differences, 1000).mean() for _ in range(4000)]
    low, high = bootstrap_interval(Paired(1000, 60, 30))
    assert [low, high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.0015)


def test_the_interval_is_the_normal_one_where_there_are_many() -> None:
    pairs = Paired(10_000, 700, 500)
    half = 1.96 * (0.12 - 0.02**2) ** 0.5 / 100
    assert bootstrap_interval(pairs) == pytest.approx((0.02 - half, 0.02 + half), abs=3e-4)
    assert bootstrap_interval(pairs) == bootstrap_interval(pairs)


@pytest.mark.parametrize(
    ("gained", "lost", "p"), [(0, 0, 1.0), (5, 0, 2 / 32), (0, 5, 2 / 32), (4, 4, 1.0), (1, 8, 2 * 10 / 512)]
)
def test_mcnemar_is_exact_and_two_sided(gained: int, lost: int, p: float) -> None:
    assert mcnemar(Paired(100, gained, lost)) == pytest.approx(p)


def test_a_difference_is_of_the_same_messages() -> None:
    served = [score("1", "it"), score("2", "billing"), score("3", "billing")]
    found = difference(served, [score("1", "it"), score("2", "it"), score("3", "it")])
    assert found.pairs == Paired(3, 2, 0)
    assert found.gain == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="different examples"):
        difference(served, [score("9", "it"), *served[1:]])


def test_figures_of_an_arm() -> None:
    served = Arm("mixture", [score(str(n), "it", language="en" if n < 60 else "es") for n in range(100)])
    answers = ["it"] * 80 + ["billing"] * 15 + [NO_ANSWER] * 5
    other = Arm("other", [score(str(n), a, 1.0, None) for n, a in enumerate(answers)], True, [3.0, 1.0, 2.0], 0.5)
    made = figures(other, served, minutes_per_misroute=10)
    assert (made.accuracy, made.unanswered, made.p50, made.p95, made.per_1000) == (0.8, 5, 2.0, 3.0, 0.5)
    assert made.minutes_per_1000 == pytest.approx(2000)
    assert made.languages == {"en": 1.0}, "forty messages in Spanish are too few"
    assert made.ece == pytest.approx(0.2)
    assert made.difference is not None and made.difference.gain == pytest.approx(-0.2)
    bare = figures(replace(other, graded=False, milliseconds=(), per_1000=None), served, None)
    assert (bare.ece, bare.coverage_at_95, bare.p50, bare.minutes_per_1000) == (None, None, None, None)
    assert figures(served, served, None).difference is None


def test_the_commonest_label_is_the_training_sides() -> None:
    known = [replace(EXAMPLE, side=Side.TRAIN, label=label, text=label) for label in ("it", "it", "billing", "gone")]
    training = training_side([*known, EXAMPLE, replace(EXAMPLE, text="x"), replace(EXAMPLE, text="y")], TASK.names)
    arm = majority(training, [EXAMPLE])
    assert arm is not None and [one.answer for one in arm.scores] == ["it"]
    assert len(training) == 3
    assert majority([], [EXAMPLE]) is None


def test_what_nearly_repeats_a_learned_text_does_not_judge() -> None:
    learned = [replace(EXAMPLE, side=Side.TRAIN, text="Please help me cancel a transaction")]
    fresh = replace(EXAMPLE, text="where is my parcel")
    near = replace(EXAMPLE, text="Please help me cancel a transaction!!")
    judging, leaked, repeated = unseen([near, fresh, replace(fresh, text="Where is my parcel?")], learned)
    assert (judging, leaked, repeated) == ([fresh], 1, 1)


def test_quantiles_of_nothing_are_nothing() -> None:
    assert quantile([], 0.5) is None


def test_an_arm_that_was_not_asked_about_all_is_compared_on_its_own_messages() -> None:
    served = Arm("mixture", [_score(n, "it", "it") for n in range(4)])
    row = figures(Arm("gpt", [_score(n, "it", "billing") for n in (1, 3)], stopped="stopped at $1"), served, None)
    assert (row.n, row.stopped) == (2, "stopped at $1")
    assert row.difference is not None and (row.difference.pairs.n, row.difference.pairs.lost) == (2, 2)


def test_recall_is_told_of_each_label_that_somebody_has() -> None:
    scores = [_score(0, "it", "it"), _score(1, "it", "billing"), _score(2, "billing", "billing")]
    row = figures(Arm("mixture", scores), Arm("mixture", scores), None)
    assert {label: (one.right, one.n) for label, one in row.recalls.items()} == {"billing": (1.0, 1), "it": (0.5, 2)}


def test_what_belongs_to_no_team_is_kept_by_the_fallback_or_a_question() -> None:
    scores = [
        _score(0, "triage", "triage"),
        _score(1, "triage", "it"),
        _score(2, "triage", "it"),
        _score(3, "it", "it"),
    ]
    arm = Arm("mixture", scores, asked=frozenset({"1"}))
    found = figures(arm, arm, None, "triage").out_of_scope
    assert found is not None and (found.n, round(found.kept, 3), found.others_kept) == (3, 0.667, 0.0)
    assert figures(arm, arm, None, "nobody").out_of_scope is None


def _score(key: int, truth: str, answer: str) -> Score:
    return Score(str(key), Source.IMPORT, truth, answer, {})
