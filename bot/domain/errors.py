"""Everything that can go wrong, named by what the caller can do about it."""

from collections.abc import Sequence
from datetime import timedelta


class SwitchboardError(Exception):
    """Something went wrong that Switchboard foresaw."""


class Unreachable(SwitchboardError):
    """The other side did not answer. The same call may succeed later."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """How long the other side asked us to wait; None when it did not say."""


class DatabaseUnreachable(Unreachable):
    """The database did not answer, or cannot be used now. It may at any moment, so those who wait can be woken."""


class ChatMoved(Unreachable):
    """The chat has another id from now on. The same call will succeed there."""

    def __init__(self, message: str, chat: str) -> None:
        super().__init__(message)
        self.chat = chat
        """Its new id, as `Place.chat` holds it."""


class Refused(SwitchboardError):
    """The other side understood and said no. The same call will never succeed."""


class NotTrained(Refused):
    """The base model has no answers before an adapter is trained for the task. Nothing is broken."""


class UsageError(SwitchboardError):
    """What the caller asked for makes no sense here; the message says what to change."""


class SecretMistake(str):
    """A secret that is missing or wrong: a mistake only for those who use the part of the settings that needs it."""

    part: str
    """That part, like `platforms.slack`; empty where its reader knows it."""

    def __new__(cls, told: str, part: str = "") -> "SecretMistake":
        made = super().__new__(cls, told)
        made.part = part
        return made


class ConfigError(UsageError):
    """The settings hold mistakes, all of them listed."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


class TrainingFailed(SwitchboardError):
    """The training process ended without an adapter; the message ends with its last output."""


class ClaimLost(SwitchboardError):
    """Another process now holds what this one had claimed; nothing was stored."""
