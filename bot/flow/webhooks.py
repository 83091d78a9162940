"""Sends events to other programs: one event a request, those of a conversation one after another."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from bot.domain.errors import SwitchboardError
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change
from bot.domain.webhooks import (
    SIGNATURE,
    STEP,
    Webhook,
    WebhookEvent,
    WebhookEvents,
    WebhookLine,
    body_of,
    check_answer,
    signature,
)
from bot.flow.step import Step

log = logging.getLogger(__name__)

_TIDY_EVERY = timedelta(minutes=1)


async def post_event(line: WebhookLine, webhook: Webhook, event: WebhookEvent, now: datetime) -> None:
    """Send one event, signed. Raises Unreachable or Refused."""
    body = body_of(event, webhook.texts)
    headers = {"Content-Type": "application/json", SIGNATURE: signature(webhook.secret, body, now)}
    check_answer(webhook.name, await line.post(webhook.url, body, headers))


class WebhookSender(Step[WebhookEvent]):
    """Sends one webhook its events. Each webhook has a sender of its own, so that none waits for another's receiver.

    At least once: an event whose receipt was not confirmed is sent again under the same id. While a receiver takes
    nothing it is tried with one event at a time.
    """

    name: ClassVar[str] = STEP
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.OWED, Change.MODEL})

    def __init__(self, webhook: Webhook, events: WebhookEvents, line: WebhookLine, now: Callable[[], datetime]) -> None:
        self._webhook = webhook
        self._events = events
        self._line = line
        self._now = now
        self._takes_none = False
        self._tidied: datetime | None = None

    @property
    def webhook(self) -> str:
        """The name of the webhook."""
        return self._webhook.name

    async def claim(self, limit: int, at_work: Sequence[WebhookEvent] = ()) -> Sequence[WebhookEvent]:
        now = self._now()
        if self._tidied is None or now - self._tidied >= _TIDY_EVERY:
            await self._tidy(now)
        if self._takes_none:
            limit = 0 if at_work else 1
        return await self._events.claim(self._webhook.name, now, limit) if limit else []

    async def handle(self, item: WebhookEvent) -> None:
        try:
            await post_event(self._line, self._webhook, item, self._now())
        except SwitchboardError:
            self._takes_none = True
            raise
        self._takes_none = False
        await self._events.sent(item.id, self._now())

    def key(self, item: WebhookEvent) -> ItemKey:
        return ItemKey(self.name, str(item.id))

    async def _tidy(self, now: datetime) -> None:
        if aside := await self._events.tidy(self._webhook.name, now):
            about = {"webhook": self._webhook.name, "events": aside, "remedy": "switchboard failed list"}
            log.error("webhook events set aside, too many wait", extra=about)
        self._tidied = now
