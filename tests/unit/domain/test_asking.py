"""The threshold keeps the promised share, with a margin for the number of texts, or reports that it cannot."""

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bot.domain.asking import USUAL, Record, ask_below, in_words, record, serving
from bot.domain.decisions import Author, Opinion, Reason, decide
from bot.domain.hours import hours
from bot.domain.memory_vote import Neighbour, Neighbours, memory_opinion
from bot.domain.tasks import Label, Task
from tests.samples import TASK

PROMISING = replace(TASK, ask_below=None)
NIGHT, NOON = datetime(2026, 11, 25, 2, 0, tzinfo=UTC), datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAYTIME = hours("Mon-Fri 09:00-17:00", "UTC")


def counted(*rows: tuple[float, int, int], label: str = "billing", language: str = "") -> Record:
    """(probability, decisions, right ones)."""
    return Record(tuple((label, int(p * 50), made, right, language) for p, made, right in rows))


def test_the_lowest_threshold_that_keeps_the_promise_is_taken() -> None:
    kept = counted((0.95, 200, 200), (0.75, 100, 97), (0.55, 100, 60)).keeps(0.95)
    assert kept is not None
    assert (kept.ask_below, kept.right, kept.covered, kept.n) == (0.56, 297 / 300, 0.75, 400)


@pytest.mark.parametrize(("right", "of", "shown"), [(45, 45, True), (44, 44, False), (77, 78, True), (75, 76, False)])
def test_of_few_texts_more_have_to_be_right(right: int, of: int, shown: bool) -> None:
    """One-sided 90 % Clopper-Pearson: .1 ** (1 / 45) is .9501, .1 ** (1 / 44) is .9490."""
    assert (counted((0.9, of, right)).keeps(0.95) is not None) == shown
    both_sides = stats.binomtest(right, of).proportion_ci(0.8, method="exact")  # type: ignore[attr-defined]
    exact = both_sides.low
    assert (exact >= 0.95) == shown


def test_more_is_promised_less_is_covered() -> None:
    proved = counted((0.97, 400, 400), (0.85, 400, 380), (0.65, 400, 340))
    found = [proved.keeps(wanted) for wanted in (0.85, 0.93, 0.98)]
    assert [kept and kept.ask_below for kept in found] == [0.5, 0.66, 0.86]
    assert [kept and round(kept.covered, 2) for kept in found] == [1.0, 0.67, 0.33]


def test_what_is_less_likely_than_all_others_together_is_never_decided_unasked() -> None:
    kept = counted((0.30, 1_000, 1_000)).keeps(0.95)
    assert kept is None


@pytest.mark.parametrize("proved", [None, Record()])
def test_where_nothing_is_known_the_usual_counts_and_it_says_so(proved: Record | None) -> None:
    assert ask_below(PROMISING, "billing", proved) == USUAL == 0.60
    assert "asks below 0.60, as usual" in in_words(PROMISING, proved)
    assert "cannot show 95% right unasked" in in_words(PROMISING, proved)


def test_a_few_texts_move_the_usual_threshold_a_little_and_it_says_that_they_show_nothing_yet() -> None:
    few = counted((0.97, 20, 20), (0.75, 10, 4))
    assert ask_below(PROMISING, "billing", few) == pytest.approx(USUAL + 0.2 * (0.76 - USUAL), abs=0.01)
    assert in_words(PROMISING, few) == (
        "asks below 0.64, not yet shown to keep 95% right: 80% right, 100% covered, of 30 messages"
    )


def test_one_text_more_never_moves_the_threshold_far() -> None:
    """Calibrated probabilities, one text after another: the threshold that the texts alone show jumps from none."""
    random = np.random.default_rng(3)
    sure = random.beta(6, 1.2, 400)
    hits = random.random(400) < sure
    said = [{"a": p, "b": 1 - p} for p in sure]
    truth = ["a" if hit else "b" for hit in hits]
    found = [ask_below(PROMISING, "a", record(said[:n], truth[:n])) for n in range(1, 401)]
    moves = np.abs(np.diff(found))
    assert moves.mean() < 0.005
    assert np.abs(np.diff([0.60, *found]))[:150].max() < 0.1
    alone = [kept.ask_below if (kept := record(said[:n], truth[:n]).keeps(0.95)) else 0.60 for n in range(1, 401)]
    assert np.abs(np.diff(alone)).max() > 0.3, "so many texts are needed to see the difference"


