"""What the page is given of a team's room: cards, and what is under them."""

from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from bot.domain.decisions import Heard
from bot.domain.messages import Media, MediaKind, MessageRef, Note, Person, Place, choice
from bot.domain.posts import (
    KINDS,
    Answer,
    Card,
    Content,
    Continuation,
    FollowUp,
    Moved,
    Notice,
    Offer,
    Post,
    Question,
    Reply,
    Sent,
    Solved,
    Split,
    What,
    WordsPlease,
    WrongTeam,
)
from bot.domain.queries import TranscriptLine
from bot.domain.question_posts import Alert, QuestionAnswer
from bot.domain.report_posts import Digest, LearningReport, ShadowCard, ShadowExplanation, TrainingProgress
from bot.platforms.web import render
from bot.platforms.web.cards import CARDS, team_room
from bot.platforms.web.words import Object, Words
from tests.fakes_web import TASK, VOCABULARY
from tests.samples import COMPARED

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WORDS = Words(TASK, ("en", "pt-BR"), "starter", VOCABULARY)
ROOM = Place("web", "billing")
SOURCE = MessageRef("web", "customer", "m1")
CARD = Card(
    conversation=1,
    label="billing",
    excerpt="I was charged twice",
    author="Customer",
    source=SOURCE,
    by="model",
    reason="confident",
    confidence=0.94,
    adapter="routing-1",
    legend=(("💰", "billing"), ("📦", "delivery")),
)
LEAD = Person("web", "lead", "Lead")


def _post(number: int, content: Content, under: int | None = 7, answers: str | None = None) -> TranscriptLine:
    told = MessageRef("web", "billing", answers) if answers else None
    post = Post(ROOM, content, under=under, answers=told)
    return TranscriptLine(MessageRef("web", "billing", f"post-{number}"), ROOM, NOW, None, post, ())


def _note(text: str, id: str = "n1", under: str = "post-7") -> TranscriptLine:
    ref = MessageRef("web", "billing", id)
    return TranscriptLine(
        ref, ROOM, NOW, None, None, (), Note(ref, MessageRef("web", "billing", under), LEAD, text, NOW)
    )


def _room(*lines: TranscriptLine) -> list[Object]:
    return cast(list[Object], team_room(WORDS, lines))


def _card(card: Card = CARD, *reactions: tuple[str, str]) -> Object:
    return _room(replace(_post(7, card, None), reactions=reactions))[0]


def _under(*lines: TranscriptLine) -> list[Object]:
    return cast(list[Object], _room(_post(7, CARD, None), *lines)[0]["under"])


# --- the card ---


def test_a_card_says_what_each_voice_said_and_what_nobody_read() -> None:
    voices = (Heard("words", "billing", 0.8, 0.6), Heard("adapter", "delivery", 0.5, 0.4))
    heard = cast(list[str], _card(replace(CARD, voices=voices, left_out=("quote", "signature")))["heard"])
    assert len(heard) == 2
    assert "words" in heard[0] and "0.60" in heard[0] and "0.40" in heard[0]
    assert heard[1] == "Not read: quoted mail, signature"
    assert _card()["heard"] == []


@pytest.mark.parametrize(
    ("change", "mark", "why"),
    [
        ({}, "Very sure · 94%", "The model chose this: very sure (94%, routing-1)"),
        ({"confidence": 0.72}, "Fairly sure · 72%", "The model chose this: fairly sure (72%, routing-1)"),
        ({"confidence": 0.61, "adapter": None}, "Unsure · 61%", "The model chose this: unsure (61%, starter)"),
        ({"by": "memory", "reason": "remembered"}, "Remembered", "Remembered from a correction of a similar request"),
        ({"by": "memory", "reason": "model_down"}, "Remembered", "Chosen by similar known requests; the model could"),
        ({"by": "person", "reason": "chosen"}, "Their choice", "The person chose this team"),
        ({"by": "lead", "reason": "corrected"}, "Corrected", "A lead moved it here"),
        ({"by": "model", "reason": "withdrawn"}, "Put back", "A lead's correction was withdrawn"),
        ({"by": "fallback", "reason": "unsure"}, "Please look", "Nobody could decide"),
        ({"by": "fallback", "reason": "not_trained"}, "Please look", "The model is not trained yet"),
        ({"by": "fallback", "reason": "undeliverable"}, "Please look", "Its team could not be reached"),
        ({"by": "fallback", "reason": "wordless"}, "Please look", "There was nothing to read but what is attached"),
    ],
)
def test_a_card_says_who_chose_the_team_and_why(change: dict[str, object], mark: str, why: str) -> None:
    card = _card(replace(CARD, **change))  # type: ignore[arg-type]
    assert card["mark"] == mark
    assert str(card["why"]).startswith(why)


