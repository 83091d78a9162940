"""What the page sends, read as facts."""

from datetime import UTC, datetime

import pytest

from bot.domain.errors import UsageError
from bot.domain.messages import Message, MessageRef, Person, Place, Press, Reaction
from bot.platforms.web import events

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ROOMS = ("customer", "employee", "billing")
CUSTOMER = Person("web", "customer", "Customer", "pt-BR")


def test_a_message_opens_a_thread_of_its_own() -> None:
    message = events.to_message({"room": "customer", "text": " Olá, fui cobrado duas vezes ", "id": "m1"}, NOW, "pt-BR")
    place = Place("web", "customer", "m1")
    assert message == Message(MessageRef("web", "customer", "m1"), place, CUSTOMER, "Olá, fui cobrado duas vezes", NOW)


def test_a_reply_joins_its_thread() -> None:
    message = events.to_message({"room": "employee", "text": "and more", "id": "m2", "thread": "m1"}, NOW, None)
    assert message.place == Place("web", "employee", "m1")
    assert message.author == Person("web", "employee", "Employee")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\x00b", "ab"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        ("🙂", "🙂"),
        ("\u202eمرحبا", "\u202eمرحبا"),
        ("e\u0301", "é"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("x" * 8_000, "x" * 8_000),
    ],
)
def test_strange_text_is_kept_storable(text: str, kept: str) -> None:
    assert events.to_message({"room": "customer", "text": text, "id": "m"}, NOW, None).text == kept


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"text": ""}, "write a few words"),
        ({"text": " \n\x00 "}, "write a few words"),
        ({"text": 7}, "“text” is missing"),
        ({"text": "x" * 100_000}, "That is 100,000 characters; please send at most 8,000"),
        ({"room": "billing"}, "people write in customer and employee"),
        ({"room": None}, "“room” is missing"),
        ({"id": "post-1"}, "must not begin with post-"),
        ({"id": "a b"}, "“id” must be 1 to 64"),
        ({"id": "x" * 65}, "“id” must be 1 to 64"),
        ({"thread": "\ud800"}, "“thread” must be 1 to 64"),
    ],
)
def test_bad_input_is_answered_with_a_sentence(change: dict[str, object], sentence: str) -> None:
    body = {"room": "customer", "text": "hello there", "id": "m1"} | change
    with pytest.raises(UsageError, match=sentence):
        events.to_message(body, NOW, None)


@pytest.mark.parametrize("body", [None, [], "text", 7])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(UsageError, match="one JSON object"):
        events.to_message(body, NOW, None)


def test_a_reaction_is_read_in_its_normal_form() -> None:
    body = {"ref": {"room": "billing", "id": "post-7"}, "emoji": "⚖️", "added": False, "actor": "lead"}
    ref = MessageRef("web", "billing", "post-7")
    assert events.to_reaction(body, ROOMS, NOW) == Reaction(ref, Person("web", "lead", "Lead"), "⚖", False, NOW)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"ref": None}, "which message is it"),
        ({"ref": {"room": "attic", "id": "1"}}, "no such room"),
        ({"actor": "boss"}, "there are customer, employee, lead"),
        ({"emoji": "moneybag"}, "write one emoji"),
        ({"added": "yes"}, "true or false"),
    ],
)
def test_a_bad_reaction_is_answered_with_a_sentence(change: dict[str, object], sentence: str) -> None:
    body = {"ref": {"room": "billing", "id": "post-7"}, "emoji": "💰", "added": True, "actor": "lead"} | change
    with pytest.raises(UsageError, match=sentence):
        events.to_reaction(body, ROOMS, NOW)


def test_a_button_is_pressed_by_the_person_whose_room_it_is_in() -> None:
    press = events.to_press({"ref": {"room": "employee", "id": "post-3"}, "value": "other"}, NOW)
    assert press == Press(MessageRef("web", "employee", "post-3"), Person("web", "employee", "Employee"), "other", NOW)


def test_there_are_no_buttons_in_team_rooms() -> None:
    with pytest.raises(UsageError, match="no buttons"):
        events.to_press({"ref": {"room": "billing", "id": "post-3"}, "value": "0"}, NOW)


@pytest.mark.parametrize(
    ("header", "language"), [("pt-BR,pt;q=0.9", "pt-BR"), ("es", "es"), ("*", None), (None, None), ("x\x00,", None)]
)
def test_the_browsers_first_language_counts(header: str | None, language: str | None) -> None:
    assert events.spoken(header) == language
