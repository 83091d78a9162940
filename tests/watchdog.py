"""Watches the event loop: nothing may keep it from everybody else for long."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

LONGEST_STALL = 0.25
"""Seconds of work between two turns of the event loop that fail a test: an acknowledgement would be late by as much.

Counted in processor time of the loop's own thread, so that a busy machine is no stall.
"""
_TICK = 0.005


@asynccontextmanager
async def watched_loop(longest: float = LONGEST_STALL) -> AsyncIterator[None]:
    """Fails when anything inside works in the event loop for longer than that without letting others have a turn."""
    worst = 0.0

    async def tick() -> None:
        nonlocal worst
        while True:
            before = time.thread_time()
            await asyncio.sleep(_TICK)
            worst = max(worst, time.thread_time() - before)

    ticking = asyncio.create_task(tick(), name="watchdog")
    await asyncio.sleep(0)
    try:
        yield
        await asyncio.sleep(2 * _TICK)  # what kept the loop busy until just now is noticed at the next tick
    finally:
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking
    assert worst < longest, f"the event loop was kept for {worst * 1000:.0f} ms"
