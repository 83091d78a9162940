"""What the page is given: words, never markup."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from bot.domain.learning import Cycle, Phase, Verdict
from bot.domain.messages import Message, MessageRef, Person, Place
from bot.domain.ports import Line
from bot.domain.posts import (
    Answer,
    Card,
    Content,
    FollowUp,
    LearningReport,
    Moved,
    Post,
    Question,
    WordsPlease,
)
from bot.platforms.web import render
from bot.platforms.web.render import Object
from tests.fakes_web import TASK

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WORDS = render.Words(TASK, ("en", "pt-BR"), "starter")
CARD = Card(
    conversation=1,
    label="billing",
    excerpt="I was charged twice",
    author="Customer",
    source=MessageRef("web", "customer", "m1"),
    by="model",
    reason="confident",
    confidence=0.94,
    adapter="routing-1",
    legend=(("💰", "billing"), ("📦", "delivery")),
)


def _posted(number: int, content: Content, place: Place, under: int | None = None) -> Line:
    ref = MessageRef("web", place.chat, f"post-{number}")
    return Line(ref, place, NOW, None, Post(place, content, under=under), ())


def _written(text: str, number: str = "m1", thread: str = "m1") -> Line:
    place = Place("web", "customer", thread)
    ref = MessageRef("web", "customer", number)
    return Line(ref, place, NOW, Message(ref, place, Person("web", "customer", "Customer"), text, NOW), None, ())


def _state(*lines: Line) -> Object:
    return render.state(WORDS, lines, {}, NOW)


def _threads(*lines: Line) -> list[list[Object]]:
    people = cast(list[Object], _state(*lines)["people"])
    return [cast(list[Object], thread["lines"]) for thread in cast(list[Object], people[0]["threads"])]


def _answer(content: Content) -> Object:
    return _threads(_posted(1, content, Place("web", "customer", "m1")))[0][0]


def _cards(*lines: Line) -> list[Object]:
    teams = cast(list[Object], _state(*lines)["teams"])
    return cast(list[Object], next(team for team in teams if team["room"] == "billing")["cards"])


def _card(card: Card, *reactions: tuple[str, str]) -> Object:
    return _cards(replace(_posted(7, card, Place("web", "billing")), reactions=reactions))[0]


def test_a_thread_holds_what_was_said_in_it_in_order() -> None:
    answer = _posted(1, Answer("billing", None), Place("web", "customer", "m1"))
    other = _written("another matter", "m2", "m2")
    threads = _threads(_written("I was charged twice"), answer, other, _written("twice!", "m3"))
    assert [[line["text"] for line in lines] for lines in threads] == [
        ["I was charged twice", "Thanks! This is one for billing. It is with them now.", "twice!"],
        ["another matter"],
    ]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (Answer("billing", "pt-PT"), "Obrigado! Isto é com a equipe billing. O pedido já está com ela."),
        (
            Answer("billing", "fi", remembered=True),
            "Thanks! This is one for billing, as with a similar request before.",
        ),
        (Answer("triage", "en", undecided=True), "Thanks! A person at triage will read this and find the right team."),
        (WordsPlease(None), "Hello! Tell me in a few words what you need"),
        (Moved("legal", "en"), "legal has your request now."),
        (Question((), "en", answered="legal", chosen=True), "You chose legal."),
    ],
)
def test_what_the_person_reads(content: Content, text: str) -> None:
    assert str(_answer(content)["text"]).startswith(text)


def test_an_open_question_has_a_button_for_each_candidate_and_one_for_none() -> None:
    line = _answer(Question(("billing", "legal"), "en"))
    assert line["buttons"] == [
        {"value": "0", "text": "billing"},
        {"value": "1", "text": "legal"},
        {"value": "other", "text": "Something else"},
    ]


@pytest.mark.parametrize(
    ("change", "mark", "why"),
    [
        ({}, "Very sure · 94%", "The model chose this (94% sure, routing-1)"),
        ({"confidence": 0.72}, "Fairly sure · 72%", "The model chose this (72% sure, routing-1)"),
        ({"confidence": 0.61, "adapter": None}, "Unsure · 61%", "The model chose this (61% sure, starter)"),
        ({"by": "memory", "reason": "remembered"}, "Remembered", "Remembered from a correction of a similar request"),
        ({"by": "memory", "reason": "model_down"}, "Remembered", "Chosen by similar known requests; the model could"),
        ({"by": "person", "reason": "chosen"}, "Their choice", "The person chose this team"),
        ({"by": "lead", "reason": "corrected"}, "Corrected", "A lead moved it here"),
        ({"by": "model", "reason": "withdrawn"}, "Put back", "A lead's correction was withdrawn"),
        ({"by": "fallback", "reason": "unsure"}, "Please look", "Nobody could decide"),
        ({"by": "fallback", "reason": "not_trained"}, "Please look", "The model could not be asked"),
    ],
)
def test_a_card_says_who_chose_the_team_and_why(change: dict[str, object], mark: str, why: str) -> None:
    card = _card(replace(CARD, **change))  # type: ignore[arg-type]
    assert card["mark"] == mark
    assert str(card["why"]).startswith(why)


def test_a_struck_card_says_where_it_went() -> None:
    assert _card(CARD)["moved"] is None
    assert _card(replace(CARD, moved_to="delivery"))["moved"] == "Moved to delivery"


def test_reactions_show_what_the_lead_put_and_what_each_would_mean() -> None:
    reactions = cast(list[Object], _card(CARD, ("📦", "lead"), ("🎉", "customer"))["reactions"])
    assert reactions == [
        {"emoji": "💰", "label": "billing", "confirms": True, "count": 0, "mine": False},
        {"emoji": "📦", "label": "delivery", "confirms": False, "count": 1, "mine": True},
        {"emoji": "🎉", "label": None, "confirms": False, "count": 1, "mine": False},
    ]


def test_a_follow_up_stands_under_its_card_and_newer_cards_come_first() -> None:
    room = Place("web", "billing")
    follow_up = _posted(9, FollowUp("Customer", "still twice"), room, under=7)
    report = _posted(10, LearningReport("routing", "routing-2", False, ("not proven better",)), room)
    report_line, newer, older = _cards(_posted(7, CARD, room), _posted(8, CARD, room), follow_up, report)
    assert [line["text"] for line in cast(list[Object], older["under"])] == ["still twice"]
    assert (newer["id"], newer["under"]) == ("post-8", [])
    assert report_line["reasons"] == ["Not proven better."]


def test_markup_stays_the_text_it_was() -> None:
    nasty = "<img src=x onerror=alert(1)> &amp; {team} {0}"
    assert _threads(_written(nasty))[0][0]["text"] == nasty
    card = _card(replace(CARD, excerpt=nasty, author=nasty, label="billing"))
    assert (card["excerpt"], card["author"]) == (nasty, f"From {nasty}")


def test_every_room_is_there_when_nothing_was_said() -> None:
    state = _state()
    assert [room["room"] for room in cast(list[Object], state["people"])] == ["customer", "employee"]
    assert [room["room"] for room in cast(list[Object], state["teams"])] == list(TASK.names)
    assert state["examples"] == ["I was charged twice for order L-20418", "My parcel should have come on Monday"]


def test_two_labels_may_share_a_room() -> None:
    shared = tuple(replace(label, deliver_to={"web": Place("web", "desk")}) for label in TASK.labels[:2])
    rooms = render.team_rooms(replace(TASK, labels=(*shared, replace(TASK.labels[2], deliver_to={}))))
    assert {chat: [label.name for label in labels] for chat, labels in rooms.items()} == {
        "desk": ["billing", "delivery"]
    }


def test_a_lesson_ends_with_its_verdict_in_words() -> None:
    cycle = Cycle(1, "routing", "web:lead", Phase.DONE, 1.0, "routing-2", Verdict(False, ("only 7 held-out examples",)))
    shown = render.learning(WORDS, None, cycle, 3)
    assert shown["verdict"] == (
        "Learned, but routing-2 does not serve: the present model stays. Only 7 held-out examples."
    )
    assert (shown["adapter"], shown["promoted"], shown["waiting"]) == (None, False, 3)


def test_a_failed_lesson_says_what_went_wrong() -> None:
    cycle = Cycle(1, "routing", "schedule", Phase.FAILED, 0.2, "routing-2", None, "disk full")
    assert render.learning(WORDS, None, cycle, 0)["verdict"] == "disk full"


def test_nothing_was_learned_yet() -> None:
    assert render.learning(WORDS, None, None, 0)["phase"] is None
