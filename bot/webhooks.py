"""Webhooks, put together: a sender for each that the settings have."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from bot.flow.webhooks import WebhookSender
from bot.http.webhook_line import open_webhook_line
from bot.settings import Settings
from bot.store import Store, now
from db.webhooks import PostgresWebhookEvents


async def webhook_senders(settings: Settings, store: Store, stack: AsyncExitStack) -> Sequence[WebhookSender]:
    """From now on events are written for the webhooks of the settings; these send them. Raises Unreachable."""
    events = PostgresWebhookEvents(store.database)
    await events.declare(settings.webhooks)
    if not settings.webhooks:
        return []
    line = await stack.enter_async_context(open_webhook_line())
    return [WebhookSender(webhook, events, line, now) for webhook in settings.webhooks]
