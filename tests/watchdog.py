"""Watches the event loop: no task may block it for long."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import FrameType

MOST_CALLS = 300_000
"""Function calls between two turns of the event loop that fail a test: a tenth of a second or two of plain Python.

Calls are counted, not time, so that the result is the same on every machine, however busy it is.
"""


@asynccontextmanager
async def watched_loop(most: int = MOST_CALLS) -> AsyncIterator[None]:
    """Fails if the code inside makes more function calls than that in the loop's thread without a turn for other tasks.

    Work of another thread or process does not block the loop and is not counted.
    """
    calls, worst = 0, 0

    def count(_frame: FrameType, event: str, _about: object) -> None:
        nonlocal calls
        if event in ("call", "c_call"):
            calls += 1

    async def tick() -> None:
        nonlocal calls, worst
        while True:
            await asyncio.sleep(0)
            worst, calls = max(worst, calls), 0

    ticking = asyncio.create_task(tick(), name="watchdog")
    await asyncio.sleep(0)
    sys.setprofile(count)
    try:
        yield
        await asyncio.sleep(0)  # what blocked the loop until now is noticed at the next turn
        await asyncio.sleep(0)
    finally:
        sys.setprofile(None)
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking
    assert worst < most, f"the event loop was kept for {worst} calls"
