"""Asking Slack: the client, what its refusals mean, and who is who in the workspace."""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from aiohttp import ClientConnectorError, ClientError, ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.domain.errors import Refused, Unreachable
from bot.platforms.slack.events import Payload, inner, word

log = logging.getLogger(__name__)

BOT_TOKEN, APP_TOKEN = "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"

_MEMBERS_FOR = timedelta(minutes=5).total_seconds()
_PROFILE_FOR = timedelta(hours=1).total_seconds()
_SLOW_FOR = timedelta(minutes=1).total_seconds()

_PASSING = ("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout")
"""Errors that a later attempt may not meet."""
_BAD_TOKEN = ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired")
_WRONG_TOKEN = "not_allowed_token_type"  # noqa: S105
_WHERE = {
    BOT_TOKEN: "copy the Bot User OAuth Token from the app's OAuth & Permissions page",
    APP_TOKEN: "make an app-level token with the scope connections:write on the app's Basic Information page",
}
_REMEDIES = {
    "not_in_channel": "invite the bot to the channel with /invite",
    "channel_not_found": "check the channel's ID; a private channel is found only once the bot is in it",
    "is_archived": "the channel is archived; name another one in the settings",
    "missing_scope": "add the scope on the app's OAuth & Permissions page and reinstall the app",
}


def web_client(token: str, base_url: str, session: ClientSession) -> AsyncWebClient:
    """A client that never says anything twice by itself.

    Only a connection that never opened is tried again at once: a request that may have arrived could be a post, and
    would be posted twice. All other waiting is the outbox's.
    """
    again = AsyncConnectionErrorRetryHandler(error_types=[ClientConnectorError])
    return AsyncWebClient(
        token=token, base_url=base_url, session=session, retry_handlers=[again], logger=hushed("web", logging.ERROR)
    )


async def ask(call: Awaitable[AsyncSlackResponse], variable: str = BOT_TOKEN) -> Payload:
    """The answer of a Web API call. Raises Refused or Unreachable; `variable` is what to mend when a token is bad."""
    try:
        answer = await call
    except SlackApiError as error:
        raise _problem(error, variable) from error
    except (ClientError, TimeoutError, OSError, AttributeError) as error:
        # AttributeError: the client stumbles over a plain text where Slack would have sent JSON, as proxies do.
        raise Unreachable(f"platforms.slack: {type(error).__name__}") from error
    return _object(answer.data)


def hushed(part: str, level: int) -> logging.Logger:
    """A logger for the libraries, which would otherwise write bodies, tickets and advice into ours."""
    logger = logging.getLogger(f"{__name__}.{part}")
    logger.setLevel(level)
    return logger


@dataclass(frozen=True, slots=True)
class Profile:
    """What Slack knows about a person; all empty when it would not say."""

    name: str = ""
    language: str | None = None
    """IETF tag; None when unknown."""
    is_bot: bool = False


class Directory:
    """Who is who in the workspace, remembered for a while."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._profiles: dict[str, tuple[float, Profile]] = {}
        self._members: dict[str, tuple[float, frozenset[str]]] = {}
        self._asking: dict[str, asyncio.Lock] = {}
        self._complained: set[str] = set()

    async def profile(self, user: str) -> Profile:
        """What Slack knows about the person; an empty profile when it refuses to say. Raises Unreachable."""
        # One question a person, however many of their messages wait for the answer: Slack counts them.
        async with self._asking.setdefault(user, asyncio.Lock()):
            until, known = self._profiles.get(user, (0.0, Profile()))
            if _now() < until:
                return known
            try:
                known = _profile(await ask(self._client.users_info(user=user, include_locale=True)))
            except Refused as error:
                self._complain("users.info", error)
                known = Profile()
            self._profiles[user] = (_now() + _PROFILE_FOR, known)
            return known

    async def profile_within(self, user: str, seconds: float) -> Profile:
        """The profile, or what was last known of it when Slack is slow or out of reach; then not asked for a minute."""
        try:
            async with asyncio.timeout(seconds):
                return await self.profile(user)
        except (TimeoutError, Unreachable):
            last = self._profiles.get(user, (0.0, Profile()))[1]
            self._profiles[user] = (_now() + _SLOW_FOR, last)
            return last

    async def members(self, group: str) -> frozenset[str]:
        """The user group's people; nobody when Slack refuses to say. Raises Unreachable when they were never known."""
        until, known = self._members.get(group, (0.0, None))
        if known is not None and _now() < until:
            return known
        try:
            answer = await ask(self._client.usergroups_users_list(usergroup=group))
            users = answer.get("users")
            known = frozenset(str(user) for user in users) if isinstance(users, list) else frozenset()
        except Refused as error:
            self._complain(group, error)
            known = frozenset()
        except Unreachable:
            if known is None:
                raise
        self._members[group] = (_now() + _MEMBERS_FOR, known)
        return known

    def _complain(self, about: str, error: Refused) -> None:
        if about not in self._complained:
            self._complained.add(about)
            log.warning("Slack does not say who is who", extra={"about": about, "problem": str(error)})


def _profile(answer: Payload) -> Profile:
    user = inner(answer, "user")
    profile = inner(user, "profile")
    shown = (word(profile, "display_name"), word(profile, "real_name"), word(user, "real_name"), word(user, "name"))
    return Profile(next(filter(None, shown), ""), word(user, "locale") or None, user.get("is_bot") is True)


def _problem(error: SlackApiError, variable: str) -> Refused | Unreachable:
    answer = error.response
    if not isinstance(answer, AsyncSlackResponse):
        return Unreachable("platforms.slack: an answer that is not Slack's")
    body = _object(answer.data)
    code, method = word(body, "error"), answer.api_url.rsplit("/", 1)[-1]
    if answer.status_code == 429 or answer.status_code >= 500 or code in _PASSING or not code:
        return Unreachable(f"platforms.slack: {method}: {code or answer.status_code}", _retry_after(answer))
    if code in _BAD_TOKEN or code == _WRONG_TOKEN:
        return Refused(f"platforms.slack: Slack refused {variable} ({code}); {_WHERE[variable]}")
    about = f"{code} ({word(body, 'needed')})" if word(body, "needed") else code
    remedy = f"; {_REMEDIES[code]}" if code in _REMEDIES else ""
    return Refused(f"platforms.slack: {method}: {about}{remedy}")


def _retry_after(answer: AsyncSlackResponse) -> timedelta | None:
    value = str(answer.headers.get("Retry-After", ""))
    return timedelta(seconds=int(value)) if value.isdecimal() else None


def _now() -> float:
    return asyncio.get_running_loop().time()


def _object(value: object) -> Payload:
    return cast(Mapping[str, object], value) if isinstance(value, dict) else {}
