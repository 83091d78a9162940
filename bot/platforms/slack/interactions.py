"""Commands, buttons, shortcuts and forms: a payload in, one intention out. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.messages import MessageRef, Person, Press
from bot.platforms.slack.payload import BUTTON, NAME, Payload, each, inner, moment, word

REPLY_BUTTON = "write_reply"
REPLY_FORM, ROUTE_FORM, ROUTE_SHORTCUT = "reply", "route", "send_to_team"
FIELD = "answer"
"""The block and the element of a form that hold the input."""
LET_IT_DECIDE = "-"
"""The choice in a form that leaves the team to us. No label has this name: names begin with a letter."""
HOME_ROUTE = "home_route"
"""The action id of a team menu in the Home tab; the menu's block id names the conversation."""


class ExtraButton(StrEnum):
    """Buttons of ours that do not answer a post."""

    LEARN = "home_learn"
    ROLLBACK = "home_rollback"
    FORGET = "forget_me"


@dataclass(frozen=True, slots=True)
class Command:
    """`/switchboard …`, as typed."""

    user: str
    channel: str
    verb: str
    rest: str
    respond_to: str
    """The address that accepts answers for this person alone, for half an hour."""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Somebody wants to send this message to a team."""

    user: str
    channel: str
    message: Payload
    trigger: str
    """Opens a form, within three seconds."""
    respond_to: str


@dataclass(frozen=True, slots=True)
class ReplyWanted:
    """A press on a card's button that asks for a form to write in."""

    user: str
    card: MessageRef
    trigger: str
    respond_to: str


@dataclass(frozen=True, slots=True)
class Form:
    """A submitted form: which one, the input, and what we had stored in it."""

    id: str
    name: str
    user: str
    answer: str
    notes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A press on a button of the Home tab, or on one that confirms a command."""

    button: ExtraButton
    user: str
    respond_to: str


@dataclass(frozen=True, slots=True)
class HomeChoice:
    """The team that was picked in the Home tab for a conversation."""

    user: str
    source: MessageRef
    team: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ButtonPress:
    """A press for the flow, and the address for replacing the message if only this person sees it."""

    press: Press
    ephemeral: bool
    respond_to: str


Interaction = Command | Shortcut | ReplyWanted | Form | Asked | HomeChoice | ButtonPress


def interaction(payload: Payload) -> Interaction | None:
    """What somebody wants of us; None for events and for elements that are not ours."""
    match payload.get("type"):
        case "block_actions":
            return _action(payload)
        case "message_action" if payload.get("callback_id") == ROUTE_SHORTCUT:
            return _shortcut(payload)
        case "view_submission":
            return _form(payload)
        case _:
            return _command(payload) if payload.get("command") else None


def addressed(ref: MessageRef) -> str:
    """A message's address as one word for a button's value; `address` reads it."""
    return f"{ref.platform} {ref.chat} {ref.id}"


def address(written: str) -> MessageRef | None:
    """The message written by `addressed`; None when the word is none."""
    parts = written.split(" ")
    return MessageRef(*parts) if len(parts) == 3 and all(parts) else None


def linked(text: str) -> MessageRef | None:
    """The message that a Slack permalink in the text leads to; None when there is no such link."""
    found = re.search(r"/archives/([CDG][A-Z0-9]+)/p(\d{5,11})(\d{6})\b", text)
    return MessageRef(NAME, found[1], f"{found[2]}.{found[3]}") if found else None


def _command(payload: Payload) -> Command:
    verb, _, rest = word(payload, "text").strip().partition(" ")
    url = word(payload, "response_url")
    return Command(word(payload, "user_id"), word(payload, "channel_id"), verb.lower(), rest.strip(), url)


def _shortcut(payload: Payload) -> Shortcut | None:
    message, channel, user = inner(payload, "message"), word(inner(payload, "channel"), "id"), _user(payload)
    if not channel or not user or not moment(word(message, "ts")):
        return None
    return Shortcut(user, channel, message, word(payload, "trigger_id"), word(payload, "response_url"))


def _form(payload: Payload) -> Form:
    view = inner(payload, "view")
    field = inner(view, "state", "values", FIELD, FIELD)
    answer = word(field, "value") or word(inner(field, "selected_option"), "value")
    return Form(word(view, "id"), word(view, "callback_id"), _user(payload), answer, _notes(view))


def _notes(view: Payload) -> dict[str, str]:
    try:
        noted = json.loads(word(view, "private_metadata") or "{}")
    except (ValueError, RecursionError):
        return {}
    return {key: str(value) for key, value in noted.items()} if isinstance(noted, dict) else {}


def _action(payload: Payload) -> Interaction | None:
    action = next(each(payload, "actions"), {})
    user, url, name, at = _user(payload), word(payload, "response_url"), word(action, "action_id"), _at(action)
    if not user or at is None:
        return None
    if name in list(ExtraButton):
        return Asked(ExtraButton(name), user, url)
    if name == HOME_ROUTE:
        source = address(word(action, "block_id"))
        team = word(inner(action, "selected_option"), "value")
        return HomeChoice(user, source, team, at) if source and team else None
    return _on_a_post(payload, action, Person(NAME, user), at)


def _on_a_post(payload: Payload, action: Payload, actor: Person, at: datetime) -> Interaction | None:
    container, url, name = inner(payload, "container"), word(payload, "response_url"), word(action, "action_id")
    channel, ts = word(container, "channel_id"), word(container, "message_ts")
    if not channel or not ts:
        return None
    ref = MessageRef(NAME, channel, ts)
    if name == REPLY_BUTTON:
        return ReplyWanted(actor.id, ref, word(payload, "trigger_id"), url)
    if not name.startswith(BUTTON):
        return None
    return ButtonPress(Press(ref, actor, word(action, "value"), at), container.get("is_ephemeral") is True, url)


def _user(payload: Payload) -> str:
    return word(inner(payload, "user"), "id")


def _at(action: Payload) -> datetime | None:
    return moment(word(action, "action_ts"))
