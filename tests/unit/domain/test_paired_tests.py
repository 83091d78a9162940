"""Tests on pairs, against values that can be computed in other ways."""

import math
import random
from statistics import NormalDist

import pytest

from bot.domain.paired_tests import Paired, at_least, needed


def test_mcnemar_agrees_with_the_binomial_tail() -> None:
    assert Paired(100, gained=9, lost=1).p_value == pytest.approx((10 + 1) / 2**10)
    assert Paired(100, gained=0, lost=0).p_value == 1.0


def test_a_tail_is_the_sum_of_its_terms() -> None:
    terms = [math.comb(7, k) * 0.05**k * 0.95 ** (7 - k) for k in range(3, 8)]
    assert at_least(3, 7, 0.05) == pytest.approx(sum(terms))
    assert at_least(0, 7, 0.05) == at_least(-2, 7, 0.05) == 1.0


def test_without_any_difference_no_worse_takes_about_as_many_messages_as_an_exact_test_would() -> None:
    """Nothing lost in n has a probability of (1 - .02)**n: .01 takes 228 messages. A mixture of bets needs more."""
    assert Paired(50, 0, 0).no_worse_p_value(0.02) > 0.36, "a normal bound takes this for proof"
    assert Paired(228, 0, 0).no_worse_p_value(0.02) > 0.01
    assert Paired(350, 0, 0).no_worse_p_value(0.02) < 0.01


def test_the_score_test_is_tangos() -> None:
    """With no differences its deviation is that of margin * n losses; with some, of the likeliest shares under it."""
    assert Paired(300, 0, 0).usually_no_worse_p_value(0.02) == pytest.approx(NormalDist().cdf(-math.sqrt(6 / 0.98)))
    found = Paired(400, gained=6, lost=9)

    def likelihood(mended: float) -> float:
        return 6 * math.log(mended) + 9 * math.log(mended + 0.02) + 385 * math.log(1 - 2 * mended - 0.02)

    mended = max((n / 100_000 for n in range(1, 20_000)), key=likelihood)
    deviation = math.sqrt(400 * (2 * mended + 0.02 - 0.02**2))
    expected = NormalDist().cdf((3 - 8) / deviation)
    assert found.usually_no_worse_p_value(0.02) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("discordant", [0.02, 0.05, 0.2])
def test_what_is_worse_by_the_margin_is_rarely_taken_for_no_worse(discordant: float) -> None:
    """With a probability of at most .05: 2,000 draws of 400 messages of which it loses 2 points net."""
    rng = random.Random(5)
    lost, gained = (discordant + 0.02) / 2, (discordant - 0.02) / 2
    wrongly = 0
    for _ in range(2_000):
        drawn = rng.choices(("lost", "gained", ""), (lost, gained, 1 - lost - gained), k=400)
        wrongly += Paired(400, drawn.count("gained"), drawn.count("lost")).no_worse_p_value(0.02) <= 0.05
    assert wrongly / 2_000 <= 0.05


def test_the_worst_loss_is_the_margin_that_is_just_ruled_out() -> None:
    result = Paired(400, gained=6, lost=8)
    worst = result.worst_net_loss(0.05)
    assert result.no_worse_p_value(worst + 0.001) < 0.05 < result.no_worse_p_value(worst - 0.001)
    assert 0.01 < worst < 0.05
    assert Paired(400, gained=200, lost=0).worst_net_loss(0.05) == 0.0
    assert Paired(5, gained=0, lost=5).worst_net_loss(0.05) == 1.0


def test_messages_needed_are_those_that_were_computed_by_hand() -> None:
    """Of 3.5 % discordant, at .05 and a power of .8."""
    assert [needed(gain, 0.035, 0.05) for gain in (0.03, 0.02, 0.01)] == [239, 539, 2_162]