def test_a_struck_card_says_where_it_went_and_leads_there() -> None:
    assert (_card()["moved"], _card()["link"]) == (None, None)
    there = MessageRef("web", "delivery", "post-9")
    struck = _card(replace(CARD, moved_to="delivery", moved_link=there))
    assert struck["moved"] == "Moved to delivery"
    assert struck["link"] == {"key": "delivery/post-9", "text": "See it there"}


def test_a_card_that_moved_to_another_platform_has_nowhere_to_lead() -> None:
    elsewhere = MessageRef("slack", "C0DELIVERY", "171.001")
    assert _card(replace(CARD, moved_to="delivery", moved_link=elsewhere))["link"] is None


def test_a_card_shows_what_became_of_it() -> None:
    assert _card()["marks"] == []
    taken = _card(replace(CARD, taken_by="Lead", edited=True, disputed=True))
    assert taken["marks"] == [
        "Lead is on it",
        "The person changed their words since",
        "Leads name different teams; nothing is learned from it until they agree",
    ]
    done = _card(replace(CARD, taken_by="Lead", done=True))
    assert (done["marks"], done["done"]) == (["Done"], True)


def test_a_card_whose_words_were_deleted_says_so() -> None:
    card = _card(replace(CARD, excerpt="", deleted=True))
    assert (card["excerpt"], card["deleted"]) == ("The person deleted this", True)
    photo = Media("telegram", "F1", MediaKind.PHOTO)
    assert _card(replace(CARD, excerpt="", media=(photo,)))["excerpt"] == ""


def test_a_card_carries_what_was_said_what_is_remembered_and_what_is_attached() -> None:
    photo = Media("telegram", "F1", MediaKind.PHOTO)
    scan = Media("slack", "F2", MediaKind.DOCUMENT, "scan.pdf", link="javascript:alert(1)")
    card = _card(
        replace(CARD, history=(("Lead", "the third today"),), remembered=("charged 2x",), media=(photo, scan)),
    )
    assert card["history"] == [{"who": "Lead", "what": "the third today"}]
    assert card["remembered"] == ["Similar, corrected: charged 2x"]
    assert card["attached"] == [{"name": "photo", "link": None}, {"name": "scan.pdf", "link": None}]


def test_reactions_show_what_the_lead_put_and_what_each_would_mean() -> None:
    card = _card(CARD, ("📦", "lead"), ("🎉", "customer"), ("👀", "lead"), (choice("legal", "👎"), "lead"))
    assert card["reactions"] == [
        {"emoji": "💰", "label": "billing", "confirms": True, "count": 0, "mine": False},
        {"emoji": "📦", "label": "delivery", "confirms": False, "count": 1, "mine": True},
        {"emoji": "🎉", "label": None, "confirms": False, "count": 1, "mine": False},
    ]
    assert card["handling"] == {
        "take": {"emoji": "👀", "mine": True},
        "done": {"emoji": "✅", "mine": False},
        "wrong": {"emoji": "👎", "mine": False},
    }


def test_an_emoji_that_the_settings_leave_out_is_not_offered() -> None:
    words = replace(WORDS, vocabulary=replace(VOCABULARY, wrong={"slack": "-1"}))
    card = cast(list[Object], team_room(words, [_post(7, CARD, None)]))[0]
    assert cast(Object, card["handling"])["wrong"] is None


