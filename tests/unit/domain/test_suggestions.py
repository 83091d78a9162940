"""Suggestions: what a card shows of them, and the weight of similar solved requests."""

from dataclasses import replace

import pytest

from bot.domain.decisions import Author, Decision, Heard, Opinion, Reason, decide
from bot.domain.questions import shown
from bot.domain.suggestions import LOUDEST, SOLVED, SolvedRequest, history_opinion, solved_share
from bot.domain.tasks import Label, Task

PRODUCTS = Task(
    "products",
    "What would help them?",
    (
        Label("course", "We show them how", emoji={"web": "🎓"}, title="Course"),
        Label("backup", "Everything is kept twice", emoji={"web": "💾"}, title="Backup"),
        Label("nothing", "They need an answer alone", emoji={"web": "🙈"}, title="Nothing"),
    ),
    fallback="nothing",
    ask_below=0.5,
    suggests=True,
)
SURE = Decision("products", "course", Author.EXAMPLES, Reason.CONFIDENT, {"course": 0.8, "backup": 0.1, "nothing": 0.1})


def solved(*labels: str, confirmed: bool = True) -> list[SolvedRequest]:
    return [SolvedRequest(label, confirmed, 1.0) for label in labels]


def test_a_card_shows_what_somebody_is_sure_of_with_its_sentence() -> None:
    [answer] = shown([PRODUCTS], [SURE])
    assert (answer.absent, answer.suggests, answer.means) == (False, True, "We show them how")


@pytest.mark.parametrize(
    "said",
    [
        replace(SURE, label="nothing"),
        replace(SURE, label="nothing", by=Author.RULE, reason=Reason.RULE),
        replace(SURE, reason=Reason.UNSURE),
        replace(SURE, reason=Reason.STRANGE),
    ],
)
def test_nothing_is_shown_of_nothing_and_of_a_guess_but_leads_may_add_one(said: Decision) -> None:
    [answer] = shown([PRODUCTS], [said])
    assert answer.absent
    assert [sign for _, sign, _ in answer.legend] == ["🎓", "💾", "🙈"]


def test_that_a_lead_says_nothing_is_shown() -> None:
    [answer] = shown([PRODUCTS], [replace(SURE, label="nothing", by=Author.LEAD, reason=Reason.CORRECTED)])
    assert (answer.absent, answer.means) == (False, "")


def test_no_history_says_nothing_nor_does_one_of_products_that_are_sold_no_more() -> None:
    assert history_opinion(PRODUCTS, []) is None
    assert history_opinion(PRODUCTS, solved("abacus")) is None


def test_what_no_lead_said_counts_half() -> None:
    opinion = history_opinion(PRODUCTS, [*solved("course"), *solved("backup", confirmed=False)])
    assert opinion is not None
    assert opinion.probabilities == pytest.approx({"course": 2 / 3, "backup": 1 / 3})


def test_history_tips_what_is_open_and_outvotes_nothing_that_is_clear() -> None:
    history = history_opinion(PRODUCTS, solved(*["backup"] * 5))
    assert history is not None and history.weight == LOUDEST
    torn = Opinion(Author.EXAMPLES, {"course": 0.45, "backup": 0.40, "nothing": 0.15})
    clear = Opinion(Author.EXAMPLES, {"course": 0.90, "backup": 0.05, "nothing": 0.05})
    tipped = decide(PRODUCTS, [torn, history], may_ask=True)
    assert tipped.label == "backup" and solved_share(tipped) == 1.0
    assert decide(PRODUCTS, [torn], may_ask=True).label == "course"
    assert decide(PRODUCTS, [clear, history], may_ask=True).label == "course"


def test_the_share_is_of_the_very_answer_and_of_no_leads() -> None:
    heard = (Heard(SOLVED, "course", 0.75, 0.2),)
    assert solved_share(replace(SURE, voices=heard)) == 0.75
    assert solved_share(replace(SURE, label="backup", voices=heard)) == 0.0
    assert solved_share(replace(SURE, by=Author.LEAD, voices=heard)) == 0.0
