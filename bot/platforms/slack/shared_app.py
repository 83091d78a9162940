"""One Slack app for several workspaces: whose it is, and which Slack workspace belongs to which settings file."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.domain.errors import ConfigError

if TYPE_CHECKING:
    from bot.platforms.slack import Config

_KEY = "platforms.slack.shares_app"
ALONE = (
    "platforms.slack: the app is shared, and Slack sends its events to the process that serves the workspace without a "
    "name; run that one, without --workspace"
)


def sharing(first: "Config | None", others: "Mapping[str, Config]") -> "Mapping[str, Config]":
    """The other workspaces' settings, with the secrets of the first one's app where they share it.

    Raises ConfigError where the first has no app to share, or two settings files are of one Slack workspace.
    """
    lender = None if first is None else first.oauth
    if lender is not None and lender.shared:
        raise ConfigError([f"{_KEY}: belongs in the settings file of a workspace that another file names"])
    shared = {name: config.oauth for name, config in others.items() if config.oauth and config.oauth.shared}
    if shared and (first is None or lender is None):
        named = ", ".join(f"workspace {name}" for name in shared)
        raise ConfigError([f'{_KEY}: {named}: the file that names the workspaces has no app with install = "oauth"'])
    _check_teams({"": lender.team if lender else ""} | {name: one.team for name, one in shared.items()})
    if first is None or lender is None:
        return others
    return {
        name: replace(
            config, signing_secret=first.signing_secret, oauth=replace(lender, team=shared[name].team, shared=True)
        )
        if name in shared
        else config
        for name, config in others.items()
    }


def _check_teams(teams: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for name, team in teams.items():
        if team and team in seen:
            other = f"workspace {seen[team]}" if seen[team] else "the file that names the workspaces"
            raise ConfigError([f"workspace {name}: platforms.slack.team: {team} belongs to {other} already"])
        seen[team] = name
