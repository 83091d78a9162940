"""What the settings say where the app is installed by a browser instead of by a copied token."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.errors import SecretMistake
from bot.platforms.slack.token_keys import VARIABLE, TokenKeys

KEYS = ("install", "team", "shares_app")
VARIABLES = {
    "SLACK_CLIENT_ID": 'the Client ID, with install = "oauth"',
    "SLACK_CLIENT_SECRET": 'the Client Secret, with install = "oauth"',
    VARIABLE: 'the keys that encrypt the stored token, with install = "oauth": the newest first, commas between',
}
_TEAM = re.compile(r"T[A-Z0-9]{2,30}")
_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """The app's own secrets; they never show."""

    client_id: str
    client_secret: str = field(repr=False)
    keys: tuple[str, ...] = field(repr=False)
    """What encrypts the stored token, the newest first."""
    team: str = ""
    """The only workspace that may install; empty: whichever is first."""
    shared: bool = False
    """Whether the app is that of the bot's workspace without a name, whose secrets these are then."""


def oauth_settings(
    table: Mapping[str, object], environment: Mapping[str, str], over_http: bool, mistakes: list[str]
) -> OAuthSettings | None:
    """None: the token is in the environment. Adds what is wrong to the mistakes."""
    install, team = table.get("install", "token"), table.get("team", "")
    if install not in ("token", "oauth"):
        mistakes.append(f'platforms.slack.install: {install!r} is no way to install; write "token" or "oauth"')
    if not isinstance(team, str) or (team and not _TEAM.fullmatch(team)):
        mistakes.append("platforms.slack.team: write the workspace's ID, like T0123ABCD")
    if not isinstance(table.get("shares_app", False), bool):
        mistakes.append("platforms.slack.shares_app: write true or false")
    if install != "oauth":
        if table.get("shares_app"):
            mistakes.append('platforms.slack.shares_app: needs install = "oauth", which gives each workspace its token')
        if "team" in table:
            mistakes.append('platforms.slack.team: is for install = "oauth"; a token is of one workspace anyway')
        return None
    if not over_http:
        mistakes.append(
            'platforms.slack.install: "oauth" needs mode = "http", for Slack sends browsers back to our address'
        )
    if table.get("shares_app"):
        if not team:
            mistakes.append("platforms.slack.team: missing; an app that is shared has to know whose events are whose")
        return OAuthSettings("", "", (), str(team), shared=True)
    told = {**VARIABLES, VARIABLE: f"{VARIABLES[VARIABLE]}; make one with {_KEY}"}
    client_id, client_secret, written = (secret(environment, name, what, mistakes) for name, what in told.items())
    keys = tuple(key.strip() for key in written.split(",") if key.strip())
    try:
        if written:
            TokenKeys(keys)
    except (ValueError, IndexError):
        mistakes.append(SecretMistake(f"platforms.slack: {VARIABLE} holds what is no key; make one with {_KEY}"))
    return OAuthSettings(client_id, client_secret, keys, str(team))


def secret(environment: Mapping[str, str], variable: str, what: str, mistakes: list[str]) -> str:
    """The value of a variable that has to be set; empty, and a mistake that says what it is, where it is not."""
    value = environment.get(variable, "").strip()
    if not value:
        mistakes.append(SecretMistake(f"platforms.slack: {variable} is not set in the environment; it is {what}"))
    return value
