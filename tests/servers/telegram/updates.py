"""Delivering updates: stored allowed_updates, long polling by one poller at a time, or a webhook."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.servers.telegram.state import ApiError
from tests.servers.wire import Json

ALL = frozenset(
    {
        "message",
        "edited_message",
        "callback_query",
        "my_chat_member",
        "chat_member",
        "message_reaction",
        "message_reaction_count",
    }
)
HOOKED = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
OVERTAKEN = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
DEFAULT = ALL - {"chat_member", "message_reaction", "message_reaction_count"}


@dataclass(slots=True)
class Webhook:
    """The address to which updates are posted; set another `secret` to forge; `statuses` are the answers so far."""

    url: str
    secret: str
    max_connections: int = 40
    statuses: list[int] = field(default_factory=list)
    last_error: str | None = None


class Feed:
    """The updates that wait for the bot. An update whose type is not allowed at its time is never created."""

    def __init__(self) -> None:
        self.allowed: frozenset[str] = DEFAULT
        self.pending: dict[int, Json] = {}
        self.hook: Webhook | None = None
        self._last_id = 700_000_000
        self._poll = 0
        self._closed = False
        self._changed = asyncio.Event()

    def add(self, kind: str, payload: object) -> int | None:
        """The update's id, or None if the bot did not request its type."""
        if kind in ALL and kind not in self.allowed:
            return None
        self._last_id += 1
        self.pending[self._last_id] = {"update_id": self._last_id, kind: payload}
        self._notify()
        return self._last_id

    def allow(self, kinds: Iterable[str]) -> None:
        """An empty list means the default types, as in the Bot API."""
        self.allowed = frozenset(kinds) or DEFAULT

    def confirm(self, before: int) -> None:
        self.pending = {number: update for number, update in self.pending.items() if number >= before}

    def set_hook(self, hook: Webhook | None, *, drop: bool) -> None:
        self.hook = hook
        if drop:
            self.pending = {}
        self._notify()

    async def poll(self, offset: int, limit: int, timeout: float) -> list[Json]:
        """Updates from offset on, waiting for one; a newer poll ends this one with a conflict."""
        self._poll += 1
        mine = self._poll
        self._notify()
        if self.hook is None:
            self.confirm(offset if offset >= 0 else self._last_id + 1 + offset)
        deadline = time.monotonic() + timeout
        while True:
            if self.hook is not None:
                raise ApiError(409, HOOKED)
            if mine != self._poll:
                raise ApiError(409, OVERTAKEN)
            left = deadline - time.monotonic()
            if self.pending or left <= 0 or self._closed:
                return list(self.pending.values())[:limit]
            await self.changed(left)

    async def changed(self, within: float | None = None) -> None:
        """Wait for something to happen, at most so many seconds."""
        try:
            await asyncio.wait_for(self._changed.wait(), within)
        except TimeoutError:
            return

    def close(self) -> None:
        self._closed = True
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


async def push(feed: Feed, client: ClientSession, retry_seconds: float) -> None:
    """Post to the webhook continually. A refused update is sent again later and does not stop those behind it."""
    while True:
        hook = feed.hook
        if hook is None or not feed.pending:
            await feed.changed()
            continue
        for number, update in list(feed.pending.items()):
            if feed.hook is hook and await _posted(hook, update, client):
                feed.pending.pop(number, None)
        if feed.pending and feed.hook is hook:
            await asyncio.sleep(retry_seconds)


async def _posted(hook: Webhook, update: Json, client: ClientSession) -> bool:
    headers = {"X-Telegram-Bot-Api-Secret-Token": hook.secret} if hook.secret else {}
    try:
        async with client.post(hook.url, json=update, headers=headers, timeout=ClientTimeout(total=10)) as answer:
            hook.statuses.append(answer.status)
            hook.last_error = None if answer.ok else f"Wrong response from the webhook: {answer.status}"
            return answer.ok
    except (ClientError, TimeoutError) as error:
        hook.last_error = f"Connection failed: {type(error).__name__}"
        return False
