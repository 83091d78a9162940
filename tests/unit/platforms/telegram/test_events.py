"""What people write in Telegram, and changes of chats, as facts."""

from datetime import timedelta

import pytest
from telegram import Update

from bot.domain.messages import Edit, Media, MediaKind, Message, MessageRef, Note, Person, Place
from bot.platforms.telegram.events import read
from bot.platforms.telegram.facts import Answer, Command, Fact, Membership, Migration, Unheard
from tests.unit.platforms.telegram.updates import (
    ANN,
    AT,
    CHATS,
    DATE,
    EARS,
    LOUNGE,
    TEAM,
    US,
    WRITER,
    Fields,
    facts,
)


def heard(chat: int = ANN, /, **fields: object) -> Fact | None:
    base: Fields = {"message_id": 5, "date": DATE, "chat": CHATS[chat], "from": WRITER}
    found = facts("message", base | ({"text": "help me"} if not fields.keys() & _CONTENT else {}) | fields)
    assert len(found) <= 1
    return found[0] if found else None


def said(chat: int = ANN, /, **fields: object) -> Message | None:
    found = heard(chat, **fields)
    request = found.request if isinstance(found, Answer) else None if isinstance(found, Unheard) else found
    assert request is None or isinstance(request, Message)
    return request


VOICE: Fields = {"voice": {"file_id": "f", "file_unique_id": "u", "duration": 1}}
STICKER: Fields = {
    "sticker": {
        "file_id": "f",
        "file_unique_id": "u",
        "type": "regular",
        "width": 1,
        "height": 1,
        "is_animated": False,
        "is_video": False,
    }
}
CONTACT: Fields = {"contact": {"phone_number": "1", "first_name": "Ben"}}
LOCATION: Fields = {"location": {"latitude": 1.0, "longitude": 2.0}}
PHOTO: Fields = {
    "photo": [
        {"file_id": "small", "file_unique_id": "s", "width": 1, "height": 1},
        {"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9, "file_size": 7},
    ]
}
ANIMATION: Fields = {
    "animation": {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1, "duration": 1},
    "document": {"file_id": "f", "file_unique_id": "u"},
}
VENUE: Fields = LOCATION | {"venue": {"location": LOCATION["location"], "title": "Shop", "address": "1 High St"}}
DOCUMENT: Fields = {"document": {"file_id": "f", "file_unique_id": "u", "file_name": "bill.pdf", "file_size": 7}}
JOINED: Fields = {"new_chat_members": [WRITER]}
PINNED: Fields = {"pinned_message": {"message_id": 4, "date": DATE, "chat": CHATS[ANN], "text": "x"}}
_CONTENT = {
    *ANIMATION,
    *VENUE,
    "migrate_to_chat_id",
    "migrate_from_chat_id",
    *VOICE,
    *STICKER,
    *CONTACT,
    *LOCATION,
    *PHOTO,
    *JOINED,
    *PINNED,
    "text",
    "caption",
}


def test_a_private_message_is_a_request_in_that_chat() -> None:
    assert said() == Message(
        ref=MessageRef("telegram", "111", "5"),
        place=Place("telegram", "111"),
        author=Person("telegram", "111", "Ann Li", "pt-br"),
        text="help me",
        at=AT + timedelta(microseconds=5),
    )


def test_messages_of_one_second_keep_their_order() -> None:
    first, second = said(message_id=9), said(message_id=10)
    assert first is not None
    assert second is not None
    assert first.at < second.at < AT + timedelta(seconds=1)
    assert first.at.tzinfo is not None


@pytest.mark.parametrize("fields", [VOICE, STICKER, CONTACT, LOCATION, PHOTO])
def test_what_is_not_in_words_is_a_message_without_any(fields: Fields) -> None:
    message = said(**fields)
    assert message is not None
    assert message.text == ""


def test_a_caption_is_what_was_said() -> None:
    message = said(**PHOTO, caption="the parcel arrived broken")
    assert message is not None
    assert message.text == "the parcel arrived broken"


def test_a_forwarded_message_is_said_by_who_forwards_it() -> None:
    origin = {"type": "hidden_user", "date": DATE, "sender_user_name": "Ben"}
    message = said(forward_origin=origin)
    assert message is not None
    assert message.author.id == "111"


@pytest.mark.parametrize(
    ("fields", "kind", "name", "size"),
    [
        (PHOTO, MediaKind.PHOTO, "", 7),
        (DOCUMENT, MediaKind.DOCUMENT, "bill.pdf", 7),
        (VOICE, MediaKind.VOICE, "", 0),
        (STICKER, MediaKind.STICKER, "", 0),
        (ANIMATION, MediaKind.VIDEO, "", 0),
        (CONTACT, MediaKind.CONTACT, "Ben, 1", 0),
        (LOCATION, MediaKind.LOCATION, "1.0, 2.0", 0),
        (VENUE, MediaKind.LOCATION, "Shop, 1 High St (1.0, 2.0)", 0),
    ],
)
def test_what_comes_along_is_kept_by_where_it_is(fields: Fields, kind: MediaKind, name: str, size: int) -> None:
    message = said(**fields)
    assert message is not None
    file = "" if kind in (MediaKind.CONTACT, MediaKind.LOCATION) else "f"
    assert message.media == (Media("telegram", f"111:5:{file}", kind, name, size),)


def test_words_alone_bring_nothing_along() -> None:
    message = said()
    assert message is not None
    assert message.media == ()


# ── commands ──


def command(chat: int = ANN, /, **fields: object) -> Command | None:
    found = heard(chat, **fields)
    assert found is None or isinstance(found, Command)
    return found


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("/start", "start", ""),
        ("/start tkt_42", "start", "tkt_42"),
        ("/HELP", "help", ""),
        ("/help@switchboard_bot", "help", ""),
        ("/language  pt-BR ", "language", "pt-BR"),
        ("/what\never", "what", "ever"),
    ],
)
def test_a_command_is_no_request(text: str, name: str, argument: str) -> None:
    found = command(text=text)
    assert found is not None
    assert (found.name, found.argument, found.private, found.pressed) == (name, argument, True, False)
    assert (found.person.id, found.place, found.message) == (str(ANN), Place("telegram", str(ANN)), 5)


