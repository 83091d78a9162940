"""How a card looks in Telegram."""

from dataclasses import replace

import pytest

from bot.domain.messages import Media, MediaKind, MessageRef
from bot.domain.posts import FollowUp
from bot.domain.question_posts import Alert, QuestionAnswer
from tests.unit.platforms.telegram.test_render import CARD, MEDIA, PRIVATE, TEAMS, card, links, marked, say, shown


def test_a_card_says_who_what_why_and_how_to_correct_it() -> None:
    said = say(CARD)
    assert marked(said, "bold") == ["New request for Billing & Co"]
    assert marked(said, "blockquote") == ["I was charged twice"]
    assert marked(said, "italic") == ["The model chose this: very sure (92%, routing-3)"]
    assert "From Ann" in shown(said)
    assert "👀 I am on it  👌 done  👎 wrong team" in shown(said)
    assert "React with: 🤝 Billing & Co  👨‍💻 IT" in shown(said)


def test_a_card_shows_what_became_of_its_conversation() -> None:
    assert "Lee is on it" in shown(say(card(taken_by="Lee")))
    assert "Done" in shown(say(card(taken_by="Lee", done=True)))
    assert "changed their words since · Leads name different teams" in shown(say(card(edited=True, disputed=True)))


def test_a_card_whose_words_were_deleted_shows_none() -> None:
    said = say(card(deleted=True, excerpt="gone words"))
    assert "The person deleted this" in shown(said)
    assert "gone words" not in shown(said)


def test_what_was_said_before_is_folded_away() -> None:
    said = say(card(history=(("Ann", "hello"), ("Lee (billing)", "not ours"))))
    assert marked(said, "expandable_blockquote") == ["So far\nAnn: hello\nLee (billing): not ours"]


def test_a_card_names_the_corrections_it_rests_on_and_what_is_attached() -> None:
    text = shown(say(card(remembered=("a similar one",), media=(MEDIA, Media("slack", "F2", MediaKind.VOICE)))))
    assert "Similar, corrected: a similar one" in text
    assert "Attached: bill.pdf, voice" in text


@pytest.mark.parametrize(("source", "address"), [(TEAMS, ["https://t.me/c/1234567890/77"]), (PRIVATE, [])])
def test_a_card_links_to_where_it_was_said_if_that_has_an_address(source: MessageRef, address: list[str]) -> None:
    assert links(say(card(source=source))) == address
    assert links(say(card(source=MessageRef("telegram", "-1001234567890/45", "77")))) == [
        "https://t.me/c/1234567890/77"
    ]
    assert links(say(card(source=MessageRef("slack", "C1", "1.2")))) == []


def test_a_card_by_the_base_model_names_it() -> None:
    assert "starter" in shown(say(card(adapter=None)))


def test_a_moved_card_is_struck_and_leads_to_where_it_went() -> None:
    said = say(card(moved_to="it", moved_link=TEAMS))
    assert marked(said, "strikethrough") == ["New request for Billing & Co", "I was charged twice"]
    assert "Moved to IT" in shown(said)
    assert links(said) == ["https://t.me/c/1234567890/77"]
    assert "React with" not in shown(said)
    assert links(say(card(moved_to="it", moved_link=MessageRef("slack", "C1", "1.2")))) == []


def test_nobody_is_nameless_and_nothing_said_is_no_quotation() -> None:
    said = say(card(author="", excerpt=" "))
    assert "From someone" in shown(said)
    assert marked(said, "blockquote") == []


def test_what_the_person_deleted_is_not_shown_again() -> None:
    assert shown(say(FollowUp("Ann", "gone", deleted=True))) == "Ann deleted what they had added"


def test_a_card_says_what_was_answered_besides_and_another_room_hears_of_it() -> None:
    calm = QuestionAnswer(
        "sentiment", "upset", "Upset", 0.91, "model", (("telegram", "😡", "Upset"), ("web", "🙂", "Calm")), ("hold",)
    )
    said = say(card(answers=(calm,))).text
    assert "Upset · 91%" in said and "Not Upset? React with: 😡 Upset" in said and "🙂" not in said
    assert "Upset: nothing is sent to the person" in said
    alert = Alert("sentiment", "upset", "Upset", 0.91, "model", "billing", TEAMS)
    assert "Upset · 91%: a request to" in say(alert).text
    assert "I was charged" in say(replace(alert, copies=True, author="Ann", excerpt="I was charged")).text