def test_voices_that_are_sure_and_wrong_are_asked_about_and_the_surest_still_decide() -> None:
    boastful = counted((0.99, 500, 400))
    assert ask_below(PROMISING, "billing", boastful) == 0.98
    assert "not yet shown to keep 95% right" in in_words(PROMISING, boastful)


def test_leads_read_the_promise_and_its_cost() -> None:
    proved = counted((0.95, 200, 198), (0.75, 40, 20))
    assert in_words(PROMISING, proved) == (
        "asks below 0.76, as the promise of 95% needs: 99% right, 83% covered, of 240 messages"
    )


def test_a_threshold_by_hand_is_kept_and_what_comes_of_it_is_shown() -> None:
    by_hand, proved = replace(TASK, ask_below=0.80), counted((0.95, 200, 198), (0.75, 40, 20))
    assert ask_below(by_hand, "billing", proved) == 0.80
    assert in_words(by_hand, proved) == (
        "asks below 0.80, as the settings say: 99% right, 83% covered, of 240 messages"
    )
    assert in_words(by_hand, None) == "asks below 0.80, as the settings say"
    assert serving(by_hand, None) is None


def test_a_team_may_promise_more_on_its_own_record() -> None:
    careful = replace(
        PROMISING, labels=tuple(replace(one, unasked_right=0.99 if one.name == "it" else None) for one in TASK.labels)
    )
    rest = counted((0.95, 400, 392), (0.65, 100, 99))
    own = counted((0.95, 300, 300), (0.65, 100, 90), label="it")
    proved = Record(rest.rows + own.rows)
    assert ask_below(careful, "billing", proved) == 0.50
    assert ask_below(careful, "it", proved) == 0.66
    assert in_words(careful, proved).endswith("; it below 0.66")


ENGLISH = counted((0.95, 400, 396), (0.65, 100, 98), language="en")
MANY = Record(tuple((label, step, made * 5, right * 5, of) for label, step, made, right, of in ENGLISH.rows))


def test_a_language_whose_record_refutes_the_promise_asks_sooner_and_one_that_is_read_better_later() -> None:
    spanish = counted((0.95, 300, 296), (0.65, 100, 60), language="es")
    proved = Record(ENGLISH.rows + spanish.rows)
    assert ask_below(PROMISING, "billing", proved, "fr") == ask_below(PROMISING, "billing", proved) == 0.66
    assert ask_below(PROMISING, "billing", proved, "en") == 0.50
    assert ask_below(PROMISING, "billing", proved, "es") == 0.66
    assert in_words(PROMISING, proved).endswith("of 900 messages; en below 0.50")
    among = Record(MANY.rows + spanish.rows)
    assert ask_below(PROMISING, "billing", among, "fr") == 0.50
    assert ask_below(PROMISING, "billing", among, "es") == 0.66


def test_a_language_that_is_read_as_well_as_all_does_not_ask_sooner_because_it_has_fewer_texts() -> None:
    spoken = [counted((0.95, 45, 45), (0.75, 10, 9), language=of) for of in ("en", "es", "pt", "fr", "de")]
    proved = Record(tuple(row for one in spoken for row in one.rows))
    together = ask_below(PROMISING, "billing", proved)
    alone = spoken[0].keeps(0.95)
    assert alone is not None and alone.ask_below > together
    assert {ask_below(PROMISING, "billing", proved, of) for of in ("en", "es", "pt")} == {together}


