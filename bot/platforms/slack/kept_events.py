"""Keeps Slack's events until they are stored, acknowledged in time or not.

Slack sends an event that is not acknowledged within three seconds three times more: at once, after one minute and after
five. What cannot be stored in time is therefore not thrown away: it stays in memory, in order and within a budget of
bytes, and is stored when its turn comes. When Slack sends it again, it is stored already and acknowledged at once. So
every event that finds room once is stored, however slow the database is.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from slack_bolt.response import BoltResponse

from bot.domain.errors import Unreachable

AT_ONCE = 256
"""Events in progress at a time: a full batch for each of the ledger's writers."""
ANSWER_SECONDS = 2.5
"""Seconds for an answer, of the three that Slack allows; the answer's way back needs the rest."""
MOST_WAITING = 2_048
"""Requests that may wait for their answer. One more is turned away at once; its event is kept."""
MOST_BYTES = 64 << 20
EACH = 4 << 10
"""Bytes that a kept event needs besides its body."""
_TRY_SECONDS = 600.0
"""Seconds for which storing is tried again: longer than Slack sends an event again."""
_LONGEST_PAUSE = 30.0
_MOST_REMEMBERED = 20_000
_NOT_STORED = 503

Take = Callable[[bytes], Awaitable[BoltResponse]]


@dataclass(slots=True)
class _Kept:
    """An event that is not stored yet."""

    answer: asyncio.Future[BoltResponse] = field(init=False)
    waiters: int = 0
    """How many requests wait for its answer."""
    repeated: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when Slack sends it again."""


class KeptEvents:
    """The events that are not stored yet, by Slack's id."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)
        self._kept: dict[str, _Kept] = {}
        self._stored_unheard: OrderedDict[str, None] = OrderedDict()
        """Events that were stored after every request that brought them had been turned away."""
        self._waiting = 0
        self.bytes = 0
        """What is kept, in bytes; at most `MOST_BYTES`."""

    async def taken(self, event: str, body: bytes, take: Take) -> BoltResponse:
        """The answer of `take` to the event. A repeat joins the request that is in progress.

        Raises Unreachable when there is none in time: the event is kept and stored later, unless there is no room.
        """
        if event in self._stored_unheard:
            return BoltResponse(status=200, body="")
        kept = self._kept.get(event) or self._keep(event, body, take)
        kept.repeated.set()
        if self._waiting >= MOST_WAITING:
            raise Unreachable("platforms.slack: too much comes in at once; the event is kept")
        return await self._in_time(kept)

    async def end(self) -> None:
        """Give up what is not stored yet: Slack sends it again."""
        answers = [kept.answer for kept in self._kept.values()]
        for answer in answers:
            answer.cancel()
        await asyncio.gather(*answers, return_exceptions=True)

    async def _in_time(self, kept: _Kept) -> BoltResponse:
        self._waiting += 1
        kept.waiters += 1
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await asyncio.shield(kept.answer)
        except TimeoutError as error:
            raise Unreachable("platforms.slack: storing takes too long; the event is kept") from error
        finally:
            self._waiting -= 1
            kept.waiters -= 1

    def _keep(self, event: str, body: bytes, take: Take) -> _Kept:
        size = len(body) + EACH
        if self.bytes + size > MOST_BYTES:
            raise Unreachable("platforms.slack: too much waits to be stored; there is no room for the event")
        self.bytes += size
        kept = self._kept[event] = _Kept()
        kept.answer = asyncio.create_task(self._answered(kept, body, take), name="slack event")
        kept.answer.add_done_callback(lambda _: self._ended(event, size))
        return kept

    async def _answered(self, kept: _Kept, body: bytes, take: Take) -> BoltResponse:
        """Let `take` try until the event is stored, or so late that Slack no longer sends it, either."""
        now = asyncio.get_running_loop().time
        until, pause = now() + _TRY_SECONDS, 1.0
        while True:
            async with self._places:
                kept.repeated.clear()
                answer = await take(body)
            if answer.status != _NOT_STORED or now() > until:
                return answer
            with suppress(TimeoutError):
                await asyncio.wait_for(kept.repeated.wait(), pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _ended(self, event: str, size: int) -> None:
        self.bytes -= size
        kept = self._kept.pop(event)
        if kept.waiters or kept.answer.cancelled():
            return
        if kept.answer.exception() is None and kept.answer.result().status == 200:
            self._stored_unheard[event] = None
            if len(self._stored_unheard) > _MOST_REMEMBERED:
                self._stored_unheard.popitem(last=False)
