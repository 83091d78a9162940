"""What the page sends, read as facts."""

from datetime import UTC, datetime

import pytest

from bot.domain.errors import UsageError
from bot.domain.messages import Deletion, Edit, Message, MessageRef, Note, Person, Place, Press, Reaction
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
        ({"text": "x" * 100_000}, "That is 100,000 characters; please send at most 40,000"),
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


def test_a_button_in_a_persons_room_is_pressed_by_that_person_and_in_a_teams_by_the_lead() -> None:
    press = events.to_press({"ref": {"room": "employee", "id": "post-3"}, "value": "other"}, ROOMS, NOW)
    assert press == Press(MessageRef("web", "employee", "post-3"), Person("web", "employee", "Employee"), "other", NOW)
    press = events.to_press({"ref": {"room": "billing", "id": "post-4"}, "value": "send"}, ROOMS, NOW)
    assert press == Press(MessageRef("web", "billing", "post-4"), Person("web", "lead", "Lead"), "send", NOW)


def test_there_are_no_buttons_in_rooms_that_are_not_here() -> None:
    with pytest.raises(UsageError, match="no such room"):
        events.to_press({"ref": {"room": "attic", "id": "post-3"}, "value": "0"}, ROOMS, NOW)


def test_people_change_and_delete_what_they_wrote() -> None:
    ref = {"room": "customer", "id": "m1"}
    here = MessageRef("web", "customer", "m1")
    assert events.to_edit({"ref": ref, "text": " three times "}, ROOMS, NOW) == Edit(here, "three times", NOW)
    assert events.to_deletion({"ref": ref}, ROOMS, NOW) == Deletion(here, NOW)


def test_what_the_bot_said_is_not_for_people_to_change() -> None:
    ref = {"room": "customer", "id": "post-1"}
    with pytest.raises(UsageError, match="the bot's own messages"):
        events.to_edit({"ref": ref, "text": "never"}, ROOMS, NOW)
    with pytest.raises(UsageError, match="the bot's own messages"):
        events.to_deletion({"ref": ref}, ROOMS, NOW)


def test_a_change_to_nothing_is_no_change() -> None:
    with pytest.raises(UsageError, match="write a few words"):
        events.to_edit({"ref": {"room": "customer", "id": "m1"}, "text": " "}, ROOMS, NOW)


@pytest.mark.parametrize("send", [False, True])
def test_a_note_is_the_leads_and_is_sent_only_when_the_page_says_so(send: bool) -> None:
    body = {"under": {"room": "billing", "id": "post-7"}, "id": "n1", "text": "the third today", "send": send}
    note = events.to_note(body, ("billing",), NOW)
    assert note == Note(
        ref=MessageRef("web", "billing", "n1"),
        under=MessageRef("web", "billing", "post-7"),
        author=Person("web", "lead", "Lead"),
        text="the third today",
        at=NOW,
        send=send,
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"under": None}, "“under” is missing"),
        ({"under": {"room": "customer", "id": "m1"}}, "no such room"),
        ({"under": {"room": "billing", "id": "a b"}}, "“under” must be 1 to 64"),
        ({"id": "post-9"}, "must not begin with post-"),
        ({"text": ""}, "write a few words"),
        ({"send": None}, "“send” must be true or false"),
        ({"send": "yes"}, "“send” must be true or false"),
    ],
)
def test_a_bad_note_is_answered_with_a_sentence(change: dict[str, object], sentence: str) -> None:
    body = {"under": {"room": "billing", "id": "post-7"}, "id": "n1", "text": "hm", "send": False} | change
    with pytest.raises(UsageError, match=sentence):
        events.to_note(body, ("billing",), NOW)


@pytest.mark.parametrize(
    ("header", "language"), [("pt-BR,pt;q=0.9", "pt-BR"), ("es", "es"), ("*", None), (None, None), ("x\x00,", None)]
)
def test_the_browsers_first_language_counts(header: str | None, language: str | None) -> None:
    assert events.spoken(header) == language
