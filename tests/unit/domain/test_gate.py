"""The gate."""

import random

import pytest

from bot.domain.gate import Paired, accuracy, coverage_at, ece, judge, macro_f1
from bot.domain.learning import Score, Source


def score(n: int, right: bool, truth: str = "a", source: Source = Source.IMPORT, p: float = 0.99) -> Score:
    answer = truth if right else ("b" if truth == "a" else "a")
    return Score(f"key {n}", source, truth, answer, {answer: p})


def run(wrong: set[int], n: int = 400, source: Source = Source.IMPORT) -> list[Score]:
    return [score(i, i not in wrong, "a" if i % 2 else "b", source) for i in range(n)]


def test_a_candidate_that_mends_much_and_breaks_little_serves() -> None:
    verdict = judge(run(set(range(40))), run(set(range(3))))
    assert verdict.promoted
    assert "37 mistakes mended" in verdict.reasons[0]


def test_an_equal_candidate_does_not_serve() -> None:
    verdict = judge(run({1, 2, 3}), run({4, 5, 6}))
    assert not verdict.promoted
    assert "not proven better" in verdict.reasons[0]


def test_an_equal_candidate_serves_when_it_knows_a_new_label() -> None:
    verdict = judge(run({1, 2, 3}), run({4, 5, 6}), new_labels=["c"])
    assert verdict.promoted


def test_a_worse_candidate_does_not_serve_even_with_a_new_label() -> None:
    assert not judge(run(set()), run(set(range(40))), new_labels=["c"]).promoted


def test_one_team_paying_for_the_others_stops_it() -> None:
    champion = run({i for i in range(400) if i % 2 == 0 and i < 120})
    candidate = run({i for i in range(400) if i % 2 == 1 and i < 24})
    verdict = judge(champion, candidate)
    assert not verdict.promoted
    assert any("a falls from" in reason for reason in verdict.reasons)


def test_a_mistake_that_was_corrected_must_not_come_back() -> None:
    champion = [*run(set(range(10, 60))), score(900, True, source=Source.CORRECTION)]
    candidate = [*run(set()), score(900, False, source=Source.CORRECTION)]
    verdict = judge(champion, candidate)
    assert not verdict.promoted
    assert any("repeats 1" in reason for reason in verdict.reasons)


def test_too_few_examples_prove_nothing() -> None:
    verdict = judge(run({1}, n=10), run(set(), n=10))
    assert not verdict.promoted
    assert "only 10" in verdict.reasons[0]


def test_the_first_model_must_beat_guessing() -> None:
    assert judge(None, run({1})).promoted
    assert not judge(None, run(set(range(400)))).promoted
    assert not judge(None, []).promoted


def test_scores_of_different_examples_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="different examples"):
        judge(run(set()), list(reversed(run(set()))))


def test_mcnemar_agrees_with_the_binomial_tail() -> None:
    assert Paired(100, gained=9, lost=1).p_value == pytest.approx((10 + 1) / 2**10)
    assert Paired(100, gained=0, lost=0).p_value == 1.0


def test_under_equal_quality_the_gate_opens_rarely() -> None:
    rng = random.Random(3)
    opened = 0
    for _ in range(400):
        champion = run({i for i in range(300) if rng.random() < 0.05}, n=300)
        candidate = run({i for i in range(300) if rng.random() < 0.05}, n=300)
        opened += judge(champion, candidate).promoted
    # 5 % by design, and two standard errors of 400 draws
    assert opened / 400 <= 0.05 + 2 * 0.011


def test_calibration_error_of_an_honest_and_of_a_boastful_model() -> None:
    honest = [score(i, i % 5 != 0, p=0.8) for i in range(100)]
    boastful = [score(i, i % 2 == 0, p=1.0) for i in range(100)]
    assert ece(honest) == pytest.approx(0.0, abs=1e-9)
    assert ece(boastful) == pytest.approx(0.5)


def test_coverage_counts_the_surest_first() -> None:
    scores = [score(i, True, p=0.9) for i in range(80)] + [score(i, False, p=0.5) for i in range(80, 100)]
    assert coverage_at(scores, 0.95) == pytest.approx(0.84)
    assert accuracy(scores) == pytest.approx(0.8)


def test_macro_f1_weighs_labels_equally() -> None:
    scores = [score(i, True, "a") for i in range(98)] + [score(98, False, "b"), score(99, True, "b")]
    a, b = 2 * 98 / (99 + 98), 2 * 1 / (1 + 2)
    assert macro_f1(scores) == pytest.approx((a + b) / 2)
