"""The message to which a Telegram message replies, or which it quotes or forwards, is part of its text."""

import pytest

from bot.domain.messages import Edit, Media, MediaKind, Message
from bot.domain.rich_text import Style, own_words, plain, runs
from bot.platforms.telegram.facts import Answer
from tests.unit.platforms.telegram.updates import ANN, CHATS, DATE, LEAD, LOUNGE, TEAM, US, WRITER, Fields, facts

BEN: Fields = {"id": 9, "is_bot": False, "first_name": "Ben", "last_name": "Oz"}
ORDER = "I was charged twice for order 4711"


def earlier(text: str = ORDER, by: Fields = BEN, chat: int = LOUNGE) -> Fields:
    return {"message_id": 3, "date": DATE, "chat": CHATS[chat], "from": by, "text": text}


def said(chat: int = LOUNGE, kind: str = "message", /, **fields: object) -> str:
    base: Fields = {"message_id": 5, "date": DATE, "chat": CHATS[chat], "from": WRITER}
    fact, *_ = facts(kind, base | {"text": "@switchboard_bot can you help her please?"} | fields)
    request = fact.request if isinstance(fact, Answer) else fact
    assert isinstance(request, Message | Edit)
    return request.text


def authors(text: str) -> list[str | None]:
    return [run.value(Style.CITED) for run in runs(text) if run.text.strip()]


@pytest.mark.parametrize("kind", ["message", "edited_message"])
def test_what_is_replied_to_stands_before_the_words(kind: str) -> None:
    text = said(LOUNGE, kind, reply_to_message=earlier(), edit_date=DATE)
    assert plain(text) == f"{ORDER}\ncan you help her please?"
    assert authors(text) == ["Ben Oz", None]
    assert own_words(text) == "can you help her please?"


def test_what_we_said_ourselves_is_not_read_back_to_us() -> None:
    assert said(ANN, text="since Monday", reply_to_message=earlier("Which team?", US, ANN)) == "since Monday"


def test_of_a_quotation_only_what_was_chosen() -> None:
    quote = {"text": "order 4711", "position": 24, "is_manual": True}
    assert plain(said(reply_to_message=earlier(), quote=quote)) == "order 4711\ncan you help her please?"


def test_what_is_quoted_from_another_chat_arrives() -> None:
    origin = {
        "type": "channel",
        "date": DATE,
        "chat": {"id": -1007, "type": "channel", "title": "Shop"},
        "message_id": 1,
    }
    text = said(
        ANN,
        text="charged twice for this",
        quote={"text": "Blue running shoes, article 4711", "position": 0},
        external_reply={"origin": origin},
    )
    assert plain(text) == "Blue running shoes, article 4711\ncharged twice for this"
    assert authors(text) == ["Shop", None]


@pytest.mark.parametrize(
    ("origin", "author"),
    [
        ({"type": "user", "date": DATE, "sender_user": BEN}, "Ben Oz"),
        ({"type": "hidden_user", "date": DATE, "sender_user_name": "Cleo\u202e"}, "Cleo"),
    ],
)
def test_what_was_forwarded_says_whose_words_it_is(origin: Fields, author: str) -> None:
    text = said(ANN, text=ORDER, forward_origin=origin)
    assert (plain(text), authors(text)) == (ORDER, [author])


def test_a_long_citation_is_shortened_and_the_words_are_not() -> None:
    text = plain(said(reply_to_message=earlier("x" * 4_000), text="@switchboard_bot " + "y" * 2_000))
    assert (len(text.split("\n")[0]), text.split("\n")[1]) == (1_000, "y" * 2_000)


def test_a_note_cites_nothing_that_a_person_might_then_read() -> None:
    base: Fields = {"message_id": 5, "date": DATE, "chat": CHATS[TEAM], "from": WRITER | {"id": LEAD}}
    [fact] = facts("message", base | {"text": "reply: hello", "reply_to_message": earlier("card", US, TEAM)})
    assert getattr(fact, "text", "") == "reply: hello"


def test_a_picked_name_in_the_text_is_no_word_of_the_request() -> None:
    mention = {"type": "text_mention", "offset": 0, "length": 11, "user": US}
    assert said(ANN, text="Switchboard, I was charged twice", entities=[mention]) == "I was charged twice"


def test_half_a_character_beside_a_picked_name_is_no_trouble() -> None:
    mention = {"type": "text_mention", "offset": 1, "length": 11, "user": US}
    assert "I was charged twice" in plain(said(text="\ud83dSwitchboard I was charged twice", entities=[mention]))


# --- whose it is, and its files ---

PHOTO: list[Fields] = [{"file_id": "small", "file_unique_id": "s", "width": 1, "height": 1, "file_size": 7}]
VIDEO: Fields = {"file_id": "v1", "file_unique_id": "v", "width": 1, "height": 1, "duration": 3, "file_name": "x.mp4"}


def written(chat: int = LOUNGE, /, **fields: object) -> Message:
    base: Fields = {"message_id": 5, "date": DATE, "chat": CHATS[chat], "from": WRITER}
    fact, *_ = facts("message", base | {"text": "@switchboard_bot can you help her please?"} | fields)
    request = fact.request if isinstance(fact, Answer) else fact
    assert isinstance(request, Message)
    return request


def test_a_citation_says_whose_it_is() -> None:
    (replied, *_) = runs(said(reply_to_message=earlier()))
    assert [mark.by for mark in replied.marks] == ["9"]
    ben = {"type": "user", "date": DATE, "sender_user": BEN}
    (shared, *_) = runs(said(ANN, text="my parcel is lost", forward_origin=ben))
    assert [mark.by for mark in shared.marks] == ["9"]


def test_the_files_of_what_is_replied_to_come_along_marked() -> None:
    shown = earlier() | {"photo": PHOTO, "caption": "this bill"}
    shown.pop("text")
    message = written(reply_to_message=shown)
    assert plain(message.text) == "this bill\ncan you help her please?"
    assert message.media == (
        Media("telegram", f"{LOUNGE}:3:small", MediaKind.PHOTO, "", 7, "https://t.me/c/9/3", cited=True, by="9"),
    )


def test_files_that_are_quoted_from_another_chat_come_along() -> None:
    origin = {"type": "user", "date": DATE, "sender_user": BEN}
    chat = {"id": -1007, "type": "supergroup", "title": "Shop"}
    known = written(ANN, text="this", external_reply={"origin": origin, "chat": chat, "message_id": 8, "video": VIDEO})
    hidden = written(ANN, text="this", external_reply={"origin": origin, "video": VIDEO})
    assert [(one.id, one.name, one.cited, one.by) for one in (*known.media, *hidden.media)] == [
        ("-1007:8:v1", "x.mp4", True, "9"),
        ("0:0:v1", "x.mp4", True, "9"),
    ]


def test_our_own_pictures_and_a_topics_opening_do_not_come_along() -> None:
    ours = earlier("", US, ANN) | {"photo": PHOTO}
    opening = earlier() | {"photo": PHOTO, "forum_topic_created": {"name": "help", "icon_color": 1}}
    assert written(ANN, text="since Monday", reply_to_message=ours).media == ()
    assert written(reply_to_message=opening).media == ()


def test_a_shared_contact_is_somebody_who_can_be_forgotten() -> None:
    contact = {"phone_number": "+49 1", "first_name": "Ben", "user_id": 9}
    (media,) = written(ANN, text=None, contact=contact).media
    assert (media.name, media.by) == ("Ben, +49 1", "9")
