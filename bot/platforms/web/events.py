"""The page's requests as facts: JSON in; messages, edits, notes, reactions and presses out. Pure.

Every function raises UsageError with a sentence for the person at the page when the input is invalid.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import datetime

from bot.domain.errors import UsageError
from bot.domain.messages import (
    MAX_TEXT,
    Deletion,
    Edit,
    Message,
    MessageRef,
    Note,
    Person,
    Place,
    Press,
    Reaction,
    clean,
)
from bot.domain.rich_text import bare

NAME = "web"
PEOPLE = {"customer": "Customer", "employee": "Employee", "lead": "Lead"}
PERSON_ROOMS = ("customer", "employee")
LEAD = "lead"

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OURS = "post-"
_MAX_EMOJI = 12
_SELECTORS = {"\ufe0e", "\ufe0f"}


def to_message(body: object, now: datetime, language: str | None) -> Message:
    """A person's message.

    Without `thread` it opens one; its `id` is chosen by the page, so that a repeat is recognised.
    """
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


def to_edit(body: object, rooms: Collection[str], now: datetime) -> Edit:
    """New words for a person's message in one of these rooms."""
    fields = _fields(body)
    return Edit(_written(fields, rooms), _words(_text(fields, "text")), now)


def to_deletion(body: object, rooms: Collection[str], now: datetime) -> Deletion:
    """The deletion of a person's message in one of these rooms."""
    return Deletion(_written(_fields(body), rooms), now)


def to_note(body: object, rooms: Collection[str], now: datetime) -> Note:
    """The lead's note under a card in one of these rooms; it is sent to the person only when the page says `send`."""
    fields = _fields(body)
    under = _ref(fields, "under", rooms)
    return Note(
        ref=MessageRef(NAME, under.chat, _id(_text(fields, "id"), "id")),
        under=under,
        author=_person(LEAD, None),
        text=_words(_text(fields, "text")),
        at=now,
        send=_flag(fields, "send"),
    )


def to_reaction(body: object, rooms: Collection[str], now: datetime) -> Reaction:
    """An emoji put on, or taken off, a message in one of these rooms."""
    fields = _fields(body)
    ref = _ref(fields, "ref", rooms)
    actor = _text(fields, "actor")
    if actor not in PEOPLE:
        raise UsageError(f"Nobody here is called that; there are {', '.join(PEOPLE)}.")
    added = _flag(fields, "added")
    try:
        emoji = normal(_text(fields, "emoji"))
    except ValueError as error:
        raise UsageError(f"A reaction needs an emoji: {error}.") from error
    return Reaction(ref, _person(actor, None), emoji, added, now)


def to_press(body: object, rooms: Collection[str], now: datetime) -> Press:
    """A press on a button in one of these rooms: by its person in a person's room, by the lead in a team's."""
    fields = _fields(body)
    ref = _ref(fields, "ref", rooms)
    who = ref.chat if ref.chat in PERSON_ROOMS else LEAD
    return Press(ref, _person(who, None), _id(_text(fields, "value"), "value"), now)


def receipt(post: int) -> str:
    """The id of a post in the chat: always the same for the same post."""
    return f"{_OURS}{post}"


def normal(written: str) -> str:
    """One emoji without skin tone and variation selector. Raises ValueError when it is not an emoji."""
    kept = "".join(c for c in written.strip() if c not in _SELECTORS and not "\U0001f3fb" <= c <= "\U0001f3ff")
    if not 0 < len(kept) <= _MAX_EMOJI or any(c.isspace() or c.isalpha() for c in kept):
        raise ValueError("write one emoji, like 💰")
    if not any(unicodedata.category(c) in ("So", "Me") or ord(c) > 0xFFFF for c in kept):
        # ⁉ and ↔ are punctuation and mathematics in Unicode; they are no loss as a team's emoji
        raise ValueError("write one emoji, like 💰")
    return kept


def spoken(accept_language: str | None) -> str | None:
    """The browser's preferred language, as an IETF tag; None when it names none."""
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


def _flag(fields: Mapping[str, object], key: str) -> bool:
    value = fields.get(key)
    if not isinstance(value, bool):
        raise UsageError(f"“{key}” must be true or false.")
    return value


def _id(value: str, key: str, ours: bool = False) -> str:
    if not _ID.fullmatch(value):
        raise UsageError(f"“{key}” must be 1 to 64 letters, digits, - and _.")
    if value.startswith(_OURS) and not ours:
        raise UsageError(f"“{key}” must not begin with {_OURS}, which is for the bot's own messages.")
    return value


def _ref(fields: Mapping[str, object], key: str, rooms: Collection[str], ours: bool = True) -> MessageRef:
    ref = fields.get(key)
    if not isinstance(ref, dict):
        raise UsageError(f"“{key}” is missing: which message is it?")
    room = _text(ref, "room")
    if room not in rooms:
        raise UsageError("There is no such room here.")
    return MessageRef(NAME, room, _id(_text(ref, "id"), key, ours))


def _written(fields: Mapping[str, object], rooms: Collection[str]) -> MessageRef:
    """A ref to a person's message; the bot's own posts cannot be changed from the page."""
    return _ref(fields, "ref", rooms, ours=False)


def _words(text: str) -> str:
    if len(text.strip()) > MAX_TEXT:
        raise UsageError(f"That is {len(text.strip()):,} characters; please send at most {MAX_TEXT:,} at a time.")
    kept = clean(bare(text))
    if not kept:
        raise UsageError("There is nothing in this message; write a few words.")
    return kept


def _person(who: str, language: str | None) -> Person:
    return Person(NAME, who, PEOPLE[who], language)
