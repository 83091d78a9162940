"""Calls Slack's Web API, and translates its errors into ours."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import cast

from aiohttp import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
)
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.domain.errors import Refused, Unreachable
from bot.platforms.slack.payload import Payload, word

BOT_TOKEN, APP_TOKEN = "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"

CALL_SECONDS = 10.0
"""How long a call may take, from connecting until its answer has been read."""
_READS = 3
"""How many times a read is tried when Slack is busy."""
_LONGEST_WAIT = 5.0
_DIGITS = 7
"""A wait in seconds of so many digits (over eleven days) is not Slack's, and ignored."""

_PASSING = frozenset(
    "ratelimited rate_limited message_limit_exceeded internal_error fatal_error service_unavailable request_timeout "
    "team_added_to_org accesslimited".split()
)
"""Errors that a later attempt may not meet."""
BAD_TOKEN = frozenset("invalid_auth not_authed account_inactive token_revoked token_expired".split())
"""Errors that are the token's fault, not the request's: it may succeed with another token."""
_WRONG_TOKEN = "not_allowed_token_type"  # noqa: S105
_WHERE = {
    BOT_TOKEN: "copy the Bot User OAuth Token from the app's OAuth & Permissions page",
    APP_TOKEN: "make an app-level token with the scope connections:write on the app's Basic Information page",
}
_RESTRICTED = "who may post in this channel is restricted; allow the bot to, in the channel's settings"
_TOO_LONG = "it is longer than Slack takes"
_REMEDIES = {
    "not_in_channel": "invite the bot to the channel with /invite",
    "channel_not_found": "check the channel's ID; a private channel is found only once the bot is in it",
    "is_archived": "the channel is archived; unarchive it, or name another one in the settings",
    "missing_scope": "add the scope on the app's OAuth & Permissions page and reinstall the app",
    "no_permission": "add the scope on the app's OAuth & Permissions page and reinstall the app",
    "restricted_action": _RESTRICTED,
    "restricted_action_read_only_channel": _RESTRICTED,
    "restricted_action_thread_only_channel": _RESTRICTED,
    "restricted_action_non_threadable_channel": "this channel has no threads; name another one in the settings",
    "posting_to_general_channel_denied": _RESTRICTED,
    "user_not_in_channel": "they are not in the channel",
    "team_access_not_granted": "the app must be installed in the workspace of that channel, too",
    "msg_too_long": _TOO_LONG,
    "msg_blocks_too_long": _TOO_LONG,
}


class Declined(Refused):
    """Slack refused, with this code."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def open_session() -> ClientSession:
    """A session without time limits of its own: whoever calls sets one (`asyncio.timeout`), as `answered` does.

    aiohttp takes a cancellation that comes in the same turn of the event loop as its limit for the limit: the task
    then goes on, and whoever waits for it to end waits for ever.
    """
    return ClientSession(timeout=ClientTimeout())


def web_client(token: str, base_url: str, session: ClientSession) -> AsyncWebClient:
    """A client that never repeats a request that may have arrived, since a post would then be sent twice.

    Only a connection that never opened is retried at once. All other waiting is the outbox's.
    """
    again = AsyncConnectionErrorRetryHandler(error_types=[ClientConnectorError])
    return AsyncWebClient(
        token=token, base_url=base_url, session=session, retry_handlers=[again], logger=hushed("web", logging.ERROR)
    )


async def ask(call: Awaitable[AsyncSlackResponse], variable: str = BOT_TOKEN, seconds: float = CALL_SECONDS) -> Payload:
    """The answer of a Web API call. Raises Refused or Unreachable; `variable` is what to mend when a token is bad."""
    return as_object((await answered(call, variable, seconds)).data)


async def answered(
    call: Awaitable[AsyncSlackResponse], variable: str = BOT_TOKEN, seconds: float = CALL_SECONDS
) -> AsyncSlackResponse:
    """Like `ask`, with the headers."""
    try:
        async with asyncio.timeout(seconds):
            return await call
    except SlackApiError as error:
        raise _problem(error, variable) from error
    except (ClientError, TimeoutError, OSError, AttributeError, SlackClientError) as error:
        # AttributeError: the client fails on plain text where Slack would have sent JSON, as proxies do.
        raise Unreachable(f"platforms.slack: {unreached(error)}") from error


def unreached(error: BaseException) -> str:
    """Why Slack gave no answer, in words that say where to look."""
    match error:
        case ClientConnectorDNSError():
            return f"Slack cannot be reached: the name {error.host} is not known here"
        case ClientConnectorCertificateError():
            return f"Slack cannot be reached: the certificate of {error.host} is not trusted here"
        case ClientConnectorError():
            return f"Slack cannot be reached: {error.host}:{error.port} takes no connection"
        case TimeoutError():
            return "Slack cannot be reached: it did not answer in time"
        case ClientConnectionError() | OSError():
            return "Slack cannot be reached: the connection broke off"
        case _:
            return "an answer that is not Slack's"


async def look(question: Callable[[], Awaitable[AsyncSlackResponse]]) -> Payload:
    """The answer of a read-only call, which is repeated a few times when Slack asks us to wait a little."""
    for _ in range(_READS - 1):
        try:
            return await ask(question())
        except Unreachable as error:
            wait = error.retry_after.total_seconds() if error.retry_after else _LONGEST_WAIT + 1
            if wait > _LONGEST_WAIT:
                raise
            await asyncio.sleep(wait)
    return await ask(question())


def hushed(part: str, level: int) -> logging.Logger:
    """A quieter logger for a library, which would otherwise log bodies, tickets and advice."""
    logger = logging.getLogger(f"{__name__}.{part}")
    logger.setLevel(level)
    return logger


def _problem(error: SlackApiError, variable: str) -> Declined | Unreachable:
    answer = error.response
    if not isinstance(answer, AsyncSlackResponse):
        return Unreachable("platforms.slack: an answer that is not Slack's")
    body = as_object(answer.data)
    code, method = word(body, "error"), answer.api_url.rsplit("/", 1)[-1]
    if answer.status_code == 429 or answer.status_code >= 500 or code in _PASSING or not code:
        return Unreachable(f"platforms.slack: {method}: {code or answer.status_code}", _retry_after(answer))
    if code in BAD_TOKEN or code == _WRONG_TOKEN:
        return Declined(f"platforms.slack: Slack refused {variable} ({code}); {_WHERE[variable]}", code)
    about = f"{code} ({word(body, 'needed')})" if word(body, "needed") else code
    remedy = f"; {_REMEDIES[code]}" if code in _REMEDIES else ""
    return Declined(f"platforms.slack: {method}: {about}{remedy}", code)


def _retry_after(answer: AsyncSlackResponse) -> timedelta | None:
    value = str(answer.headers.get("Retry-After", ""))
    return timedelta(seconds=int(value)) if value.isdecimal() and len(value) < _DIGITS else None


def as_object(value: object) -> Payload:
    """The answer's object; an empty one where there is none."""
    return cast(Mapping[str, object], value) if isinstance(value, dict) else {}
