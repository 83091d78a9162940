"""Further questions: what is answered, what counts, what a card shows, and who is told."""

from dataclasses import replace

import pytest

from bot.domain.consequences import Consequences, Effects
from bot.domain.conversations import StandingAlert
from bot.domain.decisions import Author, Decision, NoPrediction, Opinion, Reason
from bot.domain.guards import Held
from bot.domain.messages import MessageRef, Place
from bot.domain.posts import Card, Post
from bot.domain.question_posts import Alert
from bot.domain.questions import (
    Said,
    alerts_now,
    alerts_of,
    answered,
    counts,
    effects,
    hearing,
    shown,
    with_answers,
    with_held,
)
from bot.domain.tasks import Label, Task
from tests.samples import card, standing

ROOM = Place("web", "security")
LABELS = (
    Label("bad", "fraud", emoji={"web": "🚨"}, title="Bad", consequences=Consequences(tell=(ROOM,), hold=True)),
    Label("good", "anything else"),
)
TASK = Task("fraud", "Is it?", LABELS, "good", ask_below=0.6)
SURE = Decision("fraud", "bad", Author.MODEL, Reason.CONFIDENT, {"bad": 0.9, "good": 0.1})
GUESS = replace(SURE, reason=Reason.UNSURE, probabilities={"bad": 0.55, "good": 0.45})


def says(bad: float) -> Opinion:
    return Opinion(Author.EXAMPLES, {"bad": bad, "good": 1 - bad})


def test_the_likeliest_label_is_the_answer_and_nobody_is_asked() -> None:
    sure, guess = answered(TASK, [says(0.9)]), answered(TASK, [says(0.55)])
    assert sure is not None and (sure.label, sure.reason, sure.candidates) == ("bad", Reason.CONFIDENT, ())
    assert guess is not None and (guess.label, guess.reason, guess.candidates) == ("bad", Reason.UNSURE, ())


@pytest.mark.parametrize("reason", [None, Reason.MODEL_DOWN])
def test_who_is_silent_now_is_asked_again(reason: Reason | None) -> None:
    assert answered(TASK, [NoPrediction(reason)]) is None
    heard = answered(TASK, [NoPrediction(reason), says(0.9)])
    assert heard is not None and heard.label == "bad", "where others speak, they decide"


@pytest.mark.parametrize("reason", [Reason.NOT_TRAINED, Reason.NOT_READ])
def test_what_nobody_can_ever_say_is_the_fallbacks_and_not_shown(reason: Reason) -> None:
    answer = answered(TASK, [NoPrediction(reason)])
    assert answer is not None and (answer.label, answer.by) == ("good", Author.FALLBACK)
    assert shown([TASK], [answer]) == () and not counts(answer)


def test_nothing_follows_from_a_guess_and_much_from_a_leads_word() -> None:
    assert effects([TASK], [SURE]) == Effects(hold=True)
    assert effects([TASK], [GUESS]) == Effects()
    assert effects([TASK], [Decision("fraud", "bad", Author.LEAD, Reason.CORRECTED)]) == Effects(hold=True)
    assert effects([], [SURE]) == Effects(), "a question that the settings have no more means nothing"
    assert effects([TASK], [replace(SURE, label="gone")]) == Effects()


def test_a_rule_does_not_guess() -> None:
    by_rule = Decision("fraud", "bad", Author.RULE, Reason.RULE, rule="vips")
    assert effects([TASK], [by_rule]) == Effects(hold=True)
    assert [(one.title, one.by) for one in shown([TASK], [by_rule])] == [("Bad", "rule")]


def test_a_card_shows_the_answers_in_the_order_of_the_settings() -> None:
    mood = replace(TASK, name="mood")
    answers = [SURE, replace(SURE, task="mood", label="good", probabilities={"good": 0.7})]
    assert [(one.task, one.title) for one in shown([mood, TASK], answers)] == [("mood", "good"), ("fraud", "Bad")]
    [seen] = shown([TASK], [SURE], {"fraud": Said(disputed=True, looked=True)})
    assert (seen.follows, seen.disputed) == (("tell",), True)
    [unseen] = shown([TASK], [SURE])
    assert unseen.follows == ("hold", "tell") and unseen.legend == (("web", "🚨", "Bad"),)


def test_the_answers_stand_on_every_card_that_counts_and_a_card_is_not_rewritten_for_nothing() -> None:
    answers = shown([TASK], [SURE])
    struck, fresh = Post(ROOM, card_(moved_to="it"), edits=3), Post(ROOM, card_())
    old, new = with_answers([struck, fresh], standing(), answers)
    assert [post.content.answers for post in (old, new) if isinstance(post.content, Card)] == [(), answers]
    [rewritten] = with_answers([], standing(), answers)
    assert rewritten.edits == standing().post
    assert with_answers([], standing(card_(answers=answers)), answers) == []
    assert with_answers([], None, answers) == []


def test_why_a_correction_teaches_nobody_is_said_of_its_own_question() -> None:
    there = standing(card_(answers=shown([TASK], [SURE])))
    [post] = with_held([], there, {"fraud": Held.TOO_MANY})
    assert isinstance(post.content, Card) and post.content.answers[0].held == "too_many"
    assert with_held([], there, {"mood": Held.TOO_MANY}) == with_held([], there, {"fraud": Held.DISPUTED}) == []


def test_rooms_hear_of_it_once_the_card_stands_and_hear_when_it_is_no_longer_so() -> None:
    there = standing(card_(answers=shown([TASK], [SURE])))
    [told] = alerts_of(there.card, there.ref)
    assert isinstance(told.content, Alert) and (told.place, told.content.card) == (ROOM, there.ref)
    known = (StandingAlert(9, ROOM, told.content),)
    assert alerts_now(there, known, there.card.answers, "billing") == []
    [withdrawn] = alerts_now(there, known, shown([TASK], [GUESS]), "billing")
    assert (withdrawn.edits, withdrawn.content) == (9, replace(told.content, withdrawn=True))
    assert alerts_now(replace(there, ref=None), (), there.card.answers, "billing") == [], (
        "then the card's receipt brings it"
    )


def test_rooms_that_heard_read_which_team_has_it_now_and_where_its_card_is() -> None:
    there = standing(card_(answers=shown([TASK], [SURE])))
    [told] = alerts_of(there.card, there.ref)
    assert isinstance(told.content, Alert)
    known = (StandingAlert(9, ROOM, told.content),)
    [moved] = alerts_now(there, known, there.card.answers, "it")
    assert (moved.edits, moved.content) == (9, replace(told.content, team="it"))
    beside = replace(there, ref=MessageRef("web", "it", "post-30"))
    [linked] = alerts_now(beside, known, there.card.answers, "it")
    assert linked.content == replace(told.content, team="it", card=beside.ref)
    gone = (StandingAlert(9, ROOM, replace(told.content, withdrawn=True)),)
    assert alerts_now(beside, gone, shown([TASK], [GUESS]), "it") == [], "what no longer counts is left as it is"


def card_(**changes: object) -> Card:
    return replace(card(), **changes)  # type: ignore[arg-type]


def test_rooms_that_hear_are_known_by_the_settings_that_name_them() -> None:
    room, copies = Place("slack", "C0SECURITY"), Place("web", "auditors")
    follows = Consequences(tell=(room,), also_to=(copies,))
    fraud = Task("fraud", "?", (Label("yes", "a", consequences=follows), Label("no", "b")), "no")
    assert hearing((fraud,)) == {
        "tasks.fraud.labels.yes.tell.slack": room,
        "tasks.fraud.labels.yes.also_to.web": copies,
    }
