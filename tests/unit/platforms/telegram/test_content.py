"""Text that Telegram keeps outside a message's text is read: polls, lists, games, bills; and every kind of file."""

import pytest

from bot.domain.messages import Message
from bot.domain.rich_text import Style, plain, runs
from bot.platforms.telegram.facts import Unheard
from tests.unit.platforms.telegram.updates import ANN, CHATS, DATE, WRITER, Fields, facts

POLL: Fields = {
    "id": "1",
    "question": "Which order is late?",
    "options": [
        {"text": "4711", "voter_count": 0, "persistent_id": "a"},
        {"text": "4712", "voter_count": 0, "persistent_id": "b"},
    ],
    "total_voter_count": 0,
    "is_closed": False,
    "is_anonymous": True,
    "type": "regular",
    "allows_multiple_answers": False,
    "allows_revoting": False,
    "members_only": False,
}
LIST: Fields = {
    "title": "To be mended",
    "title_entities": [{"type": "bold", "offset": 0, "length": 5}],
    "tasks": [{"id": 1, "text": "refund 4711"}, {"id": 2, "text": "call me"}],
}
SIZE: Fields = {"file_id": "p", "file_unique_id": "q", "width": 1, "height": 1}


def heard(**fields: object) -> Message:
    base: Fields = {"message_id": 5, "date": DATE, "chat": CHATS[ANN], "from": WRITER}
    (fact,) = facts("message", base | fields)
    assert isinstance(fact, Message)
    return fact


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"poll": POLL}, "Which order is late?\n• 4711\n• 4712"),
        ({"checklist": LIST}, "To be mended\n• refund 4711\n• call me"),
        ({"game": {"title": "Chess", "description": "it hangs", "photo": []}}, "Chess\nit hangs"),
        (
            {
                "invoice": {
                    "title": "Bill 7",
                    "description": "charged twice",
                    "start_parameter": "x",
                    "currency": "EUR",
                    "total_amount": 100,
                }
            },
            "Bill 7\ncharged twice",
        ),
    ],
)
def test_what_a_message_shows_is_read(content: Fields, words: str) -> None:
    assert plain(heard(**content).text) == words


def test_a_lists_marks_are_kept() -> None:
    assert runs(heard(checklist=LIST).text)[0].has(Style.BOLD)


def test_a_poll_that_is_replied_to_is_what_the_reply_is_about() -> None:
    ben: Fields = {"id": 9, "is_bot": False, "first_name": "Ben"}
    asked: Fields = {"message_id": 3, "date": DATE, "chat": CHATS[ANN], "from": ben, "poll": POLL}
    origin: Fields = {"type": "user", "date": DATE, "sender_user": ben}
    words = "Which order is late?\n• 4711\n• 4712\nboth"
    assert plain(heard(text="both", reply_to_message=asked).text) == words
    assert plain(heard(text="both", external_reply={"origin": origin, "poll": POLL}).text) == words


@pytest.mark.parametrize(
    ("content", "files"),
    [
        ({"live_photo": SIZE | {"duration": 1}}, [("video", "111:5:p")]),
        ({"paid_media": {"star_count": 1, "paid_media": [{"type": "photo", "photo": [SIZE]}]}}, [("photo", "111:5:p")]),
        ({"paid_media": {"star_count": 1, "paid_media": [{"type": "preview"}]}, "caption": "look"}, []),
        ({"video_note": {"file_id": "n", "file_unique_id": "u", "length": 1, "duration": 1}}, [("video", "111:5:n")]),
    ],
)
def test_every_kind_of_file_is_carried(content: Fields, files: list[tuple[str, str]]) -> None:
    assert [(str(one.kind), one.id) for one in heard(**content).media] == files


@pytest.mark.parametrize("content", [{"dice": {"emoji": "🎲", "value": 3}}, {"story": {"chat": CHATS[ANN], "id": 4}}])
def test_what_has_no_words_and_no_file_is_answered_with_a_sentence(content: Fields) -> None:
    base: Fields = {"message_id": 5, "date": DATE, "chat": CHATS[ANN], "from": WRITER}
    (fact,) = facts("message", base | content)
    assert isinstance(fact, Unheard) and fact.key == "telegram_unheard_content"
