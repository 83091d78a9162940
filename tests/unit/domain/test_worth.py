"""The verdict on fine-tuning: one sentence by a written rule, which may be no."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bot.domain.comparison import MAJORITY, SERVED, WITHOUT, Difference, Figures, bootstrap_interval, mcnemar
from bot.domain.mixture import ADAPTER, WORDS
from bot.domain.paired_tests import Paired
from bot.domain.worth import money, points, verdict

LABELS = ("billing", "it")


def row(arm: str, n: int, gained: int, lost: int, per_1000: float | None = None) -> Figures:
    """An arm that is right where what serves is wrong `gained` times, and wrong where it is right `lost` times."""
    pairs = Paired(n, gained, lost)
    low, high = bootstrap_interval(pairs)
    found = Difference((gained - lost) / n, low, high, mcnemar(pairs), pairs)
    right = 0.9 + found.gain
    return Figures(arm, right, right, {}, None, None, 0, None, None, per_1000, None, None if arm == SERVED else found)


def rows(n: int, **arms: tuple[int, int]) -> Mapping[str, Figures]:
    """What serves, an adapter, and by default arms that are all clearly worse."""
    names = {"common": MAJORITY, "words": WORDS, "without": WITHOUT}
    usual = {"common": (0, n // 2), "words": (0, n // 5), "without": (0, n // 20)}
    found = {names.get(name, name): row(names.get(name, name), n, *split) for name, split in (usual | arms).items()}
    return {**found, ADAPTER: row(ADAPTER, n, 0, 0), SERVED: row(SERVED, n, 0, 0)}


def said(n: int, **arms: tuple[int, int]) -> str:
    return verdict(rows(n, **arms), n, LABELS)


def test_a_proven_gain_over_the_same_voices_is_worth_it() -> None:
    assert said(1000, without=(10, 51)) == "Worth it: +4.1 ± 1.5 points over the same voices without the Llama."


def test_words_that_lose_hardly_anything_end_fine_tuning() -> None:
    assert said(2000, words=(44, 50)) == "Stop fine-tuning: the words alone are as good (-0.3 ± 0.9 points)."


def test_words_that_cost_no_more_are_said_to() -> None:
    known = dict(rows(2000, words=(44, 50)))
    known[WORDS], known[SERVED] = row(WORDS, 2000, 44, 50, 0.001), row(SERVED, 2000, 0, 0, 0.02)
    assert verdict(known, 2000, LABELS).endswith("(-0.3 ± 0.9 points) and cost nothing more.")


def test_words_that_are_proven_worse_are_not_as_good_however_little_they_lose() -> None:
    assert said(5000, words=(0, 20), without=(0, 20)).startswith("Worth it: +0.4 ")


def test_the_same_voices_without_the_model_may_be_as_good_or_better() -> None:
    assert said(2000, without=(5, 5)) == (
        "Stop fine-tuning: the same voices without the Llama are as good (+0.0 ± 0.3 points)."
    )
    assert said(1000, without=(40, 10)) == (
        "Stop fine-tuning: the same voices without the Llama are better by +3.0 ± 1.3 points."
    )


def test_a_wide_interval_says_how_many_messages_would_tell() -> None:
    sentence = said(200, without=(5, 8))
    assert sentence.startswith("Too few messages to tell: the Llama brings +1.5 ± 3.5 points; about ")
    assert sentence.endswith(" messages would show a difference of 1.5 points.")


def test_no_disagreement_on_few_messages_proves_nothing() -> None:
    assert said(100, words=(0, 0), without=(0, 0)).startswith("Too few messages to tell")
    assert said(400, words=(0, 0), without=(0, 0)).startswith("Stop fine-tuning: the words alone")


def test_fewer_than_a_hundred_messages_say_what_they_allow_to_be_said() -> None:
    assert said(60, without=(0, 30)) == (
        "Too few messages to tell: 60 of at least 100; so few say that what serves is right 80% to 95% of the time; "
        "on these the Llama brings +50.0 ± 11.7 points."
    )


def test_one_label_tells_nothing() -> None:
    assert verdict(rows(500), 500, ("it",)).startswith("Nothing to tell: all 500 messages have one label")


def test_without_a_fine_tuned_model_there_is_nothing_to_judge() -> None:
    known = {name: one for name, one in rows(500).items() if name != ADAPTER}
    assert verdict(known, 500, LABELS) == ("There is no fine-tuned model to judge: none takes part in the decisions.")


def test_what_always_says_the_same_may_be_as_good() -> None:
    assert said(5000, common=(22, 20)).startswith("Nothing here is worth it: always giving the commonest label")
    few = said(150, common=(40, 52))
    assert few.startswith("Too few messages to tell: even the commonest label is not proven worse (-8.0 ± ")


def test_somebody_elses_answers_are_named_only_where_they_are_proven_better() -> None:
    known = dict(rows(1000))
    known["gpt-4o"], known["luck"] = row("gpt-4o", 1000, 41, 10, 1.9), row("luck", 1000, 12, 10)
    sentence = verdict(known, 1000, LABELS, ["gpt-4o", "luck"])
    assert sentence.endswith("; gpt-4o would be better by +3.1 ± 1.4 points at $1.90 per 1,000.")
    assert "luck" not in sentence


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (1.9, "USD", "$1.90"),
        (0.00213, "USD", "$0.0021"),
        (0.0, "USD", "$0.00"),
        (0.00002, "USD", "under $0.0001"),
        (2.5, "EUR", "2.50 EUR"),
    ],
)
def test_money_is_written_as_people_write_it(amount: float, currency: str, written: str) -> None:
    assert money(amount, currency) == written


def test_nothing_is_no_negative_nothing() -> None:
    even = row("other", 100, 3, 3).difference
    assert even is not None
    assert points(even, -1).startswith("+0.0 ")


def prompted(name: str, n: int, gained: int, lost: int, per_1000: float | None = None) -> Figures:
    return replace(row(name, n, gained, lost, per_1000), tokens=(300.0, 1.0))


def with_prompted(n: int, *arms: Figures) -> str:
    known = {**rows(n), **{arm.arm: arm for arm in arms}}
    known[SERVED] = row(SERVED, n, 0, 0, 0.02)
    return verdict(known, n, LABELS, [arm.arm for arm in arms])


def test_the_best_prompted_model_is_named_with_its_distance_and_its_price() -> None:
    worse, worst = prompted("gpt 8 retrieved", 1000, 10, 51, 1.9), prompted("gpt zero-shot", 1000, 0, 90, 0.5)
    assert with_prompted(1000, worse, worst).endswith(
        "; gpt 8 retrieved, the best of the prompted models, is worse by 4.1 ± 1.5 points, "
        "at $1.90 against $0.0200 per 1,000."
    )
    assert "is as good (+0.0 ± 0.3 points)" in with_prompted(2000, prompted("gpt zero-shot", 2000, 5, 5))
    unsure = with_prompted(200, prompted("gpt zero-shot", 200, 10, 12))
    assert "is proven neither better nor worse (-1.0 ± " in unsure


def test_the_more_are_compared_the_stricter_the_proof() -> None:
    lucky = prompted("one", 1000, 20, 7)  # p = 0.019
    assert "; one would be better by +1.3 " in with_prompted(1000, lucky)
    others = [prompted(f"other {n}", 1000, 0, 90) for n in range(4)]
    assert "would be better" not in with_prompted(1000, lucky, *others)


def test_of_equally_good_ones_the_cheapest_is_named_and_a_short_one_never() -> None:
    dear, cheap = prompted("dear", 1000, 60, 10, 2.0), prompted("cheap", 1000, 60, 10, 0.5)
    assert "; cheap would be better by +5.0 " in with_prompted(1000, dear, cheap)
    assert "would be better" not in with_prompted(1000, prompted("short", 99, 60, 0))
