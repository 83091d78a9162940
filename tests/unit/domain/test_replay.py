"""Later events show who was right; a question is neither right nor wrong."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.decisions import Author, Decision, Reason
from bot.domain.outcomes import Outcome
from bot.domain.replay import Replayed, compared
from tests.samples import NOW, TASK


def decided(label: str, *candidates: str) -> Decision:
    return Decision("routing", label, Author.MODEL, Reason.CONFIDENT, {label: 0.9}, candidates=candidates)


def one(then: Decision, now: Decision, ended: str, settled: bool = True, minutes: float | None = None) -> Replayed:
    moved = None if minutes is None else NOW + timedelta(minutes=minutes)
    return Replayed(Outcome(1, "words", then, NOW, ended, settled, moved), now)


BILLING, DELIVERY, IT = decided("billing"), decided("delivery"), decided("it")
ASKED = decided("billing", "billing", "it")


def test_gains_losses_and_minutes_are_counted_where_somebody_said_where_it_belongs() -> None:
    made = compared(
        [
            one(BILLING, DELIVERY, "delivery", minutes=30),  # gained
            one(BILLING, DELIVERY, "delivery", minutes=10),  # gained
            one(BILLING, BILLING, "it", minutes=20),  # still wrong
            one(IT, BILLING, "it"),  # lost
            one(IT, BILLING, "it", settled=False),  # unknown
            one(IT, IT, "it"),
        ],
        TASK.names,
    )
    assert (made.conversations, made.settled, made.elsewhere) == (6, 5, 4)
    assert (made.gained, made.lost, made.right_then, made.right_now) == (2, 1, 2, 3)
    assert (made.minutes_each, made.minutes) == (20.0, 20.0)
    assert dict(made.pairs) == {("billing", "delivery"): 2, ("it", "billing"): 2}


def test_a_question_is_counted_apart() -> None:
    made = compared([one(BILLING, ASKED, "it", minutes=5), one(ASKED, IT, "it"), one(ASKED, IT, "billing")], TASK.names)
    assert (made.asked_then, made.asked_now) == (2, 1)
    assert (made.gained, made.lost) == (1, 1)  # asked instead of wrong; wrong instead of asked


def test_without_a_reassignment_there_are_no_minutes() -> None:
    assert compared([one(IT, IT, "it")], TASK.names).minutes is None
    assert compared([], TASK.names).conversations == 0


def test_what_was_asked_about_was_not_moved() -> None:
    chosen = replace(one(ASKED, IT, "it", minutes=3).outcome)
    assert not chosen.moved


def test_what_is_with_a_team_that_no_longer_exists_is_neither_right_nor_wrong() -> None:
    legal = decided("legal")
    made = compared(
        [
            one(legal, BILLING, "legal"),  # right then, and nothing can be right now
            one(BILLING, IT, "legal", minutes=10),
            one(BILLING, IT, "legal", settled=False),  # nobody said so
            one(legal, BILLING, "billing"),  # gained
        ],
        TASK.names,
    )
    assert (made.conversations, made.elsewhere, made.settled, made.former_teams) == (4, 4, 1, 2)
    assert (made.gained, made.lost, made.right_then, made.right_now) == (1, 0, 0, 1)
