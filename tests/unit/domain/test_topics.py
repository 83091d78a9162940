"""Topics are answered with the team, from the team's own."""

from dataclasses import replace

import pytest

from bot.domain.conversations import CardState
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.posts import WrongTeam
from bot.domain.question_posts import on_a_card_of
from bot.domain.question_rules import concluded, of_its_team, read, wrong_answers
from bot.domain.questions import shown
from bot.domain.tasks import Label, Task
from bot.domain.topics import among_its_topics, asked_of, standing_of
from tests.samples import TASK, VOCABULARY, pending, reaction

TOPICS = Task(
    "topic",
    "Which topic?",
    (
        Label("refund", "money back", emoji={"web": "💸"}, title="Refund", team="billing"),
        Label("invoice", "a paper", emoji={"web": "🧾"}, title="Invoice", team="billing"),
        Label("card", "a card", title="Card", team="billing"),
        Label("late", "not there", emoji={"web": "⏳"}, title="Late", team="delivery"),
        Label("broken", "in pieces", title="Broken", team="delivery"),
    ),
    "broken",
)
SAID = {"refund": 0.06, "invoice": 0.03, "card": 0.01, "late": 0.72, "broken": 0.18}
HEARD = Decision("topic", "late", Author.MODEL, Reason.CONFIDENT, SAID)
MOOD = Task("mood", "How?", (Label("upset", "a"), Label("calm", "b")), "calm")


def test_a_topic_is_one_of_its_team_and_what_is_said_of_these_sums_to_1() -> None:
    [answer] = among_its_topics((TOPICS,), (HEARD,), "billing")
    assert answer.label == "refund"
    assert answer.probabilities == pytest.approx({"refund": 0.6, "invoice": 0.3, "card": 0.1})
    assert answer.confidence == pytest.approx(0.6)


def test_a_team_without_topics_and_nobodys_request_have_none_and_other_answers_stay() -> None:
    mood = Decision("mood", "upset", Author.MODEL, Reason.CONFIDENT, {"upset": 0.9, "calm": 0.1})
    for team in ("it", None):
        assert among_its_topics((TOPICS, MOOD), (HEARD, mood), team) == (mood,)
    assert asked_of((TOPICS, MOOD), "it") == (MOOD,)
    assert asked_of((TOPICS, MOOD), "delivery") == (TOPICS, MOOD)


def test_topics_that_nobody_knows_anything_of_are_answered_and_stand_on_no_card() -> None:
    [answer] = among_its_topics((TOPICS,), (replace(HEARD, probabilities={"late": 1.0}),), "billing")
    assert answer.by is Author.FALLBACK and answer.confidence == 0
    assert shown((TOPICS,), (answer,)) == ()


def test_what_was_answered_for_the_team_before_does_not_count() -> None:
    billing = among_its_topics((TOPICS,), (HEARD,), "billing")
    assert standing_of((TOPICS,), billing, "billing") == billing
    assert standing_of((TOPICS,), billing, "delivery") == ()


def test_a_card_shows_topics_of_its_own_team_and_names_only_these_emoji() -> None:
    answers = shown((TOPICS,), among_its_topics((TOPICS,), (HEARD,), "billing"))
    assert [(one.title, one.team) for one in answers] == [("Refund", "billing")]
    assert answers[0].legend == (("web", "💸", "Refund"), ("web", "🧾", "Invoice"))
    assert on_a_card_of("billing", answers) == answers
    assert on_a_card_of("delivery", answers) == ()


def test_a_lead_names_a_topic_of_the_team_that_has_it_and_is_heard_again_once_it_is_back() -> None:
    put = [reaction("🧾")]
    said = [one for sign in put if (one := read(TASK, (TOPICS,), VOCABULARY, sign)) is not None]
    [first] = among_its_topics((TOPICS,), (HEARD,), "billing")
    found = replace(pending(*put), answers=(first,), first_answers=(first,))
    for team, topic, lacks in (("billing", ["invoice"], False), ("delivery", [], True), ("it", [], False)):
        state, answers = concluded((TOPICS,), of_its_team((TOPICS,), found, team), CardState(), said, team)
        assert ([one.label for one in answers], state.lacks_topic) == (topic, lacks)
        assert [one.lead_label.label for one in state.questions if one.lead_label] == topic


def test_the_buttons_after_the_emoji_for_wrong_are_the_other_topics_of_the_team() -> None:
    put = [reaction("👎")]
    said = [one for sign in put if (one := read(TASK, (TOPICS,), VOCABULARY, sign)) is not None]
    found = replace(pending(*put), answers=among_its_topics((TOPICS,), (HEARD,), "billing"))
    [asked] = wrong_answers((TOPICS,), found, said)
    assert asked.content == WrongTeam(("invoice", "card"), question="topic", titles=("Invoice", "Card"))
