"""Asks a platform about one person, with a deadline, so that nobody else has to wait for the answer."""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import timedelta

from bot.domain.errors import Refused, Unreachable

log = logging.getLogger(__name__)

_LONGEST_SECONDS = 5.0
UNKNOWN_FOR = timedelta(minutes=10)
"""How long we try to look somebody up. After that they count as somebody who may not."""
AGAIN_AFTER = timedelta(seconds=30)


async def looked_up(question: Awaitable[bool], platform: str) -> bool | None:
    """The platform's answer; None when it cannot be had now."""
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            return await question
    except (Unreachable, Refused, TimeoutError) as error:
        about = {"platform": platform, "problem": str(error) or "too slow"}
        log.warning("permission not looked up, asking again later", extra=about)
        return None
