"""Learning curves: what is drawn, how sure a point is, where lines cross, and when nothing is extrapolated."""

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from bot.domain.curve_extrapolation import Extrapolated, NotExtrapolated, extrapolated
from bot.domain.learning_curve import Curve, Draw, Measured, curve, drawn, planned, together
from bot.domain.model_ports import Lesson

MESSAGES = 1_000
LESSONS = [Lesson(f"{label} {n}", "text", label, None) for label in ("billing", "it") for n in range(400)] + [
    Lesson(f"delivery {n}", "text", "delivery", None) for n in range(7)
]


def measured(share: Callable[[int], float], arm: str = "words", draws: int = 5, seed: int = 1) -> list[Measured]:
    """An arm with this share of right answers for so many examples a team, and the chance of the draw."""
    found = []
    for draw in planned(Counter(lesson.label for lesson in LESSONS), draws):
        many = draw.size or 400
        chance = random.Random(f"{seed} {arm} {draw}")
        right = share(many) + chance.gauss(0, 0.004)
        found.append(Measured(draw, 3 * many, {arm: hits(right, chance)}))
    return found


def hits(share: float, chance: random.Random) -> list[bool]:
    row = [place < round(share * MESSAGES) for place in range(MESSAGES)]
    chance.shuffle(row)
    return row


def law(many: int) -> float:
    """Error .05 + .6 n^-.5 of n examples in total."""
    return 0.95 - 0.6 / math.sqrt(3 * many)


def of(*rows: Sequence[Measured]) -> Curve:
    together = [
        Measured(several[0].draw, several[0].examples, {arm: r for one in several for arm, r in one.right.items()})
        for several in zip(*rows, strict=True)
    ]
    return curve(together, LESSONS)


# --- draws ---


def test_sizes_that_no_team_exceeds_are_left_to_all() -> None:
    sizes = [draw.size for draw in planned({"billing": 30, "it": 4}, draws=2)]
    assert sizes == [5, 5, 10, 10, 25, 25, 0]
    assert planned({"billing": 5}) == [Draw(0, 0)]


def test_a_draw_is_so_many_a_team_and_what_there_is_of_a_small_one() -> None:
    assert Counter(lesson.label for lesson in drawn(LESSONS, Draw(25, 0))) == {"billing": 25, "it": 25, "delivery": 7}
    assert drawn(LESSONS, Draw(0, 0)) == LESSONS


def test_draws_are_the_same_whatever_the_order_and_hold_the_smaller_one() -> None:
    one = drawn(LESSONS, Draw(10, 3))
    assert one == drawn(LESSONS[::-1], Draw(10, 3))
    assert {lesson.key for lesson in one} < {lesson.key for lesson in drawn(LESSONS, Draw(25, 3))}
    assert one != drawn(LESSONS, Draw(10, 4))


# --- points ---


def test_a_point_is_the_mean_of_its_draws_with_an_interval_over_draws_and_messages() -> None:
    made = of(measured(lambda _many: 0.8))
    for point in made.points["words"]:
        assert point.low < point.accuracy < point.high
        assert point.accuracy == pytest.approx(0.8, abs=0.015)
    assert [point.size for point in made.points["words"]] == [5, 10, 25, 50, 100, 0]
    assert [point.draws for point in made.points["words"]] == [5, 5, 5, 5, 5, 1]
    alone = made.points["words"][-1]
    assert alone.high - alone.low == pytest.approx(2 * 1.96 * math.sqrt(0.8 * 0.2 / MESSAGES), rel=0.15)


def test_draws_that_differ_widen_the_interval() -> None:
    spread = [Measured(Draw(5, n), 15, {"words": hits(0.5 + 0.1 * n, random.Random(n))}) for n in range(4)]
    same = [Measured(Draw(5, n), 15, {"words": hits(0.65, random.Random(n))}) for n in range(4)]
    wide, narrow = (curve(rows, LESSONS).points["words"][0] for rows in (spread, same))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_nothing_measured_is_no_curve() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        curve([], LESSONS)


# --- crossings ---


def test_who_is_better_with_few_and_who_with_many_is_said_with_where_they_meet() -> None:
    prompted = measured(lambda _many: 0.80, "few-shot")
    learns = measured(lambda many: 0.60 + 0.1 * math.log10(many / 5) / math.log10(5), "words")  # .80 with 125
    made = of(prompted, learns)
    [crossing] = made.crossings
    assert (crossing.few, crossing.many, crossing.proven_above) == ("few-shot", "words", 0)
    assert crossing.at == pytest.approx(125, rel=0.25)
    assert crossing.proven_below in (50, 100)


def test_arms_that_are_never_proven_apart_on_both_sides_do_not_cross() -> None:
    assert of(measured(law, "words"), measured(law, "vectors", seed=2)).crossings == []
    assert of(measured(lambda _many: 0.9, "words"), measured(lambda _many: 0.5, "vectors")).crossings == []


# --- the gain from more examples ---