@pytest.mark.parametrize("text", ["/cmd@otherbot", "/help@switchboard_bot2", "/start@otherbot x"])
@pytest.mark.parametrize("chat", [ANN, LOUNGE])
def test_another_bots_command_is_ignored(chat: int, text: str) -> None:
    assert heard(chat, text=text) is None


def test_in_a_group_a_command_names_us() -> None:
    assert heard(LOUNGE, text="/help") is None
    found = command(LOUNGE, text="/help@switchboard_bot")
    assert found is not None
    assert (found.name, found.private) == ("help", False)


@pytest.mark.parametrize("text", ["/etc/hosts is broken", "/ 2 items are missing", "see /start"])
def test_a_slash_alone_makes_no_command(text: str) -> None:
    message = said(text=text)
    assert message is not None
    assert message.text == text


@pytest.mark.parametrize("fields", [JOINED, PINNED])
def test_what_telegram_itself_says_is_no_message(fields: Fields) -> None:
    assert said(**fields) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"from": US},
        {"from": {"id": 9, "is_bot": True, "first_name": "another bot"}},
        {"from": None},
        {"sender_chat": CHATS[LOUNGE]},
    ],
)
def test_bots_and_channels_are_never_answered(fields: Fields) -> None:
    assert said(**fields) is None


def edited(chat: int = ANN, number: int = 700, /, **fields: object) -> Edit | None:
    base: Fields = {"message_id": 5, "date": DATE, "edit_date": DATE + 5, "chat": CHATS[chat], "from": WRITER}
    found = facts("edited_message", base | fields, number)
    edits = [one for one in found if isinstance(one, Edit)]
    assert len(edits) <= 1
    return edits[0] if edits else None


