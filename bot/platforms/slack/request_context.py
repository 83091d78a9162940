"""What commands, forms and the Home tab share: who asks, in which language, and how to answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import MessageRef, Person
from bot.domain.queries import Request
from bot.locales import choose
from bot.platforms import PlatformContext
from bot.platforms.slack.directory import Directory
from bot.platforms.slack.ephemeral import EphemeralMessages
from bot.platforms.slack.payload import NAME
from bot.platforms.slack.permissions import Permissions

_PROFILE_SECONDS = 1.0
_LINKS = 20


@dataclass(slots=True)
class SlackClock:
    """Slack's time, estimated from its events: facts with times of our own are ordered among reactions by it."""

    ahead: timedelta | None = None
    """The least by which Slack's clock is ahead of ours: no event arrives before it happened."""

    def observe(self, happened: datetime) -> None:
        ahead = happened - datetime.now(UTC)
        self.ahead = ahead if self.ahead is None else max(self.ahead, ahead)

    def now(self) -> datetime:
        """Slack's time once an event has come, until then our own."""
        return datetime.now(UTC) + (self.ahead or timedelta())


@dataclass(frozen=True, slots=True)
class RequestContext:
    """All that is needed to answer somebody."""

    client: AsyncWebClient
    directory: Directory
    ephemeral: EphemeralMessages
    permissions: Permissions
    platform: PlatformContext
    intake: frozenset[str]
    rooms: frozenset[str]
    clock: SlackClock = field(default_factory=SlackClock)

    async def person(self, user: str) -> Person:
        """The person with name and language, where Slack answers soon enough."""
        profile = await self.directory.profile_within(user, _PROFILE_SECONDS)
        return Person(NAME, user, profile.name, profile.language, profile.external)

    async def language(self, user: str) -> str:
        """The offered language to use with the person."""
        return choose((await self.person(user)).language, self.platform.languages)

    async def link(self, ref: MessageRef) -> str:
        """The message's address; empty where it has none in Slack, or Slack does not tell."""
        if ref.platform != NAME:
            return ""
        try:
            return await self.directory.permalink(ref.chat, ref.id)
        except (Refused, Unreachable):
            # A list without this link is better than no list.
            return ""

    async def links(self, requests: Sequence[Request], *, to_cards: bool = False) -> dict[int, str]:
        """Conversation -> its address: for its person, of their own message; for leads, of its card."""
        found = {}
        for request in requests[:_LINKS]:
            ref = request.card if to_cards and request.card is not None else request.source
            found[request.conversation] = await self.link(ref)
        return found