def test_a_curve_that_keeps_to_the_law_is_continued_with_an_interval() -> None:
    found = extrapolated(of(measured(law)), "words", 600)
    assert isinstance(found, Extrapolated)
    true = law(600) - law(400)
    assert found.low <= true <= found.high
    assert found.gain == pytest.approx(true, abs=0.006)
    assert found.more == 600


def test_more_examples_are_worth_more_and_never_less_than_nothing() -> None:
    made = of(measured(law))
    few, many = (extrapolated(made, "words", more) for more in (100, 1_000))
    assert isinstance(few, Extrapolated) and isinstance(many, Extrapolated)
    assert 0 <= few.low <= few.gain < many.gain


def test_a_curve_that_breaks_from_the_law_is_not_continued() -> None:
    found = extrapolated(of(measured(lambda many: law(many) if many < 400 else 0.85)), "words", 300)
    assert isinstance(found, NotExtrapolated)
    assert "84." in found.reason and "the law does not hold here" in found.reason


def test_examples_that_help_nobody_are_not_said_to_be_worth_anything() -> None:
    found = extrapolated(of(measured(lambda _many: 0.8)), "words", 300)
    assert found == NotExtrapolated("more examples have not made it better so far")


def test_nothing_is_foretold_for_more_examples_than_there_are() -> None:
    found = extrapolated(of(measured(law)), "words", 5_000)
    assert isinstance(found, NotExtrapolated) and found.reason.startswith("5,000 are more than the 1,200 there are")


def test_few_sizes_foretell_nothing() -> None:
    few = [one for one in measured(law) if one.draw.size in (5, 10, 0)]
    assert extrapolated(curve(few, LESSONS), "words", 300) == NotExtrapolated(
        "only 3 sizes were measured, and 4 are needed"
    )


# --- arms that were measured on fewer draws ---


def few_of(rows: Sequence[Measured], *numbers: int) -> list[Measured]:
    return [one for one in rows if one.draw.number in numbers]


def test_an_arm_with_fewer_draws_has_its_own_points_and_leaves_the_others_as_they_are() -> None:
    words, adapter = measured(law, "words"), few_of(measured(lambda _many: 0.7, "adapter"), 0)
    made = curve(together(words, adapter), LESSONS)
    assert made.points["words"] == curve(words, LESSONS).points["words"]
    assert made.points["adapter"] == curve(adapter, LESSONS).points["adapter"]
    assert [point.draws for point in made.points["words"]] == [5, 5, 5, 5, 5, 1]
    assert [point.draws for point in made.points["adapter"]] == [1] * 6


def test_arms_are_compared_on_the_draws_that_both_have() -> None:
    """On its own draw the adapter is worse with five and better with all; the words' other draws would hide it."""
    rows = {"bad": 0.4, "words": 0.6, "good": 0.8}
    exact = {name: hits(share, random.Random(3)) for name, share in rows.items()}
    words = [
        Measured(Draw(5, 0), 15, {"words": exact["words"]}),
        Measured(Draw(5, 1), 15, {"words": exact["bad"]}),
        Measured(Draw(5, 2), 15, {"words": [False] * MESSAGES}),
        Measured(Draw(0, 0), 800, {"words": exact["words"]}),
    ]
    adapter = [
        Measured(Draw(5, 0), 15, {"adapter": exact["bad"]}),
        Measured(Draw(0, 0), 800, {"adapter": exact["good"]}),
    ]
    [crossing] = curve(together(words, adapter), LESSONS).crossings
    assert (crossing.few, crossing.many, crossing.proven_below, crossing.proven_above) == ("words", "adapter", 5, 0)
    assert crossing.draws == 1
    assert crossing.at == pytest.approx(math.sqrt(5 * len(LESSONS) / 3), rel=0.05), "half way, on a logarithmic scale"


def test_an_arm_that_misses_sizes_is_compared_at_those_it_has() -> None:
    prompted = measured(lambda _many: 0.80, "few-shot")
    learns = measured(lambda many: 0.60 if many < 100 else 0.95, "adapter")
    made = curve(together(prompted, [one for one in learns if one.draw.size in (5, 100)]), LESSONS)
    assert [point.size for point in made.points["adapter"]] == [5, 100]
    [crossing] = made.crossings
    assert (crossing.proven_below, crossing.proven_above, crossing.draws) == (5, 100, 5)
    assert 5 < crossing.at < 100


def test_arms_with_no_draw_in_common_are_not_compared() -> None:
    words = few_of(measured(lambda many: 0.5 if many < 50 else 0.9, "words"), 1)
    adapter = few_of(measured(lambda _many: 0.7, "adapter"), 2)
    made = curve(together(words, adapter), LESSONS)
    assert set(made.points) == {"words", "adapter"} and made.crossings == []


def test_one_draw_a_size_foretells_nothing() -> None:
    found = extrapolated(curve(few_of(measured(law), 0), LESSONS), "words", 300)
    assert found == NotExtrapolated("it was measured on one draw a size, so how much of it is luck is not known")
