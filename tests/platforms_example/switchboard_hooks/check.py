"""Whether everything works that we need of the chat: one real call, and what to do when it fails."""

from collections.abc import AsyncIterator

import httpx

from bot.platforms import Finding
from switchboard_hooks import Config


async def check(config: Config) -> AsyncIterator[Finding]:
    """Whether the chat answers at all."""
    what = f"the chat at {config.url}"
    async with httpx.AsyncClient() as client:
        try:
            await client.get(config.url)
        except httpx.HTTPError as error:
            yield Finding(what, False, f"it cannot be reached ({type(error).__name__}); see platforms.hooks.url")
        else:
            yield Finding(what, True)
