"""Puts webhooks together: a sender for each webhook of the settings."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from bot.flow.webhooks import WebhookSender
from bot.http.webhook_line import open_webhook_line
from bot.settings import Settings
from bot.store import Store, now
from db.webhooks import PostgresWebhookEvents


async def webhook_senders(settings: Settings, store: Store, stack: AsyncExitStack) -> Sequence[WebhookSender]:
    """Have events written for the settings' webhooks from now on; return their senders. Raises Unreachable."""
    events = PostgresWebhookEvents(store.database)
    await events.declare(settings.webhooks)
    if not settings.webhooks:
        return []
    line = await stack.enter_async_context(open_webhook_line())
    return [WebhookSender(webhook, events, line, now) for webhook in settings.webhooks]