@pytest.mark.parametrize(
    ("rows", "below"),
    [
        ([(0.95, 30, 30), (0.65, 20, 10)], 0.66),
        ([(0.95, 30, 18)], 0.96),
        ([(0.95, 10, 9)], 0.50),
        ([(0.95, 9, 1)], 0.50),
        ([(0.99, 90, 60)], 1.0),
    ],
)
def test_a_short_record_cannot_show_the_promise_and_may_refute_it(
    rows: list[tuple[float, int, int]], below: float
) -> None:
    """Then the whole's threshold is used, or the lowest one above it that no evidence contradicts."""
    proved = Record(MANY.rows + counted(*rows, language="es").rows)
    assert ask_below(PROMISING, "billing", MANY, "es") == 0.50
    assert ask_below(PROMISING, "billing", proved, "es") == pytest.approx(below)


def test_a_label_with_a_promise_of_its_own_asks_sooner_where_a_language_refutes_it() -> None:
    careful = replace(PROMISING, labels=tuple(replace(one, unasked_right=0.99) for one in TASK.labels))
    own = counted((0.95, 500, 500), (0.75, 100, 90), language="en")
    spanish = counted((0.95, 200, 199), (0.85, 100, 80), label="it", language="es")
    proved = Record(own.rows + spanish.rows)
    assert ask_below(careful, "billing", proved, "en") == ask_below(careful, "billing", proved) == 0.76
    assert ask_below(careful, "billing", proved, "es") == 0.86


def test_a_record_counts_answers_by_language() -> None:
    proved = record([{"a": 0.9}, {"a": 0.9}, {"a": 0.9}], ["a", "b", "a"], ["es", "en", None])
    assert proved.rows == (("a", 45, 1, 1, ""), ("a", 45, 1, 0, "en"), ("a", 45, 1, 1, "es"))
    assert proved.written_in("en").n == 1
    assert proved.written_in(None).n == proved.written_in("pt").n == 0


def test_a_record_counts_answers_by_label_and_sureness() -> None:
    said = [{"a": 0.9, "b": 0.1}, {"a": 0.91, "b": 0.09}, {"a": 0.2, "b": 0.8}, {"a": 1.0, "b": 0.0}]
    proved = record(said, ["a", "b", "b", "a"])
    assert proved.rows == (("a", 45, 2, 1, ""), ("a", 49, 1, 1, ""), ("b", 40, 1, 1, ""))
    assert Record.read([list(row) for row in proved.rows]) == proved
    assert Record.read([row[:4] for row in proved.rows]) == proved, "as it was stored before languages were counted"
    assert Record.read(None) is None


@pytest.mark.parametrize("stored", [[["a", 1, 2]], [["a", "x", 1, 1]], [[]], [["a", 1, 2, 1, "en", 5]]])
def test_what_is_no_record_is_refused(stored: list[list[object]]) -> None:
    with pytest.raises(ValueError, match=r"not enough|too many|invalid literal"):
        Record.read(stored)


@given(st.lists(st.tuples(st.integers(0, 49), st.integers(1, 300), st.floats(0, 1)), max_size=20), st.floats(0.5, 0.99))
def test_what_is_shown_always_holds_where_it_was_fitted(rows: list[tuple[int, int, float]], wanted: float) -> None:
    proved = Record(tuple(("a", step, made, round(made * share), "en") for step, made, share in rows))
    kept = proved.keeps(wanted)
    if kept is not None:
        assert kept.right >= wanted
        assert kept == proved.at(kept.ask_below)


def test_the_promise_is_kept_on_texts_that_nobody_fitted_on() -> None:
    """Calibrated probabilities, slices of 200 texts: the share that is right beyond the slice, over 200 draws."""
    random = np.random.default_rng(0)
    kept_its_word, shares = 0, []
    for _ in range(200):
        sure = random.beta(4, 1, 200)
        hit = random.random(200) < sure
        proved = record(({"a": p, "b": 1 - p} for p in sure), ["a" if one else "b" for one in hit])
        kept = proved.keeps(0.90)
        if kept is None:
            continue
        whole = np.linspace(kept.ask_below, 1, 2_000)
        density = whole**3
        share = float((whole * density).sum() / density.sum())
        shares.append(share)
        kept_its_word += share >= 0.90
    assert len(shares) > 100
    assert kept_its_word / len(shares) > 0.8
    assert math.fsum(shares) / len(shares) > 0.90


