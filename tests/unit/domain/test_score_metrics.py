"""The metrics that scores give."""

import random

import pytest

from bot.domain.score_metrics import accuracy, coverage_at, ece, ece_apart_by_chance, ece_by_chance, macro_f1
from tests.unit.domain.test_gate import score


def test_calibration_error_of_an_honest_and_of_a_boastful_model() -> None:
    honest = [score(i, i % 5 != 0, p=0.8) for i in range(100)]
    boastful = [score(i, i % 2 == 0, p=1.0) for i in range(100)]
    assert ece(honest) == pytest.approx(0.0, abs=1e-9)
    assert ece(boastful) == pytest.approx(0.5)


@pytest.mark.parametrize("count", [30, 100, 1_000])
def test_what_chance_explains_is_exceeded_by_one_honest_model_in_twenty(count: int) -> None:
    rng = random.Random(count)
    exceeded = 0
    for _ in range(300):
        sure = [rng.uniform(0.5, 1.0) for _ in range(count)]
        drawn = [score(i, rng.random() < p, p=p) for i, p in enumerate(sure)]
        exceeded += ece(drawn) > ece_by_chance(drawn)
    assert 0.01 <= exceeded / 300 <= 0.10


def test_of_a_thousand_messages_chance_explains_little_and_a_boaster_much_more_than_that() -> None:
    honest = [score(i, i % 5 != 0, p=0.8) for i in range(1_000)]
    assert ece_by_chance(honest) < 0.03
    assert ece([score(i, i % 5 != 0, p=0.95) for i in range(1_000)]) > 5 * ece_by_chance(honest)
    assert ece_by_chance([]) == 0.0


def test_of_two_equally_honest_models_one_is_further_off_than_chance_explains_in_one_case_of_twenty() -> None:
    """The second answers half of the messages as the first does and is as honest on the others."""
    rng = random.Random(4)
    exceeded = 0
    for _ in range(200):
        sure = [rng.uniform(0.5, 1.0) for _ in range(300)]
        first = [score(i, rng.random() < p - 0.1, p=p) for i, p in enumerate(sure)]
        second = [one if i % 2 else score(i, rng.random() < sure[i] - 0.1, p=sure[i]) for i, one in enumerate(first)]
        apart = ece_apart_by_chance(first, second)
        assert apart == ece_apart_by_chance(first, second), "the same draws every time"
        exceeded += ece(second) - ece(first) > apart
    assert 0.02 <= exceeded / 200 <= 0.10
    assert ece_apart_by_chance([], []) == 0.0


def test_coverage_counts_the_surest_first() -> None:
    scores = [score(i, True, p=0.9) for i in range(80)] + [score(i, False, p=0.5) for i in range(80, 100)]
    assert coverage_at(scores, 0.95) == pytest.approx(0.84)
    assert accuracy(scores) == pytest.approx(0.8)


def test_macro_f1_weighs_labels_equally() -> None:
    scores = [score(i, True, "a") for i in range(98)] + [score(98, False, "b"), score(99, True, "b")]
    a, b = 2 * 98 / (99 + 98), 2 * 1 / (1 + 2)
    assert macro_f1(scores) == pytest.approx((a + b) / 2)
