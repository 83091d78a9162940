"""Installing the app by a browser: Slack's OAuth v2, by slack_bolt's own flow, with a token stored encrypted."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe

from aiohttp import ClientError
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.error import BoltError
from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackClientError
from slack_sdk.oauth.installation_store import Installation as SlackInstallation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.domain.errors import SwitchboardError
from bot.domain.installations import Installation, Installations
from bot.platforms.slack.installed import InstalledToken
from bot.platforms.slack.manifest import SCOPES
from bot.platforms.slack.oauth_settings import OAuthSettings
from bot.platforms.slack.payload import NAME
from bot.platforms.slack.web_api import hushed

log = logging.getLogger(__name__)

INSTALL, REDIRECT = "/slack/install", "/slack/oauth_redirect"
_STATE_SECONDS = 600
"""So long somebody may take to say yes on Slack's page."""
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}
"""The addresses carry words that are good once: no copy, no frame, and nobody else is told of them."""
_SENTENCES = {
    "access_denied": "Somebody said no on Slack's page.",
    "invalid_browser": "This browser did not begin the installation; begin and end it in the same one.",
    "invalid_state": "This took longer than ten minutes, or the page was opened twice.",
    "invalid_code": "Slack did not confirm it; nothing was installed.",
    "missing_code": "Slack's answer was not whole.",
}


class _States(AsyncOAuthStateStore):
    """A word for each browser, good once and for ten minutes."""

    def __init__(self, installations: Installations) -> None:
        self._installations = installations

    async def async_issue(self, *_args: object, **_more: object) -> str:
        state = token_urlsafe(32)
        await self._installations.issue(state, datetime.now(UTC) + timedelta(seconds=_STATE_SECONDS))
        return state

    async def async_consume(self, state: str) -> bool:
        return await self._installations.consume(state, datetime.now(UTC))


class _Store(AsyncInstallationStore):
    """Takes what Slack handed over, if it is a workspace that this bot is for."""

    def __init__(self, only: str, own: InstalledToken, others: Mapping[str, InstalledToken]) -> None:
        self._only = only
        self._own = own
        self._others = others

    async def async_save(self, installation: SlackInstallation) -> None:
        team, token = installation.team_id or "", installation.bot_token or ""
        if problem := self._problem(installation, team, token):
            raise BoltError(problem)
        place = self._others.get(team, self._own)
        sealed = place.keys.sealed(token)
        now = datetime.now(UTC)
        owner = await place.installations.save(Installation(NAME, team, sealed, now))
        if owner != team:
            raise BoltError(_OTHER.format(owner))
        place.look_again()
        log.info("app installed", extra={"platform": NAME, "workspace_of_slack": team})

    def _problem(self, installation: SlackInstallation, team: str, token: str) -> str:
        if installation.is_enterprise_install or not team or not token:
            return "Install the app in one workspace, not in a whole organisation."
        if self._only and team != self._only and team not in self._others:
            return _OTHER.format(self._only)
        if installation.bot_refresh_token:
            return "Turn token rotation off on the app's OAuth & Permissions page, and install again."
        return ""


_OTHER = "This bot is for the Slack workspace {}, and that was another one; give it settings and a database of its own."


class _Flow(AsyncOAuthFlow):
    async def run_installation(self, code: str) -> SlackInstallation | None:
        """Slack's answer; None when it refuses, or does not answer."""
        try:
            return await super().run_installation(code)
        except (ClientError, TimeoutError, OSError, SlackClientError, AttributeError, KeyError) as error:
            log.warning("app not installed", extra={"platform": NAME, "problem": type(error).__name__})
            return None


class Installer:
    """The two pages of an installation."""

    def __init__(
        self,
        config: OAuthSettings,
        own: InstalledToken,
        others: Mapping[str, InstalledToken],
        client: AsyncWebClient,
    ) -> None:
        """`others`: a Slack workspace that shares the app -> where its token is kept; every other one's is `own`."""
        quiet = hushed("oauth", logging.CRITICAL + 1)  # it would log the code that Slack hands over
        settings = AsyncOAuthSettings(
            client_id=config.client_id,
            client_secret=config.client_secret,
            scopes=list(SCOPES),
            user_scopes=[],
            install_path=INSTALL.rpartition("/")[2],  # for a link on the other page, wherever both are mounted
            redirect_uri_path=REDIRECT,
            installation_store=_Store(config.team, own, others),
            state_store=_States(own.installations),
            state_expiration_seconds=_STATE_SECONDS,
            callback_options=AsyncCallbackOptions(_done, _failed),
            logger=quiet,
        )
        self._flow = _Flow(client=client, logger=quiet, settings=settings)

    @property
    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route(INSTALL, self._page(self._flow.handle_installation), methods=["GET"]),
            Route(REDIRECT, self._page(self._flow.handle_callback), methods=["GET"]),
        ]

    def _page(
        self, handle: Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                response = to_starlette_response(await handle(to_async_bolt_request(request, b"")))
            except SwitchboardError as error:
                log.warning("app not installed", extra={"platform": NAME, "problem": str(error)})
                response = Response("Not now; try again in a minute.", status_code=503)
            response.headers.update(_HEADERS)
            return response

        return answer


async def _done(args: AsyncSuccessArgs) -> BoltResponse:
    return await args.default.success(args)


async def _failed(args: AsyncFailureArgs) -> BoltResponse:
    args.reason = str(args.error) if args.error else _SENTENCES.get(args.reason, "Slack refused it.")
    args.suggested_status_code = 403 if args.error else args.suggested_status_code
    return await args.default.failure(args)
