"""What serves answers where it is sure, a prompted model where it is not."""

import pytest

from bot.domain.cascade import cascade, unsure
from bot.domain.comparison import Arm, figures
from bot.domain.learning import Score, Source

SERVED = Arm(
    "mixture",
    [
        Score(
            str(n),
            Source.IMPORT,
            "it",
            "it" if n < 3 else "billing",
            {"it": 0.9 - n / 10, "billing": 0.1 + n / 10},
            "en",
        )
        for n in range(5)
    ],
    per_1000=0.10,
    asked=frozenset({"3"}),
)
OTHER = Arm(
    "gpt 8 retrieved",
    [Score(str(n), Source.IMPORT, "it", "it", {}) for n in range(4)],
    per_1000=2.0,
    tokens=(100.0, 1.0),
)


def test_only_what_it_would_ask_about_is_handed_on_and_paid_for() -> None:
    made = cascade(SERVED, OTHER, unsure(SERVED.scores, SERVED.asked, None))
    assert made.name == "mixture, unsure to gpt 8 retrieved"
    assert [score.answer for score in made.scores] == ["it", "it", "it", "it"], "of what both were asked about"
    assert (made.handed_on, made.tokens) == (0.25, (25.0, 0.25))
    assert made.per_1000 == pytest.approx(0.6)
    row = figures(made, SERVED, None)
    assert row.ece is None and row.difference is not None
    assert (row.difference.pairs.gained, row.difference.pairs.lost, row.n) == (1, 0, 4)


@pytest.mark.parametrize(("sure", "share"), [(0.85, 0.75), (0.35, 0.0), (1.0, 1.0)])
def test_a_threshold_of_ones_own_replaces_it(sure: float, share: float) -> None:
    assert cascade(SERVED, OTHER, unsure(SERVED.scores, SERVED.asked, sure)).handed_on == share


def test_without_a_price_of_both_there_is_none() -> None:
    made = cascade(SERVED, Arm(OTHER.name, OTHER.scores), frozenset())
    assert (made.per_1000, made.tokens, made.handed_on) == (None, None, 0.0)
