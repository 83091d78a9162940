"""The smallest process that sends webhooks: only the step, on a clock that may be ahead.

python -m tests.servers.webhook_sender DATABASE_URL RECEIVER_URL SECONDS_AHEAD
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from bot.domain.webhooks import EventKind, Webhook
from bot.flow.webhooks import WebhookSender
from bot.flow.worker_pool import WorkerPool
from bot.http.webhook_line import open_webhook_line
from bot.lifecycle import Wakeup
from db.engine import open_database
from db.failed_items import PostgresFailedItems
from db.webhooks import PostgresWebhookEvents

NAME, SECRET = "helpdesk", "a-secret-of-more-than-20-characters"


async def main(database_url: str, receiver_url: str, ahead: str) -> None:
    """Run until it is killed."""

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(ahead))

    webhook = Webhook(NAME, receiver_url, frozenset(EventKind), SECRET, texts=False)
    async with open_database(database_url) as database, open_webhook_line() as line:
        sender = WebhookSender(webhook, PostgresWebhookEvents(database), line, now)
        await WorkerPool(sender, PostgresFailedItems(database), now, Wakeup()).run(at_most=0.05, grace=1.0)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
