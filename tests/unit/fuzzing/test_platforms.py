"""Altered input from Slack, Telegram and the page: a fact, nothing, or a message; no crash."""

from collections.abc import Callable, Mapping
from contextlib import suppress

import pytest
from hypothesis import given
from telegram import Update

from bot.domain.errors import UsageError
from bot.domain.messages import Deletion, Edit, Message, Note, Press, Reaction, clean
from bot.platforms.slack import events as slack
from bot.platforms.slack.interactions import interaction
from bot.platforms.telegram import events as telegram
from bot.platforms.web import events as web
from tests.samples import NOW
from tests.servers.slack import events as slack_sends
from tests.servers.slack.state import Channel, Post, User
from tests.unit.fuzzing.shapes import VALUES, bent, bent_in_kind
from tests.unit.platforms.slack.test_events import EARS, HELP
from tests.unit.platforms.telegram.updates import ANN, CHATS, DATE, TEAM, US, WRITER
from tests.unit.platforms.telegram.updates import EARS as TELEGRAM

FACTS = (Message, Edit, Deletion, Note, Reaction, Press)
TS = "1764000000.000100"
FILE: dict[str, object] = {"id": "F1", "name": "a.png", "mimetype": "image/png", "size": 7, "url_private": "https://f"}
SHARED: dict[str, object] = {
    "text": "quoted",
    "author_id": "U2",
    "files": [FILE],
    "is_msg_unfurl": True,
    "fields": [{}],
}
BUTTON: dict[str, object] = {"type": "button", "action_id": "choose", "block_id": "b", "value": "billing"}
BLOCKS: list[object] = [
    {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text"}]}]}
]
PLACE = Channel(id=HELP, name="help")
POST = Post(channel=HELP, ts=TS, user="U0ANN", text="help me", extra={"files": [FILE], "attachments": [SHARED]})
EDITED = Post(channel=HELP, ts=TS, user="U0ANN", text="help us", edited_ts=TS, edits=(POST,))


def _callback(event: dict[str, object]) -> dict[str, object]:
    return slack_sends.callback(event, "Ev1", 1764000000.0, shared=False)


_EVENTS: tuple[dict[str, object], ...] = (
    slack_sends.message(POST, PLACE) | {"blocks": BLOCKS},
    slack_sends.message(POST, PLACE) | {"thread_ts": "1763999999.000200", "subtype": "file_share"},
    slack_sends.mention(POST),
    slack_sends.changed(EDITED, PLACE, TS),
    slack_sends.deleted(POST, PLACE, TS),
    slack_sends.tombstone(POST, PLACE, TS),
    slack_sends.unfurled(EDITED, PLACE, TS),
    slack_sends.reaction("reaction_added", "U0LEAD", "moneybag", POST, TS),
    {"type": "app_home_opened", "user": "U1", "tab": "home"},
    {"type": "channel_id_changed", "old_channel_id": "C1", "new_channel_id": "C2", "event_ts": TS},
    {"type": "user_change", "user": {"id": "U1", "profile": {"display_name": "Ann"}}},
    {"type": "subteam_members_changed", "subteam_id": "S1"},
    {"type": "tokens_revoked", "tokens": {"bot": ["B1"]}},
)
SLACK_EVENTS = tuple(_callback(event) for event in _EVENTS)
ANN_OF_SLACK = User(id="U0ANN", name="Ann")
SLACK_INTERACTIONS = (
    slack_sends.press(ANN_OF_SLACK, PLACE, POST, BUTTON, "https://answer", TS, "trigger"),
    slack_sends.command(ANN_OF_SLACK, HELP, "why", "trigger", "https://answer"),
    slack_sends.shortcut(ANN_OF_SLACK, POST, "send_to_team", "trigger", "https://answer"),
    slack_sends.submission(
        ANN_OF_SLACK,
        {
            "id": "V1",
            "callback_id": "reply",
            "private_metadata": "{}",
            "state": {"values": {"a": {"b": {"value": "x"}}}},
        },
    ),
    slack_sends.home_press(ANN_OF_SLACK, BUTTON, "billing", TS),
)
_SAID: dict[str, object] = {
    "message_id": 7,
    "date": DATE,
    "chat": CHATS[ANN],
    "from": WRITER,
    "text": "help @switchboard_bot",
    "entities": [
        {"type": "bold", "offset": 0, "length": 4},
        {"type": "text_mention", "offset": 5, "length": 3, "user": US},
    ],
}
_PHOTO: dict[str, object] = {
    "photo": [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1, "file_size": 9}]
}
_POLL: dict[str, object] = {"poll": {"id": "1", "question": "why", "options": [{"text": "a", "voter_count": 0}]}}
_IN_TEAM = _SAID | {"chat": CHATS[TEAM], "reply_to_message": _SAID | {"from": US, "chat": CHATS[TEAM], "message_id": 3}}
_CONTACT: dict[str, object] = {
    "contact": {"phone_number": "1", "first_name": "A"},
    "location": {"latitude": 1, "longitude": 1},
}
TELEGRAM_UPDATES: tuple[dict[str, object], ...] = tuple(
    {"update_id": 700, kind: payload}
    for kind, payload in (
        ("message", _SAID),
        ("message", _SAID | _PHOTO | {"caption": "look", "media_group_id": "1"}),
        ("message", _SAID | _CONTACT),
        ("message", _SAID | _POLL),
        ("message", _IN_TEAM),
        ("message", _IN_TEAM | {"quote": {"text": "q", "position": 0}, "external_reply": {"origin": {"type": "user"}}}),
        ("message", _SAID | {"migrate_to_chat_id": -1001}),
        ("edited_message", _SAID | {"edit_date": DATE}),
        (
            "message_reaction",
            {
                "chat": CHATS[TEAM],
                "message_id": 3,
                "date": DATE,
                "user": WRITER,
                "old_reaction": [],
                "new_reaction": [{"type": "emoji", "emoji": "🤝"}],
            },
        ),
        (
            "callback_query",
            {"id": "1", "from": WRITER, "chat_instance": "1", "data": "billing", "message": _SAID | {"from": US}},
        ),
        (
            "my_chat_member",
            {
                "chat": CHATS[TEAM],
                "from": WRITER,
                "date": DATE,
                "old_chat_member": {"status": "member", "user": US},
                "new_chat_member": {"status": "kicked", "user": US, "until_date": 0},
            },
        ),
    )
)
_REF: dict[str, object] = {"room": "billing", "id": "post-7"}
PAGE: Mapping[Callable[[object], object], dict[str, object]] = {
    lambda body: web.to_message(body, NOW, "en"): {"room": "customer", "id": "a1", "text": "hello", "thread": "a0"},
    lambda body: web.to_edit(body, {"customer"}, NOW): {"ref": {"room": "customer", "id": "a1"}, "text": "hello"},
    lambda body: web.to_deletion(body, {"customer"}, NOW): {"ref": {"room": "customer", "id": "a1"}},
    lambda body: web.to_note(body, {"billing"}, NOW): {"under": _REF, "id": "a1", "text": "hello", "send": False},
    lambda body: web.to_reaction(body, {"billing"}, NOW): {"ref": _REF, "actor": "lead", "emoji": "💰", "added": True},
    lambda body: web.to_press(body, {"billing"}, NOW): {"ref": _REF, "value": "billing"},
}


