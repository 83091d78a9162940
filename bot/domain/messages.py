"""Who says what to whom, and where: the words every platform speaks with the rest of the bot."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

MAX_TEXT = 8_000
"""Characters of one message that we keep: twice the longest message of Slack or Telegram."""


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


@dataclass(frozen=True, slots=True)
class Message:
    """Something a person wrote to us; `text` is empty when there was nothing to read (a sticker, a voice note)."""

    ref: MessageRef
    place: Place
    """Where the answer belongs. In a threaded platform the thread is the first message's own id."""
    author: Person
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji put on a message or taken away. `emoji` is in the platform's normal form."""

    ref: MessageRef
    actor: Person
    emoji: str
    added: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Press:
    """A button of one of our posts, pressed. `value` is what we put on the button, or a forgery: check it."""

    ref: MessageRef
    actor: Person
    value: str
    at: datetime


def clean(text: str) -> str:
    """The text as we keep it: storable in PostgreSQL, composed (NFC), at most MAX_TEXT characters. Idempotent."""
    storable = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFC", storable).strip()[:MAX_TEXT]


_GREETINGS = frozenset(
    "hi hello hey hiya yo morning afternoon evening good day there all team thanks thank you thx ty cheers ok okay "
    "oi olá ola opa bom dia boa tarde noite obrigado obrigada valeu "
    "hola buenos buenas días dias tardes noches gracias vale".split()
)


def has_words(text: str) -> bool:
    """Whether there is something to classify: a greeting, a thank-you or an emoji alone is not."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    return any(len(word) > 1 and word not in _GREETINGS for word in words)


def joined(texts: list[str]) -> str:
    """A burst of messages as the one text that is classified; greetings fall away when there is more."""
    meaningful = [text for text in texts if has_words(text)]
    return "\n".join(meaningful or texts)
