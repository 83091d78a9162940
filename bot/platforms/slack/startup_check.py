"""At the start: whether every channel in the settings can be used."""

import logging

from bot.domain.tasks import Task
from bot.platforms.slack import Config
from bot.platforms.slack.channels import channels
from bot.platforms.slack.directory import Directory
from bot.platforms.slack.payload import NAME

log = logging.getLogger(__name__)


async def startup_check(config: Config, task: Task, directory: Directory) -> None:
    """Log the channels that cannot be used, since no event would reach us from them.

    This does not prevent the start: the other teams work.
    """
    async for finding in channels(config, task, directory):
        if not finding.ok:
            about = {"platform": NAME, "about": finding.what, "remedy": finding.remedy}
            log.error("channel cannot be used", extra=about)
