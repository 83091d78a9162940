"""What the page sends, as facts: JSON in, Message, Reaction or Press out. Pure.

Every function raises UsageError with a sentence for the person at the page when the input makes no sense.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import datetime

from bot.domain.errors import UsageError
from bot.domain.messages import MAX_TEXT, Message, MessageRef, Person, Place, Press, Reaction, clean

NAME = "web"
PEOPLE = {"customer": "Customer", "employee": "Employee", "lead": "Lead"}
PERSON_ROOMS = ("customer", "employee")
LEAD = "lead"

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OURS = "post-"
_MAX_EMOJI = 12
_SELECTORS = {"\ufe0e", "\ufe0f"}


def to_message(body: object, now: datetime, language: str | None) -> Message:
    """What a person wrote. A message without `thread` opens one; `id` is the page's, so that a repeat is no second."""
    fields = _fields(body)
    room = _text(fields, "room")
    if room not in PERSON_ROOMS:
        raise UsageError(f"Nobody writes in that room; people write in {' and '.join(PERSON_ROOMS)}.")
    own = _id(_text(fields, "id"), "id")
    thread = own if fields.get("thread") is None else _id(_text(fields, "thread"), "thread")
    return Message(
        ref=MessageRef(NAME, room, own),
        place=Place(NAME, room, thread),
        author=_person(room, language),
        text=_words(_text(fields, "text")),
        at=now,
    )


def to_reaction(body: object, rooms: Collection[str], now: datetime) -> Reaction:
    """An emoji put on, or taken off, a message in one of these rooms."""
    fields = _fields(body)
    ref = _ref(fields)
    if ref.chat not in rooms:
        raise UsageError("There is no such room here.")
    actor = _text(fields, "actor")
    if actor not in PEOPLE:
        raise UsageError(f"Nobody here is called that; there are {', '.join(PEOPLE)}.")
    added = fields.get("added")
    if not isinstance(added, bool):
        raise UsageError("“added” must be true or false.")
    try:
        emoji = normal(_text(fields, "emoji"))
    except ValueError as error:
        raise UsageError(f"A reaction needs an emoji: {error}.") from error
    return Reaction(ref, _person(actor, None), emoji, added, now)


def to_press(body: object, now: datetime) -> Press:
    """A button pressed in a person's room, by the person whose room it is."""
    fields = _fields(body)
    ref = _ref(fields)
    if ref.chat not in PERSON_ROOMS:
        raise UsageError("There are no buttons in that room.")
    return Press(ref, _person(ref.chat, None), _id(_text(fields, "value"), "value"), now)


def receipt(post: int) -> str:
    """The id under which a post of ours stands in the chat: the same however often it is said."""
    return f"{_OURS}{post}"


def normal(written: str) -> str:
    """One emoji without skin tone and variation selector. Raises ValueError when it is not an emoji."""
    kept = "".join(c for c in written.strip() if c not in _SELECTORS and not "\U0001f3fb" <= c <= "\U0001f3ff")
    if not 0 < len(kept) <= _MAX_EMOJI or any(c.isspace() or c.isalpha() for c in kept):
        raise ValueError("write one emoji, like 💰")
    if not any(unicodedata.category(c) in ("So", "Me") or ord(c) > 0xFFFF for c in kept):
        # ⁉ and ↔ are punctuation and mathematics to Unicode; nobody misses them as a team's sign
        raise ValueError("write one emoji, like 💰")
    return kept


def spoken(accept_language: str | None) -> str | None:
    """The language the browser likes best, as an IETF tag; None when it does not say."""
    first = (accept_language or "").split(",")[0].split(";")[0].strip()
    return first if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", first) else None


def _fields(body: object) -> Mapping[str, object]:
    if not isinstance(body, dict):
        raise UsageError("Send one JSON object.")
    return body


def _text(fields: Mapping[str, object], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str):
        raise UsageError(f"“{key}” is missing or is not a text.")
    return value


def _id(value: str, key: str) -> str:
    if not _ID.fullmatch(value):
        raise UsageError(f"“{key}” must be 1 to 64 letters, digits, - and _.")
    if key != "ref" and value.startswith(_OURS):
        raise UsageError(f"“{key}” must not begin with {_OURS}, which is for the bot's own messages.")
    return value


def _ref(fields: Mapping[str, object]) -> MessageRef:
    ref = fields.get("ref")
    if not isinstance(ref, dict):
        raise UsageError("“ref” is missing: which message is it?")
    return MessageRef(NAME, _id(_text(ref, "room"), "ref"), _id(_text(ref, "id"), "ref"))


def _words(text: str) -> str:
    if len(text.strip()) > MAX_TEXT:
        raise UsageError(f"That is {len(text.strip()):,} characters; please send at most {MAX_TEXT:,} at a time.")
    kept = clean(text)
    if not kept:
        raise UsageError("There is nothing in this message; write a few words.")
    return kept


def _person(who: str, language: str | None) -> Person:
    return Person(NAME, who, PEOPLE[who], language)
