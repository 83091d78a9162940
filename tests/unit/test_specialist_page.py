"""The page of the specialist and GPT-4o follows from the price book and the measured figures."""

from datetime import date

import pytest

from bot.domain.price_book import PriceBook
from docs.specialist import (
    PAGE,
    Hosted,
    Measured,
    measured,
    measured_on,
    page,
    reckoned,
    stale,
    tokens_of_a_message,
    tokens_of_a_prompt,
)

ROWS = """
Measured: 2026-11-28.

| set | labels | learned | asked | product % | without the adapter % | best peer | difference | seconds |
| demo | 9 | 8311 | 780 | 83.6 | 83.3 | 79.6 (kNN) | +64 −33, p 0.002 | import 147 · evaluate 341 |
| banking77 | 77 | 9000 | 3080 | 94.3 | 94.3 | 92.9 (MiniLM) | +70 −25, p 4e-06 | import 57 · train 333 · evaluate 124 |
"""


def test_the_page_is_what_the_figures_say() -> None:
    """When this fails: python -m docs.specialist > docs/specialist.md"""
    assert PAGE.read_text("utf-8") == page()


def test_rows_that_were_trained_for_are_read_out_of_the_benchmarks() -> None:
    assert measured(ROWS) == {"banking77": Measured(9000, 3080, 94.3, 333, 124)}
    assert measured_on(ROWS) == date(2026, 11, 28)


def test_costs_are_times_and_tokens_times_prices() -> None:
    book = PriceBook(date(2026, 6, 17), "USD", own_cpu_per_hour=3.6)
    prompted = Hosted(2.0, 10.0, 0.0, date(2026, 6, 17), "")
    costs = reckoned(book, Measured(9000, 1000, 94.3, 100, 50), prompted, prompted)
    assert (costs["trained"], costs["own"], costs["month"]) == pytest.approx((0.1, 0.05, 2628.0))
    assert costs["theirs"] == pytest.approx((tokens_of_a_prompt(8) * 2.0 + 3 * 10.0) / 1_000)
    assert tokens_of_a_prompt(8) - tokens_of_a_prompt(0) == 8 * (tokens_of_a_message() + 3)
    assert costs["tuned"] == 0.0, "this price has no training"


def test_old_list_prices_are_said_to_be_stale() -> None:
    prices = {"old": Hosted(1, 1, 1, date(2024, 8, 20), ""), "new": Hosted(1, 1, 1, date(2026, 11, 1), "")}
    [said] = stale(prices, date(2026, 11, 28))
    assert said.startswith("the price of old is of 2024-08-20, 830 days old")
