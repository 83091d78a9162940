"""Who is owed what when something was decided."""

from dataclasses import replace

from bot.domain import compose
from bot.domain.conversations import Conversation, Next, StandingCard, State
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.learning import Verdict
from bot.domain.messages import Place
from bot.domain.posts import Answer, Card, FollowUp, LearningReport, Moved, Question
from tests.samples import CUSTOMER, NOW, TASK, case, message

BILLING = Decision("routing", "billing", Author.MODEL, Reason.CONFIDENT, {"billing": 0.9}, "routing-1")
TO_IT = Decision("routing", "it", Author.LEAD, Reason.CORRECTED, actor="web:lead")


def test_the_person_hears_the_team_and_the_team_gets_the_card() -> None:
    answer, card = compose.routed(TASK, case("charged twice"), BILLING, "charged twice")
    assert answer.content == Answer("billing", "en")
    assert answer.place == Place("web", "customer", "1")
    assert card.place == Place("web", "billing")
    assert isinstance(card.content, Card)
    assert card.content.legend == (("💰", "billing"), ("📦", "delivery"), ("💻", "it"), ("🧭", "triage"))


def test_a_card_shows_the_beginning_of_a_long_text() -> None:
    *_, card = compose.routed(TASK, case("x" * 5000), BILLING, "x" * 5000)
    assert isinstance(card.content, Card)
    assert len(card.content.excerpt) == compose.EXCERPT


def test_an_open_question_loses_its_buttons() -> None:
    asked = replace(case("hmm", asked=True, state=State.ASKED), question=31)
    closing, *_ = compose.routed(TASK, asked, BILLING, "hmm")
    assert (closing.edits, closing.content) == (31, Question((), "en", answered="billing"))


def test_a_move_strikes_the_old_card_posts_a_new_one_and_tells_the_person_once() -> None:
    conversation = Conversation(7, Place("web", "customer", "1"), CUSTOMER, State.ROUTED, NOW, label="billing")
    _, posted = compose.routed(TASK, case("vpn is down"), BILLING, "vpn is down")
    assert isinstance(posted.content, Card)
    standing = StandingCard(12, posted.place, posted.content)
    struck, card, person = compose.moved(TASK, conversation, standing, TO_IT)
    assert isinstance(struck.content, Card)
    assert (struck.edits, struck.content.moved_to) == (12, "it")
    assert card.place == Place("web", "it")
    assert person.content == Moved("it", "en")


def test_words_are_asked_for_once_a_conversation() -> None:
    silent = case("hi")
    assert len(compose.words_please(silent)) == 1
    again = replace(silent, conversation=replace(silent.conversation, asked_for_words=True))
    assert compose.words_please(again) == []


def test_what_comes_later_goes_under_the_card_and_never_to_the_person() -> None:
    conversation = Conversation(7, Place("web", "customer", "1"), CUSTOMER, State.ROUTED, NOW, label="billing")
    _, posted = compose.routed(TASK, case("charged twice"), BILLING, "charged twice")
    assert isinstance(posted.content, Card)
    said = Next(message("it was yesterday", "2"), conversation, StandingCard(12, posted.place, posted.content))
    [follow_up] = compose.followed_up(said)
    assert follow_up.content == FollowUp("Cleo", "it was yesterday")
    assert (follow_up.place, follow_up.under) == (Place("web", "billing"), 12)


def test_a_label_without_a_room_is_reached_through_the_fallback() -> None:
    roomless = replace(TASK, labels=(replace(TASK.labels[0], deliver_to={}), *TASK.labels[1:]))
    _, card = compose.routed(roomless, case("charged twice"), BILLING, "charged twice")
    assert card.place == Place("web", "triage")


def test_leads_hear_the_verdict_in_the_fallback_teams_room() -> None:
    [post] = compose.learned(TASK, "routing-2", Verdict(True, ("better",)))
    assert post.place == Place("web", "triage")
    assert post.content == LearningReport("routing", "routing-2", True, ("better",))
