"""Webhooks: the events that other programs get, what each event holds, and how they know that it comes from us."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import MessageRef
from bot.domain.rich_text import plain

STEP = "webhook"
"""The name of sending them in logs, metrics and `switchboard failed`."""
SIGNATURE = "Switchboard-Signature"
MOST_WAITING = 10_000
"""The most events of one webhook that wait. Beyond it the oldest are set aside: a receiver that is down for a day must
not fill the database, and when it is back the newest matter most."""
KEPT_DAYS = 30
"""How long events can be sent again."""
_FAULT_OF_THE_EVENT = (400, 413, 422)
"""Statuses for an event that the receiver will never take: waiting would hold up the events after it."""


class EventKind(StrEnum):
    """What happened."""

    DECIDED = "decided"
    CORRECTED = "corrected"
    TAKEN = "taken"
    CLOSED = "closed"
    PROMOTED = "promoted"
    TEST = "test"
    """Sent by a command alone; settings cannot name it."""


TOLD = tuple(kind for kind in EventKind if kind is not EventKind.TEST)
"""The events that the settings may name."""
WITH_TEXT = (EventKind.DECIDED, EventKind.CORRECTED)
"""The events that may hold people's words."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A program that gets events, as the settings define it."""

    name: str
    url: str = field(repr=False)
    """It may hold a token."""
    events: frozenset[EventKind]
    secret: str = field(repr=False)
    texts: bool = False
    """Whether it gets what people wrote."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """An event for one webhook."""

    id: int
    """The number of its row."""
    event_id: str
    """Lets a receiver recognise an event that it got before."""
    kind: EventKind
    at: datetime
    data: Mapping[str, object]
    conversation: int | None = None
    source: MessageRef | None = None
    """The conversation's first message."""
    text: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookState:
    """How far a webhook is."""

    waiting: int = 0
    set_aside: int = 0
    last_sent: datetime | None = None


class WebhookEvents(Protocol):
    """The events that wait for their webhooks."""

    async def declare(self, webhooks: Sequence[Webhook]) -> None:
        """From now on write events for these webhooks alone; those written for others are removed."""

    async def claim(self, webhook: str, now: datetime, limit: int) -> Sequence[WebhookEvent]:
        """Claim up to `limit` events for a minute, oldest first, of each conversation only the first that waits."""

    async def sent(self, event: int, now: datetime) -> None:
        """Record that the receiver took it. Idempotent."""

    async def tidy(self, webhook: str, now: datetime) -> int:
        """Set aside the oldest where too many wait, and remove what is too old; how many were set aside."""

    async def states(self) -> Mapping[str, WebhookState]:
        """Webhook -> its state, also for those that the settings no longer have."""

    async def replay(self, webhook: str, since: datetime, until: datetime) -> int:
        """Let everything of that time be sent again, under its old ids; how many events."""


class WebhookLine(Protocol):
    """The way to receivers."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send the body; the status of the answer, whatever it is. Raises Unreachable."""


def body_of(event: WebhookEvent, texts: bool) -> bytes:
    """The body of a request: JSON in UTF-8, the same for the same event, unless words were removed since."""
    told: dict[str, object] = {
        "id": event.event_id,
        "event": event.kind.value,
        "at": event.at.isoformat(timespec="milliseconds"),
        **event.data,
    }
    if event.conversation is not None:
        told["conversation"] = event.conversation
    if event.source is not None:
        told["source"] = {"platform": event.source.platform, "chat": event.source.chat, "message": event.source.id}
    if texts and event.kind in WITH_TEXT:
        told["text"] = plain(event.text or "")
    return json.dumps(told, ensure_ascii=False).encode()


def signature(secret: str, body: bytes, now: datetime) -> str:
    """Stripe's scheme, which many libraries verify: HMAC-SHA256 over "time.body", and that time beside it.

    The time is signed, so that nobody can send an old request again later.
    """
    time = int(now.timestamp())
    made = hmac.new(secret.encode(), b"%d.%b" % (time, body), hashlib.sha256).hexdigest()
    return f"t={time},v1={made}"


def check_answer(webhook: str, status: int) -> None:
    """Raise Unreachable where a later attempt may succeed, even at a mistaken address; Refused where none will."""
    if 200 <= status < 300:
        return
    if status in _FAULT_OF_THE_EVENT:
        raise Refused(f"webhook {webhook}: the receiver refused it with {status}")
    if 300 <= status < 400:
        raise Unreachable(f"webhook {webhook}: the receiver redirects ({status}); write its final address as url")
    raise Unreachable(f"webhook {webhook}: the receiver answered {status}")
