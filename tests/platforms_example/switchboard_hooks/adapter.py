"""The platform as the rest of the bot knows it, built from its parts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
from starlette.routing import BaseRoute, Route

from bot.domain.messages import Media, MessageRef, Person, Place
from bot.domain.ports import Inbox, Platform
from bot.domain.posts import OutboxItem
from bot.domain.tasks import Label
from bot.platforms import PlatformContext, Routed
from switchboard_hooks import NAME, Config
from switchboard_hooks.attachments import fetch
from switchboard_hooks.inbound import Inbound
from switchboard_hooks.outbound import Sender
from switchboard_hooks.permissions import Permissions
from switchboard_hooks.render import Reader


@asynccontextmanager
async def opened(config: Config, around: PlatformContext) -> AsyncIterator["Hooks"]:
    """The platform while the context lasts."""
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {config.token}"}) as client:
        yield Hooks(config, around, client)


class Hooks:
    """One chat behind two addresses: ours, which it calls, and its own, which we call."""

    name = NAME
    whispers = False

    def __init__(self, config: Config, around: PlatformContext, client: httpx.AsyncClient) -> None:
        self._inbound = Inbound(config.token)
        self._sender = Sender(client, config.url, Reader(around.task, around.languages, around.base, around.vocabulary))
        self._permissions = Permissions(config.leads)

    @property
    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/hooks/{kind}", self._inbound.take, methods=["POST"])]

    async def listen(self, inbox: Inbox) -> None:
        """Receive what the chat posts until cancelled."""
        with self._inbound.to(inbox):
            await asyncio.Event().wait()

    def delay(self, item: OutboxItem) -> timedelta:
        return timedelta(0)  # this platform sets no limits

    async def say(self, item: OutboxItem) -> MessageRef:
        return await self._sender.say(item)

    async def fetch(self, media: Media) -> bytes:
        return await fetch(media)

    async def may_correct(self, person: Person, team: Label, room: Place) -> bool:
        return self._permissions.may_correct(person, team)

    async def may_handle(self, person: Person, room: Place) -> bool:
        return self._permissions.may_handle(person)

    def healthy(self) -> bool:
        return self._inbound.listening


_platform: type[Platform] = Hooks
_routed: type[Routed] = Hooks
