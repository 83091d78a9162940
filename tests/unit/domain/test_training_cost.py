"""What a training costs, spread over decisions: past ones, or those expected in four weeks."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.training_cost import Amortised, TrainedAdapter, amortised, in_words
from tests.samples import NOW

AN_HOUR = TrainedAdapter("routing-4", 3_600.0, NOW - timedelta(days=56), 8_000)


def test_what_it_has_decided_carries_the_cost() -> None:
    found = amortised(AN_HOUR, 2.0, NOW)
    assert found == Amortised(per_1000=0.25, cost=2.0, decisions=8_000, forecast=False)
    assert in_words(AN_HOUR, found, "$2.00") == (
        "the training of routing-4 took 60.0 minutes, $2.00, spread over 8,000 decisions until now"
    )


def test_one_decision_is_said_in_the_singular() -> None:
    one = Amortised(per_1000=2_000.0, cost=2.0, decisions=1, forecast=False)
    assert in_words(AN_HOUR, one, "$2.00").endswith("spread over 1 decision until now")


def test_a_young_adapter_is_forecast_to_serve_for_four_weeks_at_the_rate_until_now() -> None:
    week = replace(AN_HOUR, serves_since=NOW - timedelta(days=7), decisions=1_000)
    found = amortised(week, 2.0, NOW)
    assert found == Amortised(per_1000=0.5, cost=2.0, decisions=4_000, forecast=True)
    assert in_words(week, found, "$2.00").endswith(
        "4,000 decisions forecast for its first 28 days at the rate until now"
    )


@pytest.mark.parametrize(("days", "decisions"), [(0.5, 400), (9, 0)])
def test_nobody_knows_over_what_to_spread_it_within_a_day_or_without_a_decision(days: float, decisions: int) -> None:
    young = replace(AN_HOUR, serves_since=NOW - timedelta(days=days), decisions=decisions)
    assert amortised(young, 2.0, NOW) is None
    assert in_words(young, None, "$2.00").endswith(
        "it has not served for long enough to say over how many decisions that is spread"
    )
