"""Two further questions, and a model that recognises each answer by its own words."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from bot.domain.consequences import Consequences
from bot.domain.decisions import Prediction
from bot.domain.errors import SwitchboardError
from bot.domain.messages import Place
from bot.domain.model_ports import Query
from bot.domain.question_posts import Alert
from bot.domain.tasks import Label, Task
from db.engine import Database
from db.tables import DecisionRow
from tests.fakes import FakePredictor
from tests.samples import TASK
from tests.worlds.story import Story

SECURITY, COPIES = Place("web", "security"), Place("web", "auditors")
MOOD = Task(
    "sentiment",
    "How does the writer feel?",
    (
        Label("upset", "angry", emoji={"web": "😠"}, title="Upset"),
        Label("calm", "anything else", emoji={"web": "🙂"}, title="Calm"),
        Label("glad", "happy", title="Glad"),
    ),
    fallback="calm",
    ask_below=0.60,
)
ALL = Consequences((SECURITY,), (COPIES,), timedelta(minutes=5), hold=True, first=True)
FRAUD = Task(
    "fraud",
    "Is it fraud?",
    (
        Label("suspicious", "fraud", emoji={"web": "🚨"}, title="Suspicious", consequences=ALL),
        Label("ordinary", "anything else", emoji={"web": "👍"}, title="Ordinary"),
    ),
    fallback="ordinary",
    ask_below=0.60,
)


class Oracle(FakePredictor):
    """Sure of each question by its own words; a question may fail while others are answered."""

    def __init__(self) -> None:
        super().__init__()
        self.trouble: dict[str, SwitchboardError | Exception] = {}

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        task = query.task.name
        if task in self.trouble:
            raise self.trouble[task]
        if task == TASK.name:
            return await super().predict(query, texts)
        hot, cold = ("upset", "calm") if task == "sentiment" else ("suspicious", "ordinary")
        word = "outrageous" if task == "sentiment" else "gift cards"
        likely = [hot if word in text else cold for text in texts]
        rest = len(query.task.names) - 1
        return [
            Prediction({name: 0.91 if name == one else 0.09 / rest for name in query.task.names}, None)
            for one in likely
        ]


def told(database: Database, folder: Path, *questions: Task, grace: float = 30.0) -> Story:
    return Story(database, folder, predictor=Oracle(), questions=questions, grace=grace)


def on_card(story: Story, position: int = -1) -> list[tuple[str, str]]:
    return [(one.label, one.by) for one in story.reads(position).answers]


def alerts(story: Story, place: Place) -> list[Alert]:
    said = [item.post for item in story.said() if item.post.place == place]
    return [post.content for post in said if isinstance(post.content, Alert)]


async def decided(database: Database) -> list[tuple[str, str, str]]:
    async with database.transaction() as session:
        rows = await session.scalars(select(DecisionRow).order_by(DecisionRow.id))
        return [(row.task, row.label, row.by) for row in rows]
