"""Webhooks: which events other programs are told of, what each is told, and how they know that it was us."""

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
"""The word for sending them in logs, metrics and `switchboard failed`."""
SIGNATURE = "Switchboard-Signature"
MOST_WAITING = 10_000
"""Events of one webhook that wait at most. Of more, the oldest are set aside: a receiver that is down for a day must
not fill the database, and what is newest matters most to one that comes back."""
KEPT_DAYS = 30
"""For so long events can be sent again."""
_FAULT_OF_THE_EVENT = (400, 413, 422)
"""What a receiver answers to an event that it will never take: waiting would hold up what comes after it."""


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
"""The events that are about words."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A program that is told of events, as the settings have it."""

    name: str
    url: str = field(repr=False)
    """It may hold a token."""
    events: frozenset[EventKind]
    secret: str = field(repr=False)
    texts: bool = False
    """Whether it is told what people wrote."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """Something that happened, to be told to one webhook."""

    id: int
    """Its row."""
    event_id: str
    """By which a receiver knows an event that it was told before."""
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
        """From now on events are written for these webhooks, and for no other; what was written for others goes."""

    async def claim(self, webhook: str, now: datetime, limit: int) -> Sequence[WebhookEvent]:
        """Up to `limit` events, oldest first, of each conversation only the first that waits; held for a minute."""

    async def sent(self, event: int, now: datetime) -> None:
        """It was taken. Again changes nothing."""

    async def tidy(self, webhook: str, now: datetime) -> int:
        """Set aside the oldest where too many wait, and forget what is too old; how many were set aside."""

    async def states(self) -> Mapping[str, WebhookState]:
        """By webhook, those that the settings no longer have included."""

    async def replay(self, webhook: str, since: datetime, until: datetime) -> int:
        """Let everything of that time be sent again, under its old ids; how many events."""


class WebhookLine(Protocol):
    """The way to receivers."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer, whatever it is. Raises Unreachable."""


def body_of(event: WebhookEvent, texts: bool) -> bytes:
    """What a receiver is told: JSON in UTF-8, the same for the same event whenever it is sent, unless words went."""
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
    """Raises Unreachable where a later attempt may be taken, a mistaken address included; Refused where none will."""
    if 200 <= status < 300:
        return
    if status in _FAULT_OF_THE_EVENT:
        raise Refused(f"webhook {webhook}: the receiver refused it with {status}")
    if 300 <= status < 400:
        raise Unreachable(f"webhook {webhook}: the receiver redirects ({status}); write its final address as url")
    raise Unreachable(f"webhook {webhook}: the receiver answered {status}")