# --- what is under it ---


def test_what_the_person_adds_stands_under_the_card_with_what_became_of_it() -> None:
    lines = _under(
        _post(8, FollowUp("Customer", "still twice")),
        _post(9, FollowUp("Customer", "thrice", edited=True)),
        _post(10, FollowUp("Customer", "", deleted=True)),
    )
    assert [(line["title"], line["text"]) for line in lines] == [
        ("Customer added", "still twice"),
        ("Customer added (edited since)", "thrice"),
        ("Customer deleted what they had added", ""),
    ]


def test_a_note_carries_the_offer_to_send_it() -> None:
    [note] = _under(_note("Sorry!"), _post(8, Offer(1, "Customer", "Sorry!"), answers="n1"))
    offer = cast(Object, note["offer"])
    assert (note["kind"], note["author"], note["text"]) == ("note", "Lead", "Sorry!")
    assert (offer["id"], offer["text"]) == ("post-8", "Only your team sees this. Send it to Customer?")
    assert offer["buttons"] == [{"value": "send", "text": "Send"}]
    assert note["send"] == {"emoji": "📤", "mine": False}


def test_a_note_that_is_on_its_way_offers_nothing_more() -> None:
    [note] = _under(_note("Sorry!"), _post(8, Offer(1, "Customer", "Sorry!", sent=True), answers="n1"))
    assert cast(Object, note["offer"])["text"] == "On its way to Customer"
    assert cast(Object, note["offer"])["buttons"] == []


def test_nothing_is_sent_from_under_a_card_that_moved() -> None:
    struck = replace(CARD, moved_to="delivery")
    offer = _post(8, Offer(1, "Customer", "Sorry!"), answers="n1")
    [note] = cast(list[Object], _room(_post(7, struck, None), _note("Sorry!"), offer)[0]["under"])
    assert (note["kind"], note["offer"], note["send"]) == ("note", None, None)


def test_a_note_that_was_sent_says_so_itself() -> None:
    offer = _post(8, Offer(1, "Customer", "Sorry!", sent=True), answers="n1")
    [sent] = _under(_note("Reply: Sorry!"), offer, _post(9, Sent("Sorry!", "Lead", "Customer")))
    assert (sent["kind"], sent["title"], sent["text"]) == ("sent", "Lead sent to Customer ✓", "Sorry!")
    assert sent["failed"] is False
    assert not {"offer", "send"} & set(sent)


def test_a_note_that_could_not_be_delivered_says_why() -> None:
    problem = "the customer blocked the bot"
    [sent] = _under(_note("Sorry!"), _post(9, Sent("Sorry!", "Lead", "Customer", problem)))
    assert (sent["title"], sent["failed"]) == (f"Not delivered to Customer ✗ {problem}", True)


def test_of_two_notes_the_one_that_was_sent_is_told_apart() -> None:
    lines = _under(_note("a stays"), _note("b goes", "n2"), _post(9, Sent("b goes", "Lead", "Customer")))
    assert [(line["kind"], line["text"]) for line in lines] == [("note", "a stays"), ("sent", "b goes")]


def test_a_sent_note_stays_the_sent_one_when_its_words_change() -> None:
    edited = replace(_note("b, corrected", "n2"), edited=True)
    lines = _under(_note("a stays"), edited, _post(9, Sent("b goes", "Lead", "Customer")))
    assert [(line["kind"], line["edited"]) for line in lines] == [("note", False), ("sent", True)]


def test_a_note_that_was_changed_and_went_once_more_is_still_one_line() -> None:
    edited = replace(_note("b, corrected", "n2"), edited=True)
    again = _post(10, Sent("b, corrected", "Lead", "Customer", "the customer blocked the bot"))
    lines = _under(_note("a stays"), edited, _post(9, Sent("b goes", "Lead", "Customer")), again)
    assert [(line["kind"], line.get("failed")) for line in lines] == [("note", None), ("sent", True)]


