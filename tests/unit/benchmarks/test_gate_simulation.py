"""The simulation counts what the gate does, and keeps the error rates that it promises."""

import numpy as np
import pytest

from benchmarks.gate_simulation import Truth, exactly, nightly, promotes, scored
from bot.domain.gate import Circumstances, judge


@pytest.mark.parametrize("n", [100, 400, 1_500])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("new_label", [False, True])
def test_counts_are_promoted_where_the_gate_promotes_them(n: int, new_label: bool, first: bool) -> None:
    """On both sides of every boundary: from no gains to many, with none and some lost, at looks of a whole year."""
    cases = [
        (gained, lost, look)
        for look in (1, 40, 365)
        for lost in (0, 2)
        for gained in (0, 1, 5, 8, 9, 12, 15, 16, 17, 20, 24, 28)
    ] + [(0, n // 20, 1)]
    gained, lost, looks = np.array(cases).T
    fast = promotes(n, gained, lost, looks, new_label, first)
    about = [Circumstances(new_labels=["new"] if new_label else [], first=first, look=look) for _, _, look in cases]
    whole = [
        judge(
            [scored(i, 0, i >= mended) for i in range(n)],
            [scored(i, 0, not mended <= i < mended + broken) for i in range(n)],
            one,
        ).promoted
        for (mended, broken, _), one in zip(cases, about, strict=True)
    ]
    assert fast.tolist() == whole
    assert 0 < sum(whole) < len(whole), "boundaries lie between"


@pytest.mark.parametrize("differ", [0.035, 0.15, 0.4])
def test_two_points_worse_is_better_by_luck_in_under_one_year_of_a_hundred_however_few_messages(differ: float) -> None:
    assert max(exactly(n, Truth(-2, differ)) for n in (30, 50, 75, 100, 200, 400)) <= 0.01


def test_the_exact_sum_is_what_drawing_comes_to() -> None:
    drawn = nightly(100, Truth(0, 0.3), False, np.random.default_rng(3))
    assert exactly(100, Truth(0, 0.3)) == pytest.approx(drawn, abs=4 * (0.05 * 0.95 / 1_000) ** 0.5)


@pytest.mark.parametrize("new_label", [False, True])
def test_what_is_two_points_worse_is_promoted_in_no_more_than_one_year_of_a_hundred(new_label: bool) -> None:
    """1,000 years of nightly looks; the error of the share itself is .3 points at 1 %."""
    rng = np.random.default_rng(7)
    assert nightly(1_000, Truth(-2, 0.035), new_label, rng) <= 0.01


def test_what_a_truth_says_is_so() -> None:
    mended, broken, neither = Truth(-3, 0.035).shares
    assert mended - broken == pytest.approx(-0.03)
    assert mended + broken + neither == pytest.approx(1.0)


@pytest.mark.parametrize("differ", [0.035, 0.2])
def test_a_first_adapter_that_is_two_points_worse_serves_in_no_more_than_five_years_of_a_hundred(differ: float) -> None:
    """Three standard errors of 1,000 years above it."""
    rng = np.random.default_rng(9)
    assert nightly(400, Truth(-2, differ), False, rng, first=True) <= 0.05 + 3 * (0.05 * 0.95 / 1_000) ** 0.5
