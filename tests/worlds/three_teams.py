"""Three teams that have a room on either platform."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import func, select

from bot.domain.messages import Place
from bot.domain.tasks import Label, Task
from db.engine import Database
from tests.integration.platforms.slack import parts as slack
from tests.integration.platforms.telegram import parts as telegram
from tests.servers.slack import Post as SlackPost
from tests.servers.slack import SlackServer
from tests.servers.slack import User as Colleague
from tests.servers.telegram import Post as TelegramPost
from tests.servers.telegram import TelegramServer
from tests.servers.telegram import User as Customer
from tests.worlds.both_platforms import BothPlatforms, between

ROOMS = {"billing": (slack.BILLING, -1001), "delivery": ("C0DELIVERY", -1002), "it": (slack.IT, -1003)}
EMOJI = {"billing": ("moneybag", "🤝"), "delivery": ("package", "🎅"), "it": ("wrench", "👨‍💻")}
TASK = Task(
    name="routing",
    question="Which team?",
    labels=tuple(
        Label(
            name,
            f"All about {name}",
            emoji={"slack": EMOJI[name][0], "telegram": EMOJI[name][1]},
            deliver_to={"slack": Place("slack", channel), "telegram": Place("telegram", str(group))},
        )
        for name, (channel, group) in ROOMS.items()
    ),
    fallback="it",
)
ANN, LEE, SAM = telegram.ANN, telegram.LEAD, telegram.STRANGER
MIA, BO, KIM = slack.ANN, slack.LEAD, slack.OTHER_LEAD


class Town(BothPlatforms):
    """Three teams, each with a Slack channel and a Telegram group; Mia asks in Slack, Ann in Telegram."""

    async def asks(self, text: str) -> str:
        """Mia asks in Slack; the ts."""
        ts = await self.slack.writes(MIA, slack.HELP, text)
        await self.settles()
        return ts

    async def says(self, text: str) -> None:
        """Ann writes in Telegram."""
        await self.telegram.writes(ANN, text)
        await self.settles()

    def replies(self, ts: str) -> list[SlackPost]:
        return [post for post in self.slack.posts(slack.HELP) if post.thread_ts == ts]

    def told(self) -> list[TelegramPost]:
        return self.telegram.posts(ANN)

    def cards(self, team: str) -> list[SlackPost]:
        return [post for post in self.slack.posts(ROOMS[team][0]) if post.thread_ts is None]

    def telegram_cards(self, team: str) -> list[TelegramPost]:
        return [post for post in self.telegram.posts(ROOMS[team][1]) if post.text.startswith("New request")]

    def standing(self) -> list[str]:
        """The teams whose Slack channel has a card that is not struck through."""
        return [team for team in ROOMS for card in self.cards(team) if "Moved to" not in str(card.blocks)]

    async def count(self, table: type, *conditions: object) -> int:
        async with self.story.database.transaction() as session:
            found = await session.scalar(select(func.count()).select_from(table).where(*conditions))  # type: ignore[arg-type]
        return found or 0


@asynccontextmanager
async def town_of_three_teams(database: Database, folder: Path) -> AsyncIterator[Town]:
    channels = [slack.HELP, *(channel for channel, _ in ROOMS.values())]
    async with TelegramServer() as chats, SlackServer(channels, redeliver_after=0.5) as workspace:
        for user, name in ((ANN, "Ann"), (LEE, "Lee"), (SAM, "Sam")):
            chats.add_user(Customer(id=user, first_name=name))
        for team, (_, group) in ROOMS.items():
            chats.add_group(group, team)
            chats.add_member(group, LEE)
        for colleague in (MIA, BO, KIM):
            workspace.add_user(Colleague(id=colleague, name=colleague[2:].title()))
        async with between(chats, workspace, database, folder, TASK, frozenset({BO, KIM})) as story:
            yield Town(story, workspace, chats)
