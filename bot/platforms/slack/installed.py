"""The token that Slack handed over when the app was installed by a browser: found, opened, and followed."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace

from bot.domain.errors import ConfigError, Refused
from bot.domain.installations import Installations
from bot.platforms import PlatformContext
from bot.platforms.slack import Config
from bot.platforms.slack.payload import NAME
from bot.platforms.slack.token_keys import TokenKeys

log = logging.getLogger(__name__)

NOT_YET = "platforms.slack: the app is not installed yet; open /slack/install under the bot's address in a browser"
_LOOK_SECONDS = 10.0
"""So often it is looked whether another process has a newer installation."""


@dataclass(slots=True)
class InstalledToken:
    """The token as it is stored, for this process and all others on the database."""

    installations: Installations
    keys: TokenKeys
    look_seconds: float = _LOOK_SECONDS
    in_use: str = ""
    """The token that was found last, as it is stored; empty: none."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def current(self) -> str:
        """The token, from now on under the newest key; empty while there is none that opens. Raises Unreachable."""
        found = await self.installations.found(NAME)
        if found is None or not found.secret:
            self.in_use = ""
            return ""
        try:
            sealed = self.keys.renewed(found.secret)
        except Refused as error:
            if found.secret != self.in_use:
                log.error("stored token not opened", extra={"platform": NAME, "problem": str(error)})
            self.in_use = found.secret
            return ""
        if sealed != found.secret:
            await self.installations.save(replace(found, secret=sealed))
        self.in_use = sealed
        return self.keys.opened(sealed)

    async def arrived(self) -> str:
        """The token, once there is one."""
        while not (token := await self.current()):
            await self._changed()
        return token

    async def while_current(self, work: Coroutine[object, object, None]) -> None:
        """Do the work until it ends, or until another token than now is stored, or none. Raises as the work."""
        both = [asyncio.create_task(one) for one in (work, self._replaced(self.in_use))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in both:
                one.cancel()
            await asyncio.wait(both)
        for one in both:
            if not one.cancelled():
                one.result()

    async def _replaced(self, stored: str) -> None:
        while self.in_use == stored:
            await self._changed()
            await self.current()

    def look_again(self) -> None:
        """Something was installed here just now."""
        self._news.set()

    async def take_back(self, stored: str) -> None:
        """Slack no longer takes the token that is stored so; a newer one stays."""
        await self.installations.take_back(NAME, stored)

    async def _changed(self) -> None:
        try:
            async with asyncio.timeout(self.look_seconds):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()


def installed_token(config: Config, context: PlatformContext) -> InstalledToken | None:
    """None: the token is in the environment. Raises ConfigError where nobody remembers installations."""
    if config.oauth is None:
        return None
    if context.installations is None:
        raise ConfigError(['platforms.slack.install: "oauth" needs a database that remembers the installation'])
    return InstalledToken(context.installations, TokenKeys(config.oauth.keys))


async def with_token(config: Config, context: PlatformContext) -> Config:
    """The settings with the token that serves now. Raises Refused where the app is not installed, Unreachable."""
    token = installed_token(config, context)
    if token is None:
        return config
    found = await token.installations.found(NAME)
    if found is None or not found.secret:
        raise Refused(NOT_YET)
    return replace(config, bot_token=token.keys.opened(found.secret))
