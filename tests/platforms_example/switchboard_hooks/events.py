"""What the chat posts, as facts: JSON in; messages, notes and reactions out. Pure. Raises UsageError."""

from collections.abc import Mapping
from datetime import datetime

from bot.domain.errors import UsageError
from bot.domain.messages import Message, MessageRef, Note, Person, Place, Press, Reaction, clean
from switchboard_hooks import NAME, PLATFORM

Fact = Message | Note | Reaction | Press


def read(kind: str, body: object, now: datetime) -> Fact:
    """The fact in what was posted to `/hooks/KIND`."""
    if not isinstance(body, dict):
        raise UsageError("send one JSON object")
    who = Person(NAME, _text(body, "by"))
    match kind:
        case "messages":
            ref = MessageRef(NAME, _text(body, "room"), _text(body, "id"))
            return Message(ref, Place(NAME, ref.chat, ref.id), who, clean(_text(body, "text")), now)
        case "notes":
            ref, under = MessageRef(NAME, _text(body, "room"), _text(body, "id")), _post(body)
            return Note(ref, under, who, clean(_text(body, "text")), now)
        case "reactions":
            return Reaction(_post(body), who, _emoji(body), body.get("added", True) is True, now)
        case "presses":
            return Press(_post(body), who, _text(body, "value"), now)
    raise UsageError("post messages, notes, reactions or presses")


def _post(body: Mapping[str, object]) -> MessageRef:
    """The post in the room to which it refers."""
    return MessageRef(NAME, _text(body, "room"), _text(body, "on"))


def _emoji(body: Mapping[str, object]) -> str:
    try:
        return PLATFORM.emoji(_text(body, "emoji"))
    except ValueError as error:
        raise UsageError(str(error)) from error


def _text(body: Mapping[str, object], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{key} is missing")
    return value
