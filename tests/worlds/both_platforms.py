"""A story between the real clients of a local Slack and a local Telegram."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from bot.domain.tasks import Task, Vocabulary
from bot.platforms.telegram import rate_limits
from db.engine import Database
from tests.fakes import FakePlatform
from tests.integration.platforms.slack import parts as slack
from tests.integration.platforms.telegram import parts as telegram
from tests.servers.slack import SlackServer
from tests.servers.telegram import TelegramServer
from tests.worlds.story import Story

WORDS = Vocabulary(
    take={"slack": "eyes", "telegram": "👀"},
    done={"slack": "white_check_mark", "telegram": "👌"},
    wrong={"slack": "-1", "telegram": "👎"},
    send={"slack": "outbox_tray", "telegram": "🕊"},
)


@dataclass
class BothPlatforms:
    """Both platforms, and the bot between them."""

    story: Story
    slack: SlackServer
    telegram: TelegramServer

    async def settles(self) -> None:
        """Receive what people did on either, and do everything that follows from it."""
        await heard(self.telegram, self.slack)
        await follows(self.story)


async def heard(*servers: SlackServer | TelegramServer) -> None:
    """Wait until all that these servers sent is stored and acknowledged."""
    for server in servers:
        await server.until(partial(_nothing_waits, server))


def _nothing_waits(server: SlackServer | TelegramServer) -> bool:
    if isinstance(server, TelegramServer):
        return not server.feed.pending
    return all(delivery.acked for delivery in server.deliveries)


async def follows(story: Story) -> None:
    """Do everything that follows, by a clock that is not behind the servers'."""
    story.time = max(story.time, datetime.now(UTC))
    for _ in range(3):
        await story.settles()


def nobody_waits_for_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make Telegram accept any number of calls a second."""
    for limit in ("_CHAT", "_GROUP"):
        monkeypatch.setattr(rate_limits, limit, (100, 1.0))


@asynccontextmanager
async def between(
    chats: TelegramServer,
    workspace: SlackServer,
    database: Database,
    folder: Path,
    task: Task,
    leads: frozenset[str] | None = None,
) -> AsyncIterator[Story]:
    """The story, which listens to both; `leads` are Slack's, if others than usual."""
    config = slack.config(workspace)
    config = config if leads is None else replace(config, leads=leads)
    async with (
        telegram.connected(telegram.config(chats), telegram.platform_context(task=task, words=WORDS)) as one,
        slack.speaking(config, replace(slack.around(task=task), vocabulary=WORDS)) as other,
    ):
        speakers = [cast(FakePlatform, one), cast(FakePlatform, other)]
        story = Story(database, folder, task, speakers, vocabulary=WORDS)
        async with (
            telegram.listening(chats, one, story.inbox),
            slack.listening(workspace, other, story.inbox),  # type: ignore[arg-type]
        ):
            yield story