def test_of_two_notes_with_the_same_words_each_is_sent_once() -> None:
    sent = Sent("ok", "Lead", "Customer")
    lines = _under(_note("ok"), _post(8, sent), _note("ok", "n2"), _post(9, sent))
    assert [line["kind"] for line in lines] == ["sent", "sent"]


def test_what_was_sent_from_elsewhere_stands_by_itself() -> None:
    [line] = _under(_post(9, Sent("Sorry!", "Lee", "Customer")))
    assert (line["kind"], line["title"], line["text"]) == ("sent", "Lee sent to Customer ✓", "Sorry!")


def test_a_deleted_note_says_only_that_there_was_one() -> None:
    [note] = _under(_note(""), _post(8, Offer(1, "Customer", "Sorry!"), answers="n1"))
    assert (note["deleted"], note["text"], note["offer"], note["send"]) == (True, "", None, None)


def test_what_answers_a_note_stands_under_the_same_card() -> None:
    lines = _under(_note("first"), _note("second", "n2", under="n1"))
    assert [line["text"] for line in lines] == ["first", "second"]


def test_the_wrong_team_is_mended_with_a_button_for_each_team_while_the_emoji_stands() -> None:
    wrong = _post(8, WrongTeam(("delivery", "legal")))
    card = replace(_post(7, CARD, None), reactions=(("👎", "lead"),))
    [asked] = cast(list[Object], _room(card, wrong)[0]["under"])
    assert asked["text"] == "Which team does this belong to?"
    assert asked["buttons"] == [{"value": "0", "text": "delivery"}, {"value": "1", "text": "legal"}]
    assert _under(wrong) == []
    [settled] = _under(_post(8, WrongTeam(("delivery", "legal"), "legal")))
    assert (settled["text"], settled["buttons"]) == ("It belongs to legal", [])


@pytest.mark.parametrize("what", What)
def test_every_notice_is_a_sentence(what: What) -> None:
    notice = Notice(what, team="billing", who="Customer", problem="gone", minutes=30)
    [line] = _under(_post(8, notice))
    assert (line["kind"], line["what"]) == ("notice", what.value)
    assert len(str(line["text"]).split()) > 3


def test_a_notice_about_a_card_elsewhere_leads_there() -> None:
    there = MessageRef("web", "billing", "post-7")
    [line] = _room(_post(8, Notice(What.UNTAKEN, team="billing", minutes=60, about=there), None))
    assert line["link"] == {"key": "billing/post-7", "text": "See it there"}
    [line] = _room(_post(8, Notice(What.UNTAKEN, team="billing", about=MessageRef("slack", "C0", "1")), None))
    assert line["link"] is None


# --- the room ---


def test_newer_cards_come_first_each_with_its_own() -> None:
    report = _post(10, LearningReport("routing", "routing-2", False, ("not proven better",)), None)
    lines = [_post(7, CARD, None), _post(8, CARD, None), _post(9, FollowUp("Customer", "still")), _note("hm"), report]
    report_line, newer, older = _room(*lines)
    assert [line["text"] for line in cast(list[Object], older["under"])] == ["still", "hm"]
    assert (newer["id"], newer["under"]) == ("post-8", [])
    assert report_line["reasons"] == ["Not proven better."]


def test_what_stands_under_a_card_that_is_not_shown_any_more_is_not_shown_either() -> None:
    cards = [_post(number, CARD, None) for number in range(100, 100 + CARDS + 1)]
    shown = _room(*cards, _note("old", under="post-100"), _note("lost", "n2", under="post-1"))
    assert len(shown) == CARDS
    assert all(card["under"] == [] for card in shown)


def test_markup_stays_the_text_it_was() -> None:
    nasty = "<img src=x onerror=alert(1)> &amp; {team} {0}"
    card = _card(replace(CARD, excerpt=nasty, author=nasty))
    assert (card["excerpt"], card["author"]) == (nasty, f"From {nasty}")
    assert _under(_note(nasty))[0]["text"] == nasty


