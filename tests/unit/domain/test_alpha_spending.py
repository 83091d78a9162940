"""The shares of a year's error."""

import pytest

from bot.domain.alpha_spending import share


def test_all_looks_of_a_year_and_any_number_more_spend_no_more_than_there_is() -> None:
    spent = sum(share(look) for look in range(1, 366))
    assert 0.85 < spent < sum(share(look) for look in range(1, 200_000)) < 1.0


def test_shares_fall_and_begin_with_a_seventh() -> None:
    shares = [share(look) for look in range(1, 1_000)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == pytest.approx(0.1337, abs=1e-4)
    assert shares[9] == pytest.approx(shares[0] / 10)


def test_looks_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="from 1"):
        share(0)
