"""Sends webhooks over HTTP: one POST, no redirects, no proxy from the environment."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from bot.domain.errors import Unreachable
from bot.domain.webhooks import WebhookLine

PATIENCE = 10.0
"""Seconds for an answer: a receiver should store the event and answer, and process it afterwards."""


class HttpWebhookLine:
    """Posts over HTTP; only the status of an answer is read."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Post and return the status. Raises Unreachable with the kind of error alone: an address may hold a token."""
        try:
            async with self._client.stream("POST", url, content=body, headers=dict(headers)) as answer:
                return answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise Unreachable(f"the receiver does not answer ({type(error).__name__})") from error


@asynccontextmanager
async def open_webhook_line(patience: float = PATIENCE) -> AsyncIterator[HttpWebhookLine]:
    """A client for any number of receivers."""
    async with httpx.AsyncClient(
        timeout=patience,
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": "switchboard-webhooks"},
    ) as client:
        yield HttpWebhookLine(client)


_: type[WebhookLine] = HttpWebhookLine