def test_an_edit_says_what_the_message_says_now() -> None:
    at = AT + timedelta(seconds=5, microseconds=700)
    assert edited(text="help me please") == Edit(MessageRef("telegram", "111", "5"), "help me please", at)
    caption = edited(**PHOTO, caption="a caption")
    assert caption is not None
    assert caption.text == "a caption"


def test_two_edits_of_one_second_keep_their_order() -> None:
    first, second = edited(ANN, 700, text="a"), edited(ANN, 701, text="b")
    assert first is not None
    assert second is not None
    assert first.at < second.at


@pytest.mark.parametrize(
    "fields",
    [
        LOCATION,
        JOINED,
        {"text": "x", "from": US},
        {"text": "x", "sender_chat": CHATS[LOUNGE]},
    ],
)
def test_a_moving_location_and_what_bots_edit_are_no_edits(fields: Fields) -> None:
    assert edited(**fields) is None


def test_an_edit_names_the_message_as_it_was_named_before() -> None:
    topic: Fields = {"message_thread_id": 45, "is_topic_message": True}
    base: Fields = {"message_id": 5, "date": DATE, "edit_date": DATE + 5, "chat": CHATS[LOUNGE], "from": WRITER}
    either = facts("edited_message", base | {"text": "@switchboard_bot hi"} | topic, 700)
    note = edited(LOUNGE, text="hi", message_thread_id=9, is_topic_message=True)
    assert [(one.ref.chat, one.text) for one in either if isinstance(one, Edit)] == [
        (str(LOUNGE), "hi"),
        (f"{LOUNGE}/45", "hi"),
    ], "what was said in a topic may be kept as a note of the group or as a request of the topic"
    assert note is not None
    assert note.ref.chat == str(LOUNGE)


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("@switchboard_bot I was charged twice", "I was charged twice"),
        ("@Switchboard_Bot, I was charged twice", "I was charged twice"),
        ("please @switchboard_bot help", "please help"),
        ("@switchboard_bot", ""),
    ],
)
def test_in_a_group_a_mention_is_for_us(text: str, heard: str) -> None:
    message = said(LOUNGE, text=text)
    assert message is not None
    assert (message.text, message.place) == (heard, Place("telegram", str(LOUNGE)))


@pytest.mark.parametrize(
    "text",
    ["chatter", "@switchboard_bot2 hi", "mail me@switchboard_bot", "t.me/@switchboard_bot"],
)
def test_in_a_group_what_is_not_said_to_us_is_not_heard(text: str) -> None:
    assert said(LOUNGE, text=text) is None


def replied(author: Fields, **fields: object) -> Fields:
    quoted: Fields = {"message_id": 4, "date": DATE, "chat": CHATS[LOUNGE], "from": author, "text": "x"}
    return {"reply_to_message": quoted | fields}


def test_in_a_group_a_reply_to_us_is_for_us_and_to_another_is_not() -> None:
    assert said(LOUNGE, **replied(US)) is not None
    assert said(LOUNGE, **replied(WRITER)) is None
    opened: Fields = {"forum_topic_created": {"name": "new", "icon_color": 0}}
    assert said(LOUNGE, **replied(US, **opened)) is None


def test_a_reply_in_a_group_may_be_a_teams() -> None:
    answer, other = heard(LOUNGE, **replied(US)), heard(LOUNGE, **replied(WRITER))
    assert isinstance(answer, Answer)
    assert isinstance(other, Answer)
    assert (answer.note.under, answer.ours) == (MessageRef("telegram", str(LOUNGE), "4"), True)
    assert (answer.note.text, answer.request and answer.request.text) == ("help me", "help me")
    assert (other.request, other.ours) == (None, False)


def test_a_topic_is_a_room_of_its_own_and_a_chain_of_replies_is_not() -> None:
    mention = "@switchboard_bot hi"
    topic = said(LOUNGE, text=mention, message_thread_id=45, is_topic_message=True)
    chain = said(LOUNGE, text=mention, message_thread_id=45)
    assert topic is not None
    assert topic.place == Place("telegram", f"{LOUNGE}/45")
    assert topic.ref == MessageRef("telegram", f"{LOUNGE}/45", "5")
    assert chain is not None
    assert chain.place == Place("telegram", str(LOUNGE))


