"""Slack's `Platform`: puts the parts together."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from aiohttp import ClientSession
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from starlette.routing import BaseRoute

from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import Media, MessageRef, Person, Place
from bot.domain.ports import Inbox, Platform
from bot.domain.posts import OutboxItem
from bot.domain.tasks import Label
from bot.platforms import PlatformContext, Routed, SharesApp
from bot.platforms.slack import Config
from bot.platforms.slack.attachments import Attachments
from bot.platforms.slack.background_tasks import BackgroundTasks
from bot.platforms.slack.channels import rooms
from bot.platforms.slack.directory import BotUser, Directory
from bot.platforms.slack.emoji import named_emoji
from bot.platforms.slack.ephemeral import EphemeralMessages
from bot.platforms.slack.events import BotIdentity
from bot.platforms.slack.inbound import Inbound
from bot.platforms.slack.installed import NOT_YET, InstalledToken, installed_token
from bot.platforms.slack.oauth import Installer
from bot.platforms.slack.oauth_settings import OAuthSettings
from bot.platforms.slack.outbound import Sender
from bot.platforms.slack.payload import NAME
from bot.platforms.slack.permissions import Permissions
from bot.platforms.slack.rate_limits import Pace
from bot.platforms.slack.request_context import RequestContext
from bot.platforms.slack.shared_app import ALONE
from bot.platforms.slack.startup_check import startup_check
from bot.platforms.slack.transport import Transport
from bot.platforms.slack.web_api import BAD_TOKEN, Declined, ask, hushed, open_session, web_client
from bot.platforms.wording import RenderContext

log = logging.getLogger(__name__)

_REVOKED = "platforms.slack: the app was removed or its token taken back; install it again, then set SLACK_BOT_TOKEN"


@asynccontextmanager
async def opened(config: Config, context: PlatformContext) -> AsyncIterator["Slack"]:
    """Slack, for as long as the context lasts. Raises Refused when Slack rejects the bot's token."""
    async with open_session() as session:
        slack = Slack(config, context, session)
        try:
            await slack.recall()
        except Unreachable as error:
            log.warning(
                "platform not reached yet, starting all the same", extra={"platform": NAME, "problem": str(error)}
            )
        try:
            yield slack
        finally:
            await slack.end()


