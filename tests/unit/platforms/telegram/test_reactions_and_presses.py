"""Telegram's reactions and button presses as facts, and updates that are none."""

from datetime import timedelta
from typing import cast

import pytest

from bot.domain.messages import MessageRef, Person, Place, Press, Reaction
from bot.platforms.telegram.emoji import normal
from bot.platforms.telegram.facts import Command, Fact
from tests.unit.platforms.telegram.updates import (
    ANN,
    AT,
    CHATS,
    DATE,
    LEAD,
    TEAM,
    US,
    WRITER,
    Fields,
    facts,
)

# ── reactions ──


def emoji(*written: str) -> list[Fields]:
    return [{"type": "emoji", "emoji": one} for one in written]


def reacted(old: list[Fields], new: list[Fields], number: int = 700, **fields: object) -> list[Reaction]:
    payload: Fields = {"chat": CHATS[TEAM], "message_id": 8, "date": DATE, "old_reaction": old, "new_reaction": new}
    who: Fields = {"user": {"id": LEAD, "is_bot": False, "first_name": "Lee"}}
    return cast(list[Reaction], facts("message_reaction", payload | who | fields, number))


def changes(old: list[Fields], new: list[Fields]) -> list[tuple[str, bool]]:
    return [(fact.emoji, fact.added) for fact in reacted(old, new)]


def test_a_reaction_points_at_the_message_it_is_on() -> None:
    assert reacted([], emoji("🤝")) == [
        Reaction(
            MessageRef("telegram", str(TEAM), "8"),
            Person("telegram", str(LEAD), "Lee"),
            "🤝",
            True,
            AT + timedelta(microseconds=7000),
        )
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([], ["👎"], [("👎", True)]),
        (["👎"], [], [("👎", False)]),
        (["👎"], ["👀"], [("👎", False), ("👀", True)]),
        (["👎", "🤝"], ["🤝", "👀"], [("👎", False), ("👀", True)]),
        (["👎"], ["👎"], []),
        ([], ["❤\ufe0f"], [("❤", True)]),
        (["❤"], ["❤\ufe0f"], []),
        (["❤\ufe0f\u200d🔥"], [], [("❤\u200d🔥", False)]),
    ],
)
def test_old_and_new_are_a_difference(old: list[str], new: list[str], expected: list[tuple[str, bool]]) -> None:
    assert changes(emoji(*old), emoji(*new)) == expected


def test_custom_paid_and_unknown_reactions_are_ignored_beside_others() -> None:
    strange: list[Fields] = [{"type": "custom_emoji", "custom_emoji_id": "5"}, {"type": "paid"}, *emoji("💰")]
    assert changes(strange, [*strange, *emoji("🤝")]) == [("🤝", True)]
    assert changes([], strange) == []


def test_an_anonymous_administrator_and_a_bot_react_in_vain() -> None:
    assert reacted([], emoji("🤝"), user=None, actor_chat=CHATS[TEAM]) == []
    assert reacted([], emoji("🤝"), user=US) == []


def test_changes_within_one_update_and_one_second_keep_their_order() -> None:
    on, off, again = (
        reacted([], emoji("🤝", "👀"), number=700),
        reacted(emoji("🤝"), [], number=701),
        reacted([], emoji("🤝"), number=702),
    )
    times = [fact.at for fact in [*on, *off, *again]]
    assert times == sorted(set(times))
    assert times[-1] < AT + timedelta(seconds=1)


def test_the_same_update_is_the_same_facts() -> None:
    assert reacted(emoji("👎"), emoji("🤝", "👀")) == reacted(emoji("👎"), emoji("🤝", "👀"))


def test_settings_and_events_have_one_normal_form() -> None:
    [fact] = reacted([], emoji("❤\ufe0f\u200d🔥"))
    assert fact.emoji == normal("❤\u200d🔥") == normal("❤\ufe0f\u200d🔥")


# ── presses ──


def pressed(number: int = 700, /, **fields: object) -> list[Fact]:
    question: Fields = {"message_id": 6, "date": DATE, "chat": CHATS[ANN], "from": US, "text": "Who?"}
    query: Fields = {"id": "q", "from": WRITER, "message": question, "chat_instance": "c", "data": "1"}
    return facts("callback_query", query | fields, number)


def test_a_press_carries_the_buttons_value() -> None:
    assert pressed() == [
        Press(
            MessageRef("telegram", "111", "6"),
            Person("telegram", "111", "Ann Li", "pt-br"),
            "1",
            AT + timedelta(microseconds=7000),
        )
    ]


def test_the_same_press_again_is_the_same_fact_and_another_press_is_another() -> None:
    assert pressed(700) == pressed(700) != pressed(701)


@pytest.mark.parametrize(
    "fields",
    [
        {"message": {"message_id": 6, "date": 0, "chat": CHATS[ANN]}},
        {"message": None, "inline_message_id": "i"},
        {"data": None, "game_short_name": "g"},
        {"from": US},
    ],
)
def test_presses_on_what_is_long_gone_or_not_ours_are_nothing(fields: Fields) -> None:
    assert pressed(**fields) == []


def with_buttons(value: str) -> Fields:
    rows = [[{"text": "Yes", "callback_data": value}]]
    question: Fields = {"message_id": 6, "date": DATE, "chat": CHATS[ANN], "from": US, "text": "Sure?"}
    return {"message": question | {"reply_markup": {"inline_keyboard": rows}}}


def test_a_button_of_a_commands_answer_is_a_command() -> None:
    assert pressed(data="/forget 111 yes", **with_buttons("/forget 111 yes")) == [
        Command("forget", "yes", Person("telegram", "111", "Ann Li", "pt-br"), Place("telegram", "111"), 6, True, True)
    ]


@pytest.mark.parametrize(
    ("data", "there"),
    [("/forget 222 yes", "/forget 222 yes"), ("/forget 111 yes", "0"), ("/forget", "/forget"), ("/", "/")],
)
def test_a_button_for_somebody_else_or_forged_does_nothing(data: str, there: str) -> None:
    assert pressed(data=data, **with_buttons(there)) == []


POSTED: Fields = {"message_id": 5, "date": DATE, "chat": CHATS[ANN], "text": "news"}
VOTED: Fields = {"poll_id": "1", "option_ids": [0], "option_persistent_ids": ["a"], "user": WRITER}


@pytest.mark.parametrize(
    ("kind", "payload"), [("channel_post", POSTED), ("poll_answer", VOTED), ("something_new", POSTED)]
)
def test_other_updates_are_nothing(kind: str, payload: Fields) -> None:
    assert facts(kind, payload) == []
