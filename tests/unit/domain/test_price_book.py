"""The price book: what is in it, what is missing, and what is too old."""

from datetime import date

import pytest

from bot.commands.compare import PRICES
from bot.domain.errors import UsageError
from bot.domain.price_book import read_prices

BEGIN = 'dated = 2026-06-01\ncurrency = "EUR"\n'


def test_a_decision_costs_its_share_of_the_hour() -> None:
    book = read_prices(BEGIN + "own_cpu_per_hour = 0.36\nown_gpu_per_hour = 3.6")
    assert book.per_1000(10, gpu=False) == pytest.approx(0.001)
    assert book.per_1000(10, gpu=True) == pytest.approx(0.01)


def test_what_has_no_price_is_not_free() -> None:
    assert read_prices(BEGIN).per_1000(10, gpu=False) is None


def test_prices_are_stale_after_half_a_year() -> None:
    book = read_prices(BEGIN + "[predictions.gpt]\nper_1000 = 1\ndated = 2026-01-01\n[predictions.own]\nper_1000 = 1")
    assert book.stale(date(2026, 6, 20)) == []
    assert [said.partition(",")[0] for said in book.stale(date(2026, 7, 20))] == ["the price of gpt is of 2026-01-01"]
    assert len(book.stale(date(2026, 11, 28))) == 1
    assert book.stale(date(2026, 11, 29))[0].startswith("the price book is of 2026-06-01, 181 days old")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("dated = ", "not TOML"),
        ("dated = 2026-06-01", 'no currency; write one, like currency = "USD"'),
        ('currency = "USD"', "no date; write the day of the prices"),
        ('currency = "USD"\ndated = "yesterday"', "dated is 'yesterday'; write a day without quotation marks"),
        (BEGIN + "own_cpu_per_hour = -1", "own_cpu_per_hour is -1; write a number that is not negative"),
        (BEGIN + "own_cpu_per_hour = true", "own_cpu_per_hour is True"),
        (BEGIN + "own_cpu_per_hour = nan", "own_cpu_per_hour is nan"),
        (BEGIN + "cpu = 1", "cpu is no price; prices are own_cpu_per_hour"),
        (BEGIN + "predictions = 3", "predictions is no table; write [predictions]"),
        (BEGIN + "[predictions.gpt]", "predictions.gpt: no per_1000"),
        (BEGIN + '[predictions.gpt]\nper_1000 = "a lot"', "predictions.gpt.per_1000 is 'a lot'"),
    ],
)
def test_a_mistake_says_what_to_change(written: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        read_prices(written)
    assert said in str(error.value)


def test_ours_has_a_source_for_every_number() -> None:
    book = read_prices(PRICES.read_text("utf-8"))
    assert set(book.sources) == {"own_cpu_per_hour", "own_gpu_per_hour", "minutes_per_misroute"}
    assert None not in (book.own_cpu_per_hour, book.own_gpu_per_hour, book.minutes_per_misroute)
