"""Runs a step: a limited number of items at once, a slot free the moment its item ends, each item with a deadline."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Generic, TypeVar

from bot.domain.errors import SwitchboardError
from bot.domain.failures import Failure, ItemKey, failure_of
from bot.domain.ports import FailedItems
from bot.flow.step import AT_ONCE, Step
from bot.lifecycle import Wakeup, origin

log = logging.getLogger(__name__)

Item = TypeVar("Item")

Saw = Callable[[str, float, bool], None]


def _unseen(step: str, seconds: float, failed: bool) -> None:
    """Ignore the attempt: the default for `saw`."""


_SLOW = 1.0
"""Seconds after which an item goes on without a slot, so that one that hangs holds up no other."""
_MOST_SLOW = 1_000
"""How many items may go on without a slot; any more keep theirs."""
_DEADLINE = 45.0
"""Seconds that an item may take: less than its claim holds, so that no two processes ever handle the same item."""


class WorkerPool(Generic[Item]):
    """Handles the items of one step as they come, until cancelled.

    An item that raises or exceeds its deadline is put off, and set aside if it fails for ever (`FailedItems`); the
    others go on. `run` may be called again after it ended with an error: items at work stay at work.
    """

    def __init__(
        self,
        step: Step[Item],
        failures: FailedItems,
        now: Callable[[], datetime],
        wakeup: Wakeup,
        slots: int = AT_ONCE,
        deadline: float = _DEADLINE,
        slow: float = _SLOW,
        saw: Saw = _unseen,
    ) -> None:
        """`saw` is called after every attempt at an item with the step, the seconds, and whether the attempt failed."""
        self._step = step
        self._failures = failures
        self._now = now
        self._wakeup = wakeup
        self._slots = slots
        self._deadline = deadline
        self._slow_after = slow
        self._saw = saw
        self._holding: set[asyncio.Task[None]] = set()
        self._at_work: dict[asyncio.Task[None], Item] = {}
        self._looks = 0
        self._begun: dict[asyncio.Task[None], int] = {}
        """How many looks there had been when each of these was claimed."""
        self._freed = asyncio.Event()
        self._failed: set[ItemKey] = set()

    async def run(self, at_most: float = 1.0, grace: float = 10.0) -> None:
        """Claim and handle items; look again when woken, when an item ends, and after `at_most` seconds.

        It looks again at once only after it found as many items as there were free slots: otherwise nothing is left,
        and looking in vain takes time from the very items that it found. Where items end alone (`Step.ends_alone`), the
        end of one is no reason to look either, unless there was a look while it was at work: what was held then may be
        free now.

        When cancelled, it lets items at work finish for up to `grace` seconds: a post that was said but whose receipt
        was not stored would be said twice.
        """
        while True:
            claiming = asyncio.ensure_future(self._claim())
            try:
                if not await asyncio.shield(claiming):
                    await self._wakeup.wait(at_most)
                await self._slot()
            except asyncio.CancelledError:
                until = asyncio.get_running_loop().time() + grace
                await _finished([claiming], until)
                await _finished(list(self._at_work), until)
                raise

    async def _slot(self) -> None:
        """Wait until a slot is free."""
        while len(self._holding) >= self._slots:
            self._freed.clear()
            await self._freed.wait()

    async def _claim(self) -> bool:
        """Start as many items as there are free slots; return whether more may wait."""
        free = self._slots - len(self._holding)
        self._looks += 1
        items = await self._step.claim(free, tuple(self._at_work.values()))
        for item in items:
            task = asyncio.create_task(self._handle(item), name=f"{self._step.name} {self._step.key(item).item}")
            self._holding.add(task)
            self._at_work[task] = item
            self._begun[task] = self._looks
            slow = asyncio.get_running_loop().call_later(self._slow_after, self._go_on_without_slot, task)
            task.add_done_callback(self._ended)
            task.add_done_callback(lambda _, timer=slow: timer.cancel())  # type: ignore[misc]
        return len(items) >= free

    def _go_on_without_slot(self, task: asyncio.Task[None]) -> None:
        if len(self._at_work) - len(self._holding) < _MOST_SLOW:
            self._holding.discard(task)
            self._freed.set()
            self._wakeup.wake()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._holding.discard(task)
        del self._at_work[task]
        self._freed.set()
        # Items that waited for this one, in its line or its conversation, may be due now
        if self._begun.pop(task) < self._looks or not self._step.ends_alone:
            self._wakeup.wake()

    async def _handle(self, item: Item) -> None:
        key, clock = self._step.key(item), asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(self._deadline):
                await self._step.work(item)
        except Exception as error:  # noqa: BLE001 - whatever it is, it concerns this item alone, and is stored
            self._saw(key.step, clock() - began, True)
            await self._put_off(failure_of(key, error), error)
        else:
            self._saw(key.step, clock() - began, False)
            await self._done(key)

    async def _put_off(self, failure: Failure, error: Exception) -> None:
        about = {"step": failure.key.step, "item": failure.key.item, "conversation": failure.key.conversation}
        told = {**about, "problem": failure.reason}
        if not isinstance(error, SwitchboardError | TimeoutError):
            told["at"] = origin(error)
        log.warning("item failed, tried again later", extra=told)
        try:
            aside = await self._failures.failed(failure, self._now())
        except SwitchboardError as down:
            # Its claim expires by itself then
            log.warning("failure not stored", extra={**about, "problem": str(down)})
            return
        self._failed.add(failure.key)
        if aside:
            self._failed.discard(failure.key)
            log.error("item set aside after too many failures", extra={**told, "remedy": "switchboard failed list"})

    async def _done(self, key: ItemKey) -> None:
        if key not in self._failed:
            return
        self._failed.discard(key)
        try:
            await self._failures.succeeded(key)
        except SwitchboardError as down:
            log.warning("success not stored", extra={"step": key.step, "item": key.item, "problem": str(down)})


async def _finished(work: Iterable[asyncio.Future[bool] | asyncio.Task[None]], until: float) -> None:
    """Wait for the work until then, and cancel what is left of it."""
    waiting = set(work)
    if not waiting:
        return
    await asyncio.wait(waiting, timeout=max(0.0, until - asyncio.get_running_loop().time()))
    for one in waiting:
        one.cancel()
    await asyncio.wait(waiting)
