"""Hearing and speaking: Socket Mode or signed HTTP in, posts and edits out."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from aiohttp import ClientSession, ClientTimeout
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import to_starlette_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import Message, MessageRef, Person, Press, Reaction
from bot.domain.ports import Inbox, Platform
from bot.domain.posts import Card, Owed
from bot.platforms import Routed, Surroundings
from bot.platforms.slack import Config, Mode
from bot.platforms.slack.events import NAME, Ears, Payload, read, word
from bot.platforms.slack.render import Said, Voice, render
from bot.platforms.slack.web_api import APP_TOKEN, Directory, ask, hushed, web_client

log = logging.getLogger(__name__)

_CALL_SECONDS = 10
_CONNECT_SECONDS = 30
_DEAF_SECONDS = 30
"""Without a connection for so long, the socket client is thrown away and a new one made."""
_NAME_SECONDS = 1.0
"""How long storing waits for the writer's name: of the three seconds that Slack gives us, one."""
_MAX_BODY = 1_000_000


@asynccontextmanager
async def opened(config: Config, around: Surroundings) -> AsyncIterator["Slack"]:
    """The platform while the context lasts. Raises Refused when Slack does not take the bot's token."""
    async with ClientSession(timeout=ClientTimeout(total=_CALL_SECONDS)) as session:
        slack = Slack(config, around, session)
        try:
            await slack.introduce()
        except Unreachable as error:
            log.warning("not reached yet", extra={"platform": NAME, "problem": str(error)})
        yield slack


@dataclass(frozen=True, slots=True)
class Us:
    """Who Slack says we are."""

    user: str
    bot: str
    team: str


