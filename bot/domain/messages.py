"""Who says what to whom, and where: the words every platform speaks with the rest of the bot."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.rich_text import plain, sliced, spoken
from bot.domain.small_talk import is_small_talk

MAX_TEXT = 40_000
"""The most characters of a message that we keep: Slack's longest message has so many."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is said: a chat and, where the platform has them, a thread in it.

    Opaque outside the platform's folder. `thread` is None when the chat itself is meant.
    """

    platform: str
    chat: str
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class MessageRef:
    """One message of a platform. Opaque outside the platform's folder."""

    platform: str
    chat: str
    id: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on a platform. The name is for cards only and never for a log."""

    platform: str
    id: str
    name: str = ""
    language: str | None = None
    """IETF tag as the platform reports it; None when it does not."""
    external: bool = False
    """Whether they are of another company (Slack Connect): they may ask, but neither correct nor see a card."""

    @property
    def key(self) -> str:
        """`platform:id`, the form in which audit rows name somebody."""
        return f"{self.platform}:{self.id}"


class MediaKind(StrEnum):
    """What an attachment is."""

    PHOTO = "photo"
    DOCUMENT = "document"
    VOICE = "voice"
    AUDIO = "audio"
    VIDEO = "video"
    STICKER = "sticker"
    CONTACT = "contact"
    LOCATION = "location"


@dataclass(frozen=True, slots=True)
class Media:
    """Something that came with a message. Its bytes stay with its platform until another platform needs them."""

    platform: str
    id: str
    """Opaque outside the platform's folder."""
    kind: MediaKind
    name: str = ""
    """The file's name, or its content (a contact, a place); empty if there is none."""
    size: int = 0
    """Bytes; 0 if unknown."""
    link: str | None = None
    """Where people of its own platform can look at it; None if there is no such address."""
    cited: bool = False
    """Whether it belongs not to the message itself but to what the message points at."""
    by: str = ""
    """The id of who sent it, or of whom it is about (a contact), where that is not the message's author."""


@dataclass(frozen=True, slots=True)
class File:
    """An attachment's bytes, on their way from one platform to another."""

    media: Media
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """Something a person wrote to us; `text` is empty when there was nothing to read (a sticker, a voice note).

    What is bold, a link or quoted in a text is marked in it: see `bot.domain.rich_text`.
    """

    ref: MessageRef
    place: Place
    """Where the answer belongs. On a threaded platform the thread is the first message's own id."""
    author: Person
    text: str
    at: datetime
    media: tuple[Media, ...] = ()
    opens: bool = False
    """Whether it begins a request of its own, whatever conversation is open (a shortcut, a command)."""
    heard: datetime | None = field(default=None, compare=False)
    """When we received it, by our own clock; None: its platform's clock is ours, too.

    `at` is the platform's clock: it is compared with other times of that platform, never with our own.
    """


@dataclass(frozen=True, slots=True)
class Edit:
    """Somebody changed what a message of theirs says or shows. Only a real change: a link's preview is none."""

    ref: MessageRef
    text: str
    at: datetime
    media: tuple[Media, ...] | None = None
    """Its present attachments; None: they did not change."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """Somebody deleted a message of theirs."""

    ref: MessageRef
    at: datetime
    heard: datetime | None = field(default=None, compare=False)
    """As in `Message`."""


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody of a team wrote under a card: internal until it is sent by an explicit act."""

    ref: MessageRef
    under: MessageRef
    """The card, or any other message in its thread."""
    author: Person
    text: str
    at: datetime
    media: tuple[Media, ...] = ()
    send: bool = False
    """Whether it was written to be sent (a form whose button says so), so that no further act is needed."""
    heard: datetime | None = field(default=None, compare=False)
    """As in `Message`."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji put on a message or taken away. `emoji` is in the platform's normal form."""

    ref: MessageRef
    actor: Person
    emoji: str
    added: bool
    at: datetime
    heard: datetime | None = field(default=None, compare=False)
    """As in `Message`."""
    counted: bool | None = field(default=None, compare=False)
    """Whether its actor might make this statement, when last looked up; None: it was never looked up."""

    @property
    def since(self) -> datetime:
        """When it was added, by our own clock."""
        return self.heard or self.at


@dataclass(frozen=True, slots=True)
class Press:
    """A button of one of our posts, pressed. `value` is what we put on the button, or a forgery: check it."""

    ref: MessageRef
    actor: Person
    value: str
    at: datetime
    heard: datetime | None = field(default=None, compare=False)
    """As in `Message`."""


Fact = Message | Edit | Deletion | Note | Reaction | Press
"""What a platform reports, and what is stored before it is acknowledged."""

_CHOICE = "→"


def choice(label: str, via: str = "") -> str:
    """A lead's statement without emoji (a button, a command), in the form of an emoji, to stand among their reactions.

    With `via`, the emoji that brought the buttons, it stands only as long as that emoji does.
    """
    return f"{via}{_CHOICE}{label}"


def chosen(emoji: str) -> tuple[str, str] | None:
    """(via, label) of an emoji that `choice` made; None for a real emoji."""
    via, arrow, label = emoji.partition(_CHOICE)
    return (via, label) if arrow else None


def clean(text: str) -> str:
    """The text as we keep it: storable in PostgreSQL, composed (NFC), at most MAX_TEXT characters. Idempotent."""
    storable = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    kept = unicodedata.normalize("NFC", storable).strip()
    return sliced(kept, 0, MAX_TEXT).strip() if len(kept) > MAX_TEXT else kept


def clean_name(name: str) -> str:
    """A person's or a file's name on one line, without characters that disguise it.

    Those reverse the direction of writing ("exe.gpj" for "jpg.exe"), take no room, or control a terminal. The joiners
    of emoji and of scripts that need them stay where they join something.
    """
    shown = re.sub(r"\s+", " ", clean(plain(name)))
    kept = "".join(char for at, char in enumerate(shown) if not _is_invisible(char) or _joins(shown, at))
    return kept.strip()


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs") or char in _FILLERS


def _joins(text: str, at: int) -> bool:
    """Whether this is a joiner between two characters of scripts that have joiners."""
    around = text[at - 1 : at] + text[at + 1 : at + 2]
    return text[at] in "\u200c\u200d" and len(around) == 2 and min(around) > "\u0590"


_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")
"""Letters to Unicode that are invisible."""


def has_words(text: str) -> bool:
    """Whether there is anything to classify: a greeting, a thank-you or an emoji alone is not."""
    return not is_small_talk(spoken(text))


def joined(texts: list[str]) -> str:
    """A burst of messages as the one text that is classified; greetings are left out when there is more."""
    meaningful = [text for text in texts if has_words(text)]
    return "\n".join(meaningful or texts)
