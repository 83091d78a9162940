"""How long-running work is kept running, woken and stopped."""

import asyncio
import logging
import math
import random
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import timedelta
from pathlib import Path

from threadpoolctl import threadpool_limits

from bot.domain.errors import DatabaseUnreachable, SwitchboardError, Unreachable
from bot.domain.ledger import Change

log = logging.getLogger(__name__)

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0
_FRAMES = 4
_SHARE_SECONDS = 0.001


def share_interpreter() -> None:
    """Let no thread that computes keep the event loop waiting for long.

    By default Python gives such a thread five milliseconds, and a message waits for the interpreter ten times while
    the voices read it.
    """
    sys.setswitchinterval(_SHARE_SECONDS)


def compute_alone() -> None:
    """Let every matrix product be computed by the thread that asks for it, from now on.

    A single message's products are all small. Threads that share one spin while they wait for each other, on the
    processors that the event loop, the database and the model server need.
    """
    threadpool_limits(limits=1, user_api="blas")


class Wakeup:
    """Wakes a step that waits for work. A ring while it works makes it look once more."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def wake(self) -> None:
        self._rung.set()

    def wake_in(self, delay: timedelta) -> None:
        """Ring after a while, for work that is due only then."""
        asyncio.get_running_loop().call_later(delay.total_seconds(), self.wake)

    async def wait(self, at_most: float) -> None:
        """Wait for a ring, but no longer than `at_most` seconds, so that a lost ring costs time, never work."""
        try:
            async with asyncio.timeout(at_most):  # unlike wait_for in Python 3.11, it never loses a cancellation
                await self._rung.wait()
        except TimeoutError:
            return
        finally:
            self._rung.clear()


class Wakeups:
    """A bell for every step, and the changes that ring it."""

    def __init__(self) -> None:
        self._bells: dict[str, Wakeup] = {}
        self._concerns: dict[str, frozenset[Change]] = {}

    def __getitem__(self, step: str) -> Wakeup:
        return self._bells.setdefault(step, Wakeup())

    def subscribe(self, step: str, changes: frozenset[Change]) -> None:
        """Wake the step on these changes. Steps are woken in the order in which they subscribed."""
        self._concerns[step] = changes

    def changed(self, news: frozenset[Change]) -> None:
        """Wake the steps that these changes concern, and no others: looking in vain takes time from steps with work."""
        self.wake(step for step, changes in self._concerns.items() if changes & news)

    def wake(self, steps: Iterable[str]) -> None:
        """Wake these steps, in this order."""
        for step in steps:
            self[step].wake()


class DatabaseReturn:
    """Wakes all that wait for the database, whose own pauses may have grown long during an outage."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def wake(self) -> None:
        """Let everybody who waits go on now: the database answers."""
        for one in self._waiting:
            if not one.done():
                one.set_result(None)

    async def wait(self, at_most: float) -> bool:
        """Wait for the database, but no longer than `at_most` seconds; return whether it is back."""
        back = asyncio.get_running_loop().create_future()
        self._waiting.add(back)
        try:
            await asyncio.wait({back}, timeout=at_most)
        finally:
            self._waiting.discard(back)
        return back.done()


async def forever(
    step: Callable[[], Awaitable[int]], wakeup: Wakeup, at_most: float = 1.0, grace: float = 10.0
) -> None:
    """Call the step until it finds nothing to do, sleep until the bell or `at_most` seconds, and repeat.

    Cancelled in the middle of a step, it lets the step finish for up to `grace` seconds: a post that was said but
    whose receipt was not stored would be said twice.
    """
    while True:
        working = asyncio.ensure_future(step())
        try:
            done = await asyncio.shield(working)
        except asyncio.CancelledError:
            await _finish(working, grace)
            raise
        if done == 0:
            await wakeup.wait(at_most)


async def _finish(working: asyncio.Future[int], grace: float) -> None:
    await asyncio.wait({working}, timeout=grace)
    working.cancel()
    await asyncio.wait({working})


async def keep_running(name: str, run: Callable[[], Awaitable[None]], database: DatabaseReturn) -> None:
    """Call `run` again whenever it ends or fails, waiting twice as long each time (at most a minute).

    What failed for want of the database goes on as soon as the database is back, however long the pause has grown.
    """
    wait = _FIRST_WAIT
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        failed: Exception | None = None
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - the one place that must survive anything: logged, and tried again
            failed = _cause(error)
        if loop.time() - started > _LONGEST_WAIT:
            wait = _FIRST_WAIT
        pause = wait * random.uniform(0.8, 1.2)  # noqa: S311 - spreads replicas out, protects nothing
        if failed is not None:
            _tell(name, failed, pause)
        if not isinstance(failed, DatabaseUnreachable):
            await asyncio.sleep(pause)
        elif await database.wait(pause):
            wait = _FIRST_WAIT
            continue
        wait = min(wait * 2, _LONGEST_WAIT)


def origin(error: BaseException) -> str:
    """The innermost lines that an error comes from, without its message, which may quote what people wrote."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))


_said: dict[str, float] = {}
"""Outage -> when it was last logged: it stops every step at once, and each would log it again and again."""
_SAY_AGAIN = 60.0


def _tell(name: str, error: Exception, pause: float) -> None:
    """Log a failure; an outage, which stops many steps, is logged once a minute for all of them together."""
    outage = str(error) if isinstance(error, Unreachable) else None
    about = {"step": name, "problem": str(error) if isinstance(error, SwitchboardError) else type(error).__name__}
    says = f"step failed, restarting in {pause:.0f} s"
    now = time.monotonic()
    if outage is not None and now - _said.get(outage, -math.inf) < _SAY_AGAIN:
        log.info(says, extra=about)
        return
    if outage is not None:
        _said[outage] = now
    if not isinstance(error, SwitchboardError):
        about["at"] = origin(error)
    log.error(says, extra=about)


def _cause(error: Exception) -> Exception:
    """The error that came first, out of the exception groups around it."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


async def until_signal(work: Coroutine[None, None, None]) -> None:
    """Run the work until it ends or SIGINT or SIGTERM comes; then cancel it and wait for it to clean up."""
    loop = asyncio.get_running_loop()
    working = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, working.cancel)
    try:
        await working
    except asyncio.CancelledError:
        if not working.cancelled():
            raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
