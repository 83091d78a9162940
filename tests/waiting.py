"""Waiting for something to become true, for a limited time."""

import asyncio
from collections.abc import Callable


async def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Return as soon as it is true. Raises TimeoutError if it does not become true."""
    async with asyncio.timeout(seconds):
        while True:
            if true():
                return
            await asyncio.sleep(0.005)