def _sound(fact: object) -> None:
    """What the database can store and return unchanged."""
    if not isinstance(fact, FACTS):
        return
    words = [fact.ref.platform, fact.ref.chat, fact.ref.id, clean(getattr(fact, "text", ""))]
    assert [word.encode("utf-8").decode("utf-8") for word in map(clean, words)] == list(map(clean, words))
    assert fact.at.tzinfo is not None


@given(bent(*SLACK_EVENTS))
def test_slacks_events(payload: dict[str, object]) -> None:
    _sound(slack.read(payload, EARS))


@given(bent(*SLACK_INTERACTIONS))
def test_slacks_interactions(payload: dict[str, object]) -> None:
    interaction(payload)


@given(bent_in_kind(*TELEGRAM_UPDATES))
def test_telegrams_updates(payload: dict[str, object]) -> None:
    """Of the types in its API: what the library itself cannot read is skipped and logged (`inbound.take`)."""
    update = None
    with suppress(Exception):
        update = Update.de_json(payload)
    for fact in telegram.read(update, TELEGRAM) if update is not None else ():
        _sound(fact)


@pytest.mark.parametrize("read", PAGE, ids=["message", "edit", "deletion", "note", "reaction", "press"])
def test_the_pages_json(read: Callable[[object], object]) -> None:
    @given(bent(PAGE[read]) | VALUES)
    def look(body: object) -> None:
        with suppress(UsageError):
            _sound(read(body))

    look()
