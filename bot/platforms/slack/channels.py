"""The channels named in the settings, and whether they can be used."""

from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType

from bot.domain.errors import SwitchboardError
from bot.domain.tasks import Task
from bot.platforms import Finding
from bot.platforms.slack import Config
from bot.platforms.slack.directory import Directory, Room
from bot.platforms.slack.payload import NAME

NOBODY: Mapping[str, str] = MappingProxyType({})


def rooms(task: Task) -> frozenset[str]:
    """The teams' channels."""
    return frozenset(label.deliver_to[NAME].chat for label in task.labels if NAME in label.deliver_to)


async def channels(
    config: Config, task: Task, directory: Directory, hearing: Mapping[str, str] = NOBODY
) -> AsyncIterator[Finding]:
    """Check every team's channel, every channel that is informed of answers (under its settings), and every intake."""
    teams = rooms(task)
    for channel in sorted(teams):
        yield await _channel(directory, channel, setting_of(task, channel), team=True)
    for channel, settings in hearing.items():
        yield await _channel(directory, channel, settings, team=True)
    for channel in sorted(config.intake - teams):
        yield await _channel(directory, channel, "platforms.slack.intake", team=False)


def setting_of(task: Task, channel: str) -> str:
    """The settings that name that channel as a team's room; empty when none does."""
    named = [label.name for label in task.labels if (room := label.deliver_to.get(NAME)) and room.chat == channel]
    return ", ".join(f"tasks.{task.name}.labels.{name}.deliver_to.slack" for name in named)


async def _channel(directory: Directory, channel: str, setting: str, *, team: bool) -> Finding:
    what = f"channel {channel} ({setting})"
    try:
        room = await directory.room(channel)
    except SwitchboardError as error:
        return Finding(what, False, str(error))
    remedy = _channel_remedy(room, team=team)
    return Finding(what, not remedy, remedy)


def _channel_remedy(room: Room, *, team: bool) -> str:
    if room.archived:
        return "it is archived; unarchive it, or name another channel"
    if not room.member:
        return f"the bot is not in it, so that it hears nothing there; in Slack: /invite the bot to #{room.name}"
    if team and room.shared:
        return "it is shared with another company, which must not see cards; name another channel, or end the sharing"
    return ""