class Slack:
    """One Slack workspace, as the bot's token sees it."""

    name = NAME
    whispers = True

    def __init__(self, config: Config, context: PlatformContext, session: ClientSession) -> None:
        self._config = config
        self._context = context
        self._session = session
        self._rooms = rooms(context.task)
        self._client = web_client(config.bot_token, config.api_base_url, session)
        self._directory = Directory(self._client)
        self._permissions = Permissions(config, self._directory, context.task)
        self._ephemeral = EphemeralMessages(session)
        self._attachments = Attachments(self._client, session)
        rendering = RenderContext(context.languages, context.base, context.task, context.vocabulary)
        self._sender = Sender(self._client, self._directory, self._attachments, self._ephemeral, rendering, Pace())
        self._transport = Transport(config, session)
        self._token = installed_token(config, context)
        self._tokens: dict[str, InstalledToken] = {}
        """Of other workspaces with the same app, by the Slack workspace."""
        self._handed_on = False
        """Whether another workspace passes on what comes for this one."""
        for channel in sorted(self._rooms & config.intake):
            log.warning(
                "a team's channel is also an intake channel: its messages are not requests",
                extra={"platform": NAME, "channel": channel},
            )

    def hand_on_to(self, others: Mapping[str, Platform]) -> None:
        """See `platforms.SharesApp`."""
        transports: dict[str, tuple[str, Transport]] = {}
        for name, other in others.items():
            if isinstance(other, Slack) and other._borrowed is not None and other._token is not None:
                transports[other._borrowed.team] = name, other._transport
                self._tokens[other._borrowed.team] = other._token
                other._handed_on = True
        self._transport.hand_on_to(transports)

    @property
    def _borrowed(self) -> OAuthSettings | None:
        """The settings of the app, if it is another workspace's; None: it is this one's own."""
        return self._config.oauth if self._config.oauth and self._config.oauth.shared else None

    async def recall(self) -> None:
        """Find the token and ask Slack who we are, once. Raises Refused for a token that is no good, Unreachable.

        One that a browser brings may come later, or again: that is no reason not to start.
        """
        if self._token is None:
            await self.introduce()
        else:
            self._use(await self._token.current())

    def _use(self, token: str) -> str:
        """Speak with this token from now on; without any nothing can be said."""
        self._client.token = token
        self._directory.forget_us()
        self._sender.revoked = "" if token else NOT_YET
        return token

    async def introduce(self) -> BotUser:
        """Ask Slack who we are, once. Raises Refused for a bad token, Unreachable."""
        return await self._directory.us()

    # --- in ---

    async def listen(self, inbox: Inbox) -> None:
        """Receive events until cancelled. Raises Refused for a bad token, Unreachable for a lost connection."""
        if self._token is None:
            await self._hear(inbox)
            raise Refused(_REVOKED)
        if self._borrowed is not None and not self._handed_on:
            raise Refused(ALONE)
        while True:
            if not self._use(await self._token.current()):
                log.warning("app not installed yet", extra={"platform": NAME, "remedy": NOT_YET})
                self._use(await self._token.arrived())
            try:
                await self._hear(inbox, self._token)
            except Declined as error:
                if error.code not in BAD_TOKEN:
                    raise
                log.error("stored token refused", extra={"platform": NAME, "problem": error.code})
                await self._token.take_back(self._token.in_use)

    async def _hear(self, inbox: Inbox, token: InstalledToken | None = None) -> None:
        """Until the token is taken back, or replaced by a browser."""
        us = await self.introduce()
        if self._sender.revoked:
            await ask(self._client.auth_test())
            self._sender.revoked = ""
        background = BackgroundTasks()
        inbound = self._make_inbound(us, inbox, background)
        await inbound.learn_moves()
        background.start(inbound.refresh_emoji_names(), "slack emoji")
        background.start(startup_check(self._config, self._context.task, self._directory), "slack channels")
        hearing = self._transport.hear(self._bolt(us, inbound), inbound.revoked)
        stored = "" if token is None else token.in_use
        try:
            await (hearing if token is None else token.while_current(hearing))
        finally:
            if inbound.revoked.is_set():
                self._sender.revoked = _REVOKED
            await background.end()
        if token is not None and inbound.revoked.is_set():
            await token.take_back(stored)

    async def end(self) -> None:
        """Give up the events that are not stored yet."""
        await self._transport.end()

    def healthy(self) -> bool:
        """Whether events are being received; in Socket Mode, as of at most a second ago."""
        return self._transport.listening

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The routes to which Slack posts its events and a browser comes to install the app; none in Socket Mode."""
        own = self._token
        if own is None or self._config.oauth is None or self._borrowed is not None:
            return self._transport.routes
        client = web_client("", self._config.api_base_url, self._session)
        installer = Installer(self._config.oauth, own, self._tokens, client)
        return [*self._transport.routes, *installer.routes]

    def _make_inbound(self, us: BotUser, inbox: Inbox, background: BackgroundTasks) -> Inbound:
        request_context = RequestContext(
            client=self._client,
            directory=self._directory,
            ephemeral=self._ephemeral,
            permissions=self._permissions,
            platform=self._context,
            intake=self._config.intake,
            rooms=self._rooms,
        )
        identity = BotIdentity(us.user, self._config.intake, self._rooms, us.team)
        return Inbound(identity, inbox, request_context, background, named_emoji(self._context))

    def _bolt(self, us: BotUser, inbound: Inbound) -> AsyncApp:
        app = AsyncApp(
            name=f"{__name__}.bolt",
            logger=hushed("bolt", logging.ERROR),
            client=self._client,
            signing_secret=self._config.signing_secret,
            authorize=_known(us, self._client.token or ""),
        )

        async def take(request: AsyncBoltRequest) -> BoltResponse:
            if self._token is not None and request.context.team_id not in (us.team, None):
                log.warning("event of another workspace not heard", extra={"platform": NAME})
                return BoltResponse(status=200)
            response = await inbound.take(request.body)
            if inbound.revoked.is_set():
                self._sender.revoked = _REVOKED
            return response

        app.use(_Taking(take))
        return app

    # --- out ---

    def delay(self, item: OutboxItem) -> timedelta:
        """How long the post must wait for its turn in its channel."""
        return self._sender.delay(item)

    async def say(self, item: OutboxItem) -> MessageRef:
        """Send the post, or rewrite the one it edits; its receipt. Raises Unreachable (retry), Refused (give up)."""
        return await self._sender.say(item)

    async def fetch(self, media: Media) -> bytes:
        """An attachment's bytes. Raises Unreachable, Refused (too large, gone)."""
        return await self._attachments.fetch(media)

    # --- who may ---

    async def may_correct(self, person: Person, team: Label, room: Place) -> bool:
        """Whether the person leads that team. Raises Unreachable when Slack must be asked and does not answer."""
        return await self._permissions.may_correct(person, team)

    async def may_handle(self, person: Person, room: Place) -> bool:
        """Whether the person is one of our own people. Raises Unreachable as above."""
        return await self._permissions.may_handle(person)


class _Taking(AsyncMiddleware):
    """Takes every payload. Bolt acknowledges an event before its listeners run, but after all middleware.

    A class, because for a function Bolt first reads the payload for arguments, and fails on shapes it does not expect.
    """

    def __init__(self, take: Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]) -> None:
        self._take = take

    async def async_process(
        self, *, req: AsyncBoltRequest, resp: BoltResponse, next: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        return await self._take(req)


def _known(us: BotUser, token: str) -> Callable[[], Awaitable[AuthorizeResult]]:
    """Give Bolt our identity without a call: if Bolt's own call failed, it would acknowledge events and lose them."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=us.team, bot_user_id=us.user, bot_id=us.bot, bot_token=token)

    return authorize


def _conforms(slack: Slack) -> tuple[Platform, Routed, SharesApp]:
    return slack, slack, slack
