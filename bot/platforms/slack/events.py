"""What Slack sends, as facts: payload in, Message, Reaction or Press out; None for what is not our business. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.messages import Message, MessageRef, Person, Place, Press, Reaction

NAME = "slack"
BUTTON = "choose_"
"""What the action id of every button of ours begins with."""

Payload = Mapping[str, object]

_SPOKEN = (None, "file_share", "thread_broadcast", "me_message")
"""Subtypes in which a person says something; all others are edits, deletions and housekeeping."""
_SLACKBOT = "USLACKBOT"
_ALIASES = {
    # Short names of one character in iamcal/emoji-data, which Slack's names come from; Slack sends the right-hand one.
    "thumbsup": "+1",
    "thumbsdown": "-1",
    "collision": "boom",
    "cooking": "fried_egg",
    "envelope": "email",
    "heavy_exclamation_mark": "exclamation",
    "honeybee": "bee",
    "knife": "hocho",
    "lady_beetle": "ladybug",
    "lantern": "izakaya_lantern",
    "open_book": "book",
    "paw_prints": "feet",
    "pencil": "memo",
    "poop": "hankey",
    "punch": "facepunch",
    "raised_hand": "hand",
    "red_car": "car",
    "running": "runner",
    "sailboat": "boat",
    "satisfied": "laughing",
    "shocked_face_with_exploding_head": "exploding_head",
    "shoe": "mans_shoe",
    "telephone": "phone",
    "tshirt": "shirt",
}


@dataclass(frozen=True, slots=True)
class Ears:
    """Who we are in Slack and where everything that is said is meant for us."""

    user: str
    """Our own user id."""
    intake: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()
    """The teams' channels: what is said there is between colleagues, never a request."""


def read(payload: Payload, ears: Ears) -> Message | Reaction | Press | None:
    """What happened, of all that Slack delivers. Malformed payloads are None, never an error."""
    if payload.get("type") == "block_actions":
        return _press(payload)
    event = inner(payload, "event")
    kind = event.get("type")
    if kind in ("message", "app_mention"):
        return _message(event, ears)
    if kind in ("reaction_added", "reaction_removed"):
        return _reaction(event, ears)
    return None


def normal(written: str) -> str:
    """An emoji as settings and events are compared: its first short name. Raises ValueError for anything else."""
    name = re.sub(r"::skin-tone-\d$", "", written.strip().strip(":").lower())
    if not name or len(name) > 100 or not all(_may_name(char) for char in name):
        raise ValueError(f"{written!r} is no short name; write an emoji as Slack names it, like moneybag for 💰")
    return _ALIASES.get(name, name)


def readable(text: str, own: str) -> str:
    """Slack's notation as a person would read it: links by their label, no ids, our own mention left out."""
    spoken = re.sub(rf"<@{re.escape(own)}(?:\|[^<>]*)?>[,:]?", " ", text) if own else text
    plain = re.sub(r"<([^<>]+)>", _plain, spoken)
    # &amp; last, so that a person's own "&lt;" stays what it was
    decoded = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return re.sub(r"[ \t]{2,}", " ", decoded).strip()


def inner(payload: Payload, key: str) -> Payload:
    """The object under that key; an empty one when there is none."""
    value = payload.get(key)
    return value if isinstance(value, dict) else {}


def word(payload: Payload, key: str) -> str:
    """The text under that key; empty when there is none."""
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def _message(event: Payload, ears: Ears) -> Message | None:
    """None for what bots say, for what is not said to us, and for what is no saying at all."""
    user, channel, ts = word(event, "user"), word(event, "channel"), word(event, "ts")
    at = _time(ts)
    if at is None or not channel or not _is_person(event, user, ears) or not _is_for_us(event, channel, ears):
        return None
    return Message(
        ref=MessageRef(NAME, channel, ts),
        place=Place(NAME, channel, word(event, "thread_ts") or ts),
        # An id is enough: within the one workspace that a token belongs to, Slack gives no two people the same.
        author=Person(NAME, user),
        text=readable(word(event, "text"), ears.user),
        at=at,
    )


def _is_person(event: Payload, user: str, ears: Ears) -> bool:
    # Other bots' messages come without a subtype, too; answering them is how two bots talk for ever.
    if event.get("subtype") not in _SPOKEN or event.get("hidden") or event.get("bot_id"):
        return False
    return user not in ("", ears.user, _SLACKBOT)


def _is_for_us(event: Payload, channel: str, ears: Ears) -> bool:
    """A mention and the message event of one post have one ref, so both may pass."""
    if channel in ears.rooms:
        return False
    addressed = event.get("type") == "app_mention" or event.get("channel_type") == "im"
    return addressed or channel in ears.intake


def _reaction(event: Payload, ears: Ears) -> Reaction | None:
    item, user, at = inner(event, "item"), word(event, "user"), _time(word(event, "event_ts"))
    channel, ts = word(item, "channel"), word(item, "ts")
    if at is None or item.get("type") != "message" or not channel or not ts or user in ("", ears.user):
        return None
    try:
        name = normal(word(event, "reaction"))
    except ValueError:
        return None
    added = event.get("type") == "reaction_added"
    return Reaction(MessageRef(NAME, channel, ts), Person(NAME, user), name, added, at)


def _press(payload: Payload) -> Press | None:
    container, user = inner(payload, "container"), word(inner(payload, "user"), "id")
    actions = payload.get("actions")
    action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
    at = _time(word(action, "action_ts"))
    channel, ts = word(container, "channel_id"), word(container, "message_ts")
    if at is None or not user or not channel or not ts or not word(action, "action_id").startswith(BUTTON):
        return None
    return Press(MessageRef(NAME, channel, ts), Person(NAME, user), word(action, "value"), at)


def _plain(token: re.Match[str]) -> str:
    """One <…> of Slack's notation in words."""
    target, _, label = token[1].partition("|")
    sort = target[:1]
    if sort == "@":
        return f"@{label or 'someone'}"
    if sort == "#":
        return f"#{label or 'channel'}"
    if sort == "!":
        return label or f"@{target[1:].partition('^')[0]}"
    return label or target.removeprefix("mailto:").removeprefix("tel:")


def _may_name(char: str) -> bool:
    # Custom emoji may be named in any script, whose vowel signs are marks; a variation selector is one, too.
    return char in "_-+'&.()" or (unicodedata.category(char)[0] in "LNM" and char not in "\ufe0e\ufe0f\u20e3")


def _time(ts: str) -> datetime | None:
    """When, by one of Slack's timestamps; None when it is none. (As a key, a ts stays the text it is.)"""
    found = re.fullmatch(r"(\d{1,11})(?:\.(\d{1,6}))?", ts)
    if found is None:
        return None
    fraction = timedelta(microseconds=int((found[2] or "").ljust(6, "0")))
    return datetime.fromtimestamp(int(found[1]), UTC) + fraction