def test_there_is_a_line_for_everything_that_is_ever_said() -> None:
    to_person: dict[str, Content] = {
        "Answer": Answer("billing", "en"),
        "Question": Question(("billing",), "en"),
        "WordsPlease": WordsPlease("en"),
        "Moved": Moved("billing", "en"),
        "Reply": Reply("billing", "hi", "en", "Lead"),
        "Solved": Solved("billing", "en"),
        "Split": Split("billing", "en", SOURCE),
    }
    to_team: dict[str, Content] = {
        "Card": CARD,
        "FollowUp": FollowUp("Customer", "more"),
        "Continuation": Continuation("and more", 8, 1, 2),
        "ComparisonReport": COMPARED,
        "Digest": Digest("routing", (1, 0, 3), 4, 1, 1, (("billing", "it"),), (1,), (23,), ("teams",), 2),
        "LearningReport": LearningReport("routing", "routing-2", True, ()),
        "TrainingProgress": TrainingProgress("routing", "routing-3", "training", 40),
        "ShadowCard": ShadowCard("routing", "routing-3", 212, 14, 11),
        "ShadowExplanation": ShadowExplanation("routing-3", 400, 0.91, 0.9, ("not proven",)),
        "Offer": Offer(1, "Customer", "hi"),
        "Sent": Sent("hi", "Lead", "Customer"),
        "WrongTeam": WrongTeam(("legal",)),
        "Notice": Notice(What.LEFT, team="legal"),
        "Alert": Alert("fraud", "suspicious", "Suspicious", 0.9, "model", "billing", None, copies=True, excerpt="hi"),
    }
    assert {*to_person, *to_team} == set(KINDS)
    picture = str(_room(_post(8, COMPARED, None))[0]["picture"])
    assert b64decode(picture.removeprefix("data:image/png;base64,")).startswith(b"\x89PNG")
    place = Place("web", "customer", "m1")
    for content in to_person.values():
        line = TranscriptLine(MessageRef("web", "customer", "post-1"), place, NOW, None, Post(place, content), ())
        people = cast(list[Object], render.state(WORDS, [line], {}, NOW)["people"])
        said = cast(list[Object], cast(list[Object], people[0]["threads"])[0]["lines"])[0]
        assert said["kind"] != "gone"
        assert said["text"]
    for content in to_team.values():
        assert _room(_post(8, content, None))[0]["kind"] != "gone"


def test_a_card_shows_what_was_answered_besides_and_offers_the_other_answers() -> None:
    legend = (("web", "😠", "Upset"), ("web", "🙂", "Calm"), ("slack", "rage", "Upset"))
    answer = QuestionAnswer("sentiment", "upset", "Upset", 0.91, "model", legend, ("first",))
    card = _card(replace(CARD, answers=(answer,)))
    assert cast(list[str], card["marks"])[-2:] == ["Upset · 91%", "Upset: comes before others in lists"]
    offered = {one["emoji"]: (one["label"], one["confirms"]) for one in cast(list[Object], card["reactions"])}
    assert (offered["😠"], offered["🙂"]) == (("Upset", True), ("Calm", False))
    assert "rage" not in offered


def test_a_card_shows_what_could_be_offered_and_offers_what_else_there_is() -> None:
    legend = (("web", "🎓", "Course"), ("web", "🙈", "Nothing"))
    course = QuestionAnswer("products", "course", "Course", 0.8, "model", legend, suggests=True, means="We show them")
    card = _card(replace(CARD, answers=(course,)))
    assert cast(list[str], card["marks"])[-1] == "May suit them: Course · 80%: We show them"
    silent = _card(replace(CARD, answers=(replace(course, absent=True),)))
    assert not any("May suit them" in mark for mark in cast(list[str], silent["marks"]))
    assert {"🎓", "🙈"} <= {one["emoji"] for one in cast(list[Object], silent["reactions"])}