class Slack:
    """One Slack workspace, as the bot's token sees it."""

    name = NAME

    def __init__(self, config: Config, around: Surroundings, session: ClientSession) -> None:
        self._config = config
        self._voice = Voice(around.languages, around.base)
        labels = around.task.labels
        self._rooms = frozenset(label.deliver_to[NAME].chat for label in labels if NAME in label.deliver_to)
        self._session = session
        self._client = web_client(config.bot_token, config.api_base_url, session)
        self._directory = Directory(self._client)
        self._us: Us | None = None
        self._app: AsyncApp | None = None
        self._hearing = False
        for channel in sorted(self._rooms & config.intake):
            log.warning("a team's channel takes no requests", extra={"platform": NAME, "channel": channel})

    async def introduce(self) -> Us:
        """Ask Slack who we are, once. Raises Refused for a bad token, Unreachable."""
        if self._us is None:
            answer = await ask(self._client.auth_test())
            self._us = Us(word(answer, "user_id"), word(answer, "bot_id"), word(answer, "team_id"))
        return self._us

    # --- in ---

    async def listen(self, inbox: Inbox) -> None:
        """Take in what happens until cancelled. Raises Refused for a bad token, Unreachable for a lost connection."""
        us = await self.introduce()
        app = self._bolt(us, inbox)
        try:
            if self._config.mode is Mode.SOCKET:
                await self._hear_by_socket(app)
            else:
                await self._hear_by_http(app)
        finally:
            self._app, self._hearing = None, False

    def healthy(self) -> bool:
        """Whether it hears people now; in Socket Mode as of a second ago."""
        return self._hearing

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Where Slack posts its events; none in Socket Mode, where there is no secret to tell Slack by."""
        if self._config.mode is Mode.SOCKET:
            return []
        return [Route("/slack/events", self._receive, methods=["POST"])]

    def _bolt(self, us: Us, inbox: Inbox) -> AsyncApp:
        app = AsyncApp(
            name=f"{__name__}.bolt",
            logger=hushed("bolt", logging.ERROR),
            client=self._client,
            signing_secret=self._config.signing_secret,
            authorize=_known(us, self._config.bot_token),
        )
        ears = Ears(us.user, self._config.intake, self._rooms)

        # Bolt acknowledges an event before its listeners run, but after all middleware: so this is not a listener.
        @app.middleware
        async def take(body: Payload) -> BoltResponse:
            return await self._take(body, ears, inbox)

        return app

    async def _take(self, payload: Payload, ears: Ears, inbox: Inbox) -> BoltResponse:
        """Store what a payload says and only then acknowledge it; what cannot be stored, Slack sends again.

        Everything else is acknowledged, too: what is not our business must not count as a failure with Slack.
        """
        happened = read(payload, ears)
        try:
            match happened:
                case Message():
                    await inbox.message(await self._named(happened))
                case Reaction():
                    await inbox.reaction(happened)
                case Press():
                    await inbox.press(happened)
        except Unreachable as error:
            log.warning("not stored, not acknowledged", extra={"platform": NAME, "problem": str(error)})
            return BoltResponse(status=503, body="")
        return BoltResponse(status=200, body="")

    async def _named(self, message: Message) -> Message:
        """With the writer's name and language, which are not in the event; without them when Slack is slow to say."""
        profile = await self._directory.profile_within(message.author.id, _NAME_SECONDS)
        return replace(message, author=replace(message.author, name=profile.name, language=profile.language))

    async def _hear_by_socket(self, app: AsyncApp) -> None:
        token = self._config.app_token
        client = web_client(token, self._config.api_base_url, self._session)
        # Asked here and not by the socket client, which would try a bad token for ever.
        opening = await ask(client.apps_connections_open(app_token=token), APP_TOKEN)
        # The socket client logs the address of its connection, and with it the ticket that opens it.
        mute = hushed("socket", logging.CRITICAL + 1)
        handler = AsyncSocketModeHandler(app, token, logger=mute, web_client=client)
        handler.client.wss_uri = word(opening, "url")
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await handler.connect_async()  # type: ignore[no-untyped-call]
            await self._watch(handler)
        except TimeoutError as error:
            raise Unreachable("platforms.slack: the socket does not open") from error
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]

    async def _watch(self, handler: AsyncSocketModeHandler) -> None:
        """Until cancelled. The socket client reconnects by itself; raises Unreachable when it does not manage."""
        now = asyncio.get_running_loop().time
        heard = now()
        while now() - heard < _DEAF_SECONDS:
            hearing = await handler.client.is_connected()
            if hearing != self._hearing:
                log.info("listening" if hearing else "connection lost", extra={"platform": NAME})
            self._hearing = hearing
            heard = now() if hearing else heard
            await asyncio.sleep(1)
        raise Unreachable("platforms.slack: the connection does not come back")

    async def _hear_by_http(self, app: AsyncApp) -> None:
        self._app, self._hearing = app, True
        log.info("listening", extra={"platform": NAME})
        await asyncio.Event().wait()

    async def _receive(self, request: Request) -> Response:
        """One signed request. 503 while nobody listens: Slack will come again."""
        app = self._app
        if app is None:
            return Response(status_code=503)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_BODY:
                return Response(status_code=413)
        try:
            asked = AsyncBoltRequest(body=body.decode(), headers=dict(request.headers))
        except ValueError:
            return Response(status_code=400)
        return to_starlette_response(await app.async_dispatch(asked))

    # --- out ---

    async def say(self, owed: Owed) -> MessageRef:
        """Say the post, or rewrite the one it edits; its receipt. Raises Unreachable (again later), Refused (never)."""
        content = owed.post.content
        link = await self._link(content.source) if isinstance(content, Card) else None
        said = render(content, self._voice, link)
        answer = await (self._post(owed, said) if owed.edits is None else self._rewrite(owed.edits, said))
        return MessageRef(NAME, word(answer, "channel"), word(answer, "ts"))

    async def _post(self, owed: Owed, said: Said) -> Payload:
        place, under = owed.post.place, owed.under
        return await ask(
            self._client.chat_postMessage(
                channel=under.chat if under else place.chat,
                thread_ts=under.id if under else place.thread,
                text=said.text,
                blocks=said.blocks,
                parse="none",
                unfurl_links=False,
                unfurl_media=False,
                # Tells, after an answer that got lost, whether this post was said.
                metadata={"event_type": "switchboard_post", "event_payload": {"post": owed.id}},
            )
        )

    async def _rewrite(self, ref: MessageRef, said: Said) -> Payload:
        return await ask(
            self._client.chat_update(channel=ref.chat, ts=ref.id, text=said.text, blocks=said.blocks, parse="none")
        )

    async def _link(self, source: MessageRef) -> str | None:
        """Where the conversation began; None where the team could not look: a direct message, another platform."""
        if source.platform != NAME or source.chat.startswith("D"):
            return None
        try:
            answer = await ask(self._client.chat_getPermalink(channel=source.chat, message_ts=source.id))
        except (Refused, Unreachable) as error:
            log.info("card without a link", extra={"platform": NAME, "problem": str(error)})
            return None
        return word(answer, "permalink") or None

    # --- who may ---

    async def may_correct(self, person: Person) -> bool:
        """Whether this person is a lead, by id or by user group. Never true for a bot.

        Raises Unreachable when Slack must be asked and does not answer: an outage turns nobody away.
        """
        if person.platform != NAME:
            return False
        if person.id not in self._config.leads and not await self._leads_by_group(person.id):
            return False
        return not (await self._directory.profile(person.id)).is_bot

    async def _leads_by_group(self, user: str) -> bool:
        for group in sorted(self._config.lead_groups):
            if user in await self._directory.members(group):
                return True
        return False


def _known(us: Us, token: str) -> Callable[[], Awaitable[AuthorizeResult]]:
    """Tells Bolt who we are without a call: its own would acknowledge, and lose, what comes while that call fails."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=us.team, bot_user_id=us.user, bot_id=us.bot, bot_token=token)

    return authorize


def _conforms(slack: Slack) -> tuple[Platform, Routed]:
    return slack, slack
