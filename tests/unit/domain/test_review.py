"""What to look at first, which teams are confused, and which messages on one topic belong to no team."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from bot.domain.decisions import Author, Decision, Reason
from bot.domain.outcomes import Outcome
from bot.domain.review import Why, confusions, groups, queue, unfit
from tests.samples import NOW, TASK

KIN = 0.45
SURE = Decision("routing", "billing", Author.MODEL, Reason.CONFIDENT, {"billing": 0.9})
ASKED = Decision("routing", "billing", Author.MODEL, Reason.UNSURE, {"billing": 0.4}, candidates=("billing", "it"))
DOUBTED = Decision("routing", "triage", Author.FALLBACK, Reason.STRANGE, {"triage": 0.2})


def outcome(n: int, first: Decision = SURE, ended: str | None = None, settled: bool = False) -> Outcome:
    return Outcome(n, f"words {n}", first, NOW, ended or first.label, settled)


def moved(n: int, ended: str) -> Outcome:
    return replace(outcome(n, ended=ended, settled=True), moved_at=NOW + timedelta(minutes=5))


def test_what_is_worth_most_comes_first_and_what_is_settled_does_not_come() -> None:
    outcomes = [
        outcome(1),
        outcome(2, ASKED),
        outcome(3, ASKED, settled=True),
        replace(outcome(4, settled=True), disputed=True),
        replace(outcome(5, settled=True), quarantined=True),
        outcome(6),
        outcome(7, DOUBTED),
        outcome(8, replace(DOUBTED, reason=Reason.WORDLESS)),
    ]
    found = queue(outcomes, {1: 0.8, 6: 0.2, 2: 0.9}, KIN)
    assert [(item.outcome.conversation, item.why) for item in found] == [
        (4, Why.DISPUTED),
        (5, Why.QUARANTINED),
        (6, Why.FAR),
        (7, Why.UNSURE),
        (2, Why.UNSURE),
    ]
    assert [item.nearest for item in found] == [None, None, 0.2, None, 0.9]


def test_pairs_have_their_share_of_what_was_moved_and_their_newest_examples() -> None:
    found = confusions([moved(n, "it") for n in range(6)] + [moved(9, "delivery"), outcome(10), outcome(11, ASKED)])
    assert [(pair.decided, pair.belongs, pair.count, round(pair.share, 2)) for pair in found] == [
        ("billing", "it", 6, 0.86),
        ("billing", "delivery", 1, 0.14),
    ]
    assert [one.conversation for one in found[0].examples] == [5, 4, 3]


def test_what_ended_with_the_fallback_or_is_like_nothing_fits_no_team() -> None:
    there = [
        replace(one, vector=(1.0, 0.0))
        for one in (outcome(1), outcome(2, DOUBTED, settled=True), outcome(3), moved(4, "triage"))
    ]
    found = unfit(TASK, [*there, outcome(5, DOUBTED)], {1: 0.9, 3: 0.1}, KIN)
    assert [one.conversation for one in found] == [2, 3, 4]


def around(*centres: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Texts, each near one of the axes, in every combination."""
    random = np.random.default_rng(3)
    vectors = np.eye(8)[list(centres)] + random.normal(0, 0.12, (len(centres), 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors @ vectors.T, dtype=np.float32)


def test_messages_about_one_thing_are_a_group_and_strays_are_none() -> None:
    topics = [0] * 9 + [1] * 6 + [2, 3, 4] + [5] * 4
    found = groups([outcome(n) for n in range(len(topics))], around(*topics), KIN)
    assert [sorted(one.conversation for one in group.outcomes) for group in found] == [
        list(range(9)),
        list(range(9, 15)),
    ]


def test_too_few_are_no_group() -> None:
    assert groups([outcome(n) for n in range(4)], around(0, 0, 0, 0), KIN) == []
    assert groups([], np.zeros((0, 0), dtype=np.float32), KIN) == []


def test_a_pair_shows_words_that_are_still_there_before_those_that_are_gone() -> None:
    (pair,) = confusions([moved(1, "it"), moved(2, "it"), *(replace(moved(n, "it"), text="") for n in (3, 4, 5))])
    assert [one.conversation for one in pair.examples] == [2, 1, 5]
