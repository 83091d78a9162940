"""Presses, commands, shortcuts and forms, as intentions."""

import json
from datetime import UTC, datetime

import pytest

from bot.domain.messages import MessageRef, Person, Press
from bot.platforms.slack.interactions import (
    Asked,
    ButtonPress,
    Command,
    ExtraButton,
    Form,
    HomeChoice,
    ReplyWanted,
    Shortcut,
    address,
    addressed,
    interaction,
    linked,
)

ANN, HELP = "U0ANN", "C0HELP"
TS, ROOT = "1764000000.000100", "1763999999.000200"
AT = datetime.fromtimestamp(1764000000, UTC).replace(microsecond=100)
URL = "https://hooks.example/answer"

Fields = dict[str, object]


def press(**fields: object) -> Fields:
    return {
        "type": "block_actions",
        "user": {"id": ANN},
        "container": {"type": "message", "message_ts": ROOT, "channel_id": HELP},
        "actions": [{"action_id": "choose_1", "value": "1", "type": "button", "action_ts": TS}],
        "trigger_id": "7.trigger",
        "response_url": URL,
    } | fields


def action(name: str, **fields: object) -> Fields:
    return press(actions=[{"action_id": name, "action_ts": TS} | fields])


def test_a_press_carries_the_buttons_value() -> None:
    expected = Press(MessageRef("slack", HELP, ROOT), Person("slack", ANN), "1", AT)
    assert interaction(press()) == ButtonPress(expected, False, URL)


def test_a_press_on_a_whisper_says_so() -> None:
    container = {"type": "message", "message_ts": ROOT, "channel_id": HELP, "is_ephemeral": True}
    pressed = interaction(press(container=container))
    assert isinstance(pressed, ButtonPress) and pressed.ephemeral


@pytest.mark.parametrize(
    "payload",
    [
        {},
        action("open_link", value="1"),
        press(actions=[]),
        press(actions="nonsense"),
        press(container={"type": "view", "view_id": "V1"}),
        press(container=3),
        press(user={}),
        press(actions=[{"action_id": "choose_1", "action_ts": "soon"}]),
        action("home_route", block_id="nonsense", selected_option={"value": "billing"}),
        action("home_route", block_id="slack C1 1.1"),
        {"type": "event_callback", "event": {}},
        {"type": "message_action", "callback_id": "another"},
        {"type": "message_action", "callback_id": "send_to_team", "message": {}},
        {"type": "shortcut", "callback_id": "send_to_team"},
    ],
)
def test_what_is_no_element_of_ours_is_nothing_and_no_error(payload: Fields) -> None:
    assert interaction(payload) is None


def test_a_card_asks_for_a_form_to_reply_in() -> None:
    card = MessageRef("slack", HELP, ROOT)
    assert interaction(action("write_reply")) == ReplyWanted(ANN, card, "7.trigger", URL)


def test_a_team_picked_at_home_names_the_conversation() -> None:
    source = MessageRef("telegram", "-100", "7")
    picked = action("home_route", block_id=addressed(source), selected_option={"value": "billing"})
    assert interaction(picked) == HomeChoice(ANN, source, "billing", AT)
    assert address(addressed(source)) == source


@pytest.mark.parametrize("errand", list(ExtraButton))
def test_other_buttons_of_ours_name_their_errand(errand: ExtraButton) -> None:
    assert interaction(action(errand.value)) == Asked(errand, ANN, URL)


def test_a_command_is_a_verb_and_the_rest() -> None:
    typed = {"command": "/switchboard", "text": "  Route my  laptop ", "user_id": ANN, "channel_id": HELP}
    assert interaction(typed | {"response_url": URL}) == Command(ANN, HELP, "route", "my  laptop", URL)


def test_a_shortcut_brings_the_message() -> None:
    message = {"ts": TS, "user": "U0BEN", "text": "my laptop"}
    payload = {
        "type": "message_action",
        "callback_id": "send_to_team",
        "user": {"id": ANN},
        "channel": {"id": HELP},
        "message": message,
        "trigger_id": "7.trigger",
        "response_url": URL,
    }
    assert interaction(payload) == Shortcut(ANN, HELP, message, "7.trigger", URL)


@pytest.mark.parametrize(
    "state", [{"value": "billing"}, {"selected_option": {"value": "billing"}}], ids=["written", "picked"]
)
def test_a_form_brings_what_was_put_in_and_what_was_noted(state: Fields) -> None:
    view = {
        "id": "V1",
        "callback_id": "route",
        "private_metadata": json.dumps({"chat": HELP}),
        "state": {"values": {"answer": {"answer": state}}},
    }
    form = interaction({"type": "view_submission", "user": {"id": ANN}, "view": view})
    assert form == Form("V1", "route", ANN, "billing", {"chat": HELP})


@pytest.mark.parametrize("noted", ["nonsense", "[]", ""])
def test_a_form_with_strange_notes_has_none(noted: str) -> None:
    form = interaction({"type": "view_submission", "user": {"id": ANN}, "view": {"private_metadata": noted}})
    assert isinstance(form, Form) and form.notes == {}


@pytest.mark.parametrize(
    "text",
    [
        "https://x.slack.com/archives/C0HELP/p1764000000000100",
        "<https://x.slack.com/archives/C0HELP/p1764000000000100?thread_ts=1.2&cid=C0HELP>",
    ],
)
def test_a_link_leads_to_its_message(text: str) -> None:
    assert linked(text) == MessageRef("slack", HELP, TS)


@pytest.mark.parametrize("text", ["", "billing", "https://x.slack.com/archives/C0HELP"])
def test_other_words_are_no_link(text: str) -> None:
    assert linked(text) is None