ROOMS: list[tuple[int, Fields]] = [
    (TEAM, {}),
    (TEAM, {"message_thread_id": 45, "is_topic_message": True}),
    (LOUNGE, {"message_thread_id": 9, "is_topic_message": True}),
]


@pytest.mark.parametrize(("chat", "fields"), ROOMS)
def test_talk_in_a_teams_room_is_between_colleagues(chat: int, fields: Fields) -> None:
    assert heard(chat, text="lunch?", **fields) is None
    assert heard(chat, text="/help@another_bot", **fields) is None
    for spoken in ("@switchboard_bot hi", "/help@switchboard_bot"):
        told = heard(chat, text=spoken, **fields)
        assert isinstance(told, Unheard)
        assert told.key == "telegram_unheard_room"


@pytest.mark.parametrize("author", [US, WRITER])
@pytest.mark.parametrize(("chat", "fields"), ROOMS)
def test_a_reply_in_a_teams_room_is_a_note(chat: int, fields: Fields, author: Fields) -> None:
    assert heard(chat, text="will do", **fields, **replied(author)) == Note(
        MessageRef("telegram", str(chat), "5"),
        MessageRef("telegram", str(chat), "4"),
        Person("telegram", str(ANN), "Ann Li", "pt-br"),
        "will do",
        AT + timedelta(microseconds=5),
    )


def test_a_note_may_bring_something_along() -> None:
    note = heard(TEAM, **PHOTO, caption="reply: look", **replied(US))
    assert isinstance(note, Note)
    assert (note.text, [one.kind for one in note.media], note.send) == ("reply: look", [MediaKind.PHOTO], False)


def test_nobody_knows_who_an_anonymous_administrator_is_so_it_is_no_note() -> None:
    anonymous: Fields = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    assert heard(TEAM, **{"from": anonymous, "sender_chat": CHATS[TEAM]}, **replied(US)) is None


def piece(number: int, chat: int = LOUNGE, **fields: object) -> Update:
    base: Fields = {"message_id": number, "date": DATE, "chat": CHATS[chat], "from": WRITER, "media_group_id": "m"}
    return Update.de_json({"update_id": number, "message": base | PHOTO | fields})


def test_the_other_pictures_of_an_addressed_album_count_too() -> None:
    first, second = piece(5, caption="@switchboard_bot broken"), piece(6)
    assert read(second, EARS) == []
    [request] = read(second, EARS, first.message)
    assert isinstance(request, Message)
    assert (request.text, len(request.media)) == ("", 1)


def test_an_album_that_is_a_note_to_be_sent_is_sent_whole() -> None:
    first, second = piece(5, TEAM, caption="Reply: look", **replied(US)), piece(6, TEAM)
    [note] = read(second, EARS, first.message)
    assert isinstance(note, Note)
    assert (note.under.id, note.send) == ("4", True)
    [internal] = read(second, EARS, piece(5, TEAM, caption="look", **replied(US)).message)
    assert isinstance(internal, Note)
    assert not internal.send


# ── changes of chats ──


def test_a_group_that_becomes_a_supergroup_says_so_on_both_sides() -> None:
    old: Fields = {"id": -5, "type": "group", "title": "g"}
    assert heard(ANN, chat=old, migrate_to_chat_id=TEAM) == Migration("-5", str(TEAM))
    assert heard(TEAM, migrate_from_chat_id=-5) == Migration("-5", str(TEAM))


def test_what_we_are_in_a_chat_is_heard() -> None:
    changed: Fields = {
        "chat": CHATS[TEAM],
        "from": WRITER,
        "date": DATE,
        "old_chat_member": {"status": "member", "user": US},
        "new_chat_member": {"status": "left", "user": US},
    }
    assert facts("my_chat_member", changed) == [Membership(str(TEAM), "left")]
