"""`switchboard check slack`: tries with real calls all that we need of Slack, and says how to mend what fails."""

from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime

from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import SwitchboardError, Unreachable
from bot.platforms import Finding, PlatformContext
from bot.platforms.clock import clock
from bot.platforms.slack import Config, Mode
from bot.platforms.slack.channels import channels
from bot.platforms.slack.directory import Directory, Profile
from bot.platforms.slack.emoji import EmojiNames, aliases, named_emoji
from bot.platforms.slack.installed import with_token
from bot.platforms.slack.manifest import SCOPES
from bot.platforms.slack.payload import NAME, word
from bot.platforms.slack.web_api import APP_TOKEN, BOT_TOKEN, answered, as_object, ask, open_session, web_client

_ADDRESS = "platforms.slack.api_base_url (or SLACK_API_BASE_URL) if it is set"


async def check(config: Config, context: PlatformContext) -> AsyncIterator[Finding]:
    """One finding after another; nothing more is checked when the bot's token is invalid."""
    try:
        config = await with_token(config, context)
    except SwitchboardError as error:
        yield Finding("the app is installed", False, str(error))
        return
    async with open_session() as session:
        client = web_client(config.bot_token, config.api_base_url, session)
        try:
            greeting = await answered(client.auth_test())
        except Unreachable as error:
            yield Finding("Slack answers", False, f"{error}; see the network here, and {_ADDRESS}")
            return
        except SwitchboardError as error:
            yield Finding(BOT_TOKEN, False, str(error))
            return
        yield Finding(f"{BOT_TOKEN}, workspace {word(as_object(greeting.data), 'team')}", True)
        if (agrees := clock("Slack", greeting.headers.get("Date"), datetime.now(UTC))) is not None:
            yield agrees
        yield _scopes(str(greeting.headers.get("x-oauth-scopes", "")))
        if config.mode is Mode.SOCKET:
            yield await _socket(config, session)
        directory = Directory(client)
        async for finding in channels(config, context.task, directory, context.hearing_on(NAME)):
            yield finding
        yield await _emoji(directory, context)
        for lead, setting in _leads(config, context):
            yield await _lead(directory, client, lead, setting)


async def _emoji(directory: Directory, context: PlatformContext) -> Finding:
    """Check that no two names in the settings are the same emoji through one of the workspace's aliases."""
    try:
        own = aliases(await directory.emoji())
    except SwitchboardError as error:
        return Finding("emoji", False, str(error))
    clashes = EmojiNames(named_emoji(context), own).clashes()
    told = ", ".join(f"{one} and {other}" for one, other in clashes)
    return Finding("emoji", not clashes, f"{told} are one emoji in this workspace; choose another" if clashes else "")


def _scopes(granted: str) -> Finding:
    missing = set(SCOPES) - {scope.strip() for scope in granted.split(",")}
    if not missing:
        return Finding("the app's scopes", True)
    remedy = f"add {', '.join(sorted(missing))} on the app's OAuth & Permissions page and reinstall the app"
    return Finding("the app's scopes", False, remedy)


async def _socket(config: Config, session: ClientSession) -> Finding:
    client = web_client(config.app_token, config.api_base_url, session)
    opening = ask(client.apps_connections_open(app_token=config.app_token), APP_TOKEN)
    return await _found(APP_TOKEN, opening)


def _leads(config: Config, context: PlatformContext) -> list[tuple[str, str]]:
    """(id, setting) of everyone who may correct."""
    task = context.task
    found = [(lead, "platforms.slack.leads") for lead in sorted(config.leads | config.lead_groups)]
    for label in task.labels:
        setting = f"tasks.{task.name}.labels.{label.name}.leads.slack"
        found += [(lead, setting) for lead in sorted(label.leads.get(NAME, ()))]
    return found


async def _lead(directory: Directory, client: AsyncWebClient, lead: str, setting: str) -> Finding:
    what = f"lead {lead} ({setting})"
    if lead.startswith("S"):
        return await _group(client, lead, what)
    try:
        remedy = _lead_remedy(await directory.profile(lead))
    except SwitchboardError as error:
        remedy = str(error)
    return Finding(what, not remedy, remedy)


async def _group(client: AsyncWebClient, group: str, what: str) -> Finding:
    try:
        answer = await ask(client.usergroups_users_list(usergroup=group))
    except SwitchboardError as error:
        return Finding(what, False, f"{error}; list people's own IDs (U…) instead")
    return Finding(what, bool(answer.get("users")), "" if answer.get("users") else "nobody is in this group")


def _lead_remedy(profile: Profile) -> str:
    if not profile.known:
        return "there is nobody with this ID; copy it from their profile, under ⋮"
    if profile.is_bot:
        return "it is a bot, and bots may not correct"
    if profile.gone:
        return "their account is closed"
    return "they are of another company, and may not correct" if profile.external else ""


async def _found(what: str, call: Awaitable[object]) -> Finding:
    try:
        await call
    except SwitchboardError as error:
        return Finding(what, False, str(error))
    return Finding(what, True)