# --- in a decision ---

SURE = Opinion(Author.MODEL, {"billing": 0.70, "delivery": 0.20, "it": 0.05, "triage": 0.05}, adapter="routing-1")
KNOWN = memory_opinion(Neighbours(anchors=(Neighbour(1, "billing", 0.8),)))


@pytest.mark.parametrize(
    ("proved", "asks"),
    [(counted((0.95, 200, 200), (0.75, 100, 70)), True), (counted((0.95, 200, 200), (0.65, 100, 99)), False)],
)
def test_the_fitted_threshold_decides_whether_a_person_is_asked(proved: Record, asks: bool) -> None:
    made = decide(PROMISING, [replace(SURE, proved=proved), KNOWN], may_ask=True)
    assert bool(made.candidates) == asks
    assert made.reason is (Reason.UNSURE if asks else Reason.CONFIDENT)


def test_what_the_memory_decides_is_held_to_the_usual() -> None:
    strict = replace(SURE, proved=counted((0.99, 200, 200), (0.9, 200, 100)))
    corrections = (Neighbour(42, "it", 0.75), Neighbour(43, "delivery", 0.71))
    found = Neighbours(corrections, (Neighbour(1, "billing", 0.5),))
    made = decide(PROMISING, [strict, memory_opinion(found)], may_ask=True)
    assert made.by is Author.MEMORY
    assert 0.60 < made.confidence < 0.98
    assert made.candidates == ()


TORN = Opinion(Author.MODEL, {"billing": 0.4, "delivery": 0.3, "it": 0.2, "triage": 0.1}, adapter="routing-1")


def closed_at_night(*names: str) -> Task:
    return replace(
        TASK, labels=tuple(replace(one, hours=DAYTIME if one.name in names else None) for one in TASK.labels)
    )


def test_nobody_is_asked_where_none_of_the_likely_teams_is_there() -> None:
    task = closed_at_night("billing", "delivery", "it")
    made = decide(task, [TORN, KNOWN], may_ask=True, now=NIGHT)
    assert (made.label, made.by, made.reason) == ("triage", Author.FALLBACK, Reason.OUT_OF_HOURS)
    assert (made.candidates, made.probabilities["billing"]) == ((), 0.4)
    assert decide(task, [TORN, KNOWN], may_ask=True, now=NOON).candidates == ("billing", "delivery", "it")
    assert decide(task, [TORN, KNOWN], may_ask=True).candidates, "a question on the command line has no hours"


def test_one_likely_team_that_is_there_is_enough_to_ask() -> None:
    made = decide(closed_at_night("billing", "delivery"), [TORN, KNOWN], may_ask=True, now=NIGHT)
    assert made.candidates == ("billing", "delivery", "it")


def test_a_sure_decision_goes_to_its_team_at_any_hour() -> None:
    sure = replace(SURE, probabilities={"billing": 0.97, "it": 0.03})
    made = decide(closed_at_night("billing", "delivery", "it"), [sure, KNOWN], may_ask=True, now=NIGHT)
    assert (made.label, made.reason) == ("billing", Reason.CONFIDENT)


def test_teams_without_hours_are_always_there() -> None:
    assert Label("a", "a").open_at(NIGHT)
    assert not Label("a", "a", hours=DAYTIME).open_at(NIGHT)


def test_the_language_of_a_text_decides_by_which_record_it_is_held() -> None:
    spanish = counted((0.95, 300, 296), (0.75, 100, 75), language="es")
    opinions = [replace(SURE, proved=Record(ENGLISH.rows + spanish.rows)), KNOWN]
    assert decide(PROMISING, opinions, may_ask=True, language="en").reason is Reason.CONFIDENT
    made = decide(PROMISING, opinions, may_ask=True, language="es")
    assert (made.reason, made.language) == (Reason.UNSURE, "es")
