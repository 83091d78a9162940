"""A correction made after the person edited their message teaches the text that the lead read on the card."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.domain.learning import side_of, text_key
from bot.domain.messages import Place
from bot.domain.tasks import Label, Task
from db.engine import Database
from db.tables import ExampleRow
from tests.fakes import FakeEmbedder
from tests.integration.platforms.slack import parts as slack
from tests.integration.platforms.telegram import parts as telegram
from tests.servers.slack import SlackServer
from tests.servers.slack import User as Colleague
from tests.servers.telegram import TelegramServer
from tests.servers.telegram import User as Customer
from tests.worlds.both_platforms import BothPlatforms, between, nobody_waits_for_a_turn

BILLING = Label(
    "billing",
    "Invoices",
    emoji={"slack": "moneybag", "telegram": "🤝"},
    deliver_to={"slack": Place("slack", slack.BILLING), "telegram": Place("telegram", f"{telegram.IT}/45")},
)
IT = Label(
    "it",
    "Laptops",
    emoji={"slack": "computer", "telegram": "👨‍💻"},
    deliver_to={"slack": Place("slack", slack.BILLING), "telegram": Place("telegram", f"{telegram.IT}/45")},
)
TASK = Task("routing", "Which team?", (BILLING, IT), fallback="it")
ANN, LEE, MIA = telegram.ANN, telegram.LEAD, slack.ANN
BEFORE, AFTER = "I was charged for the tunnel", "the tunnel to the office does not connect"


@pytest.fixture
async def company(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BothPlatforms]:
    nobody_waits_for_a_turn(monkeypatch)
    async with TelegramServer() as chats, SlackServer([slack.HELP, slack.BILLING]) as workspace:
        chats.add_group(telegram.IT, "it", topics=(45,))
        chats.add_user(Customer(id=ANN, first_name="Ann"))
        chats.add_user(Customer(id=LEE, first_name="Lee"))
        chats.add_member(telegram.IT, LEE)
        workspace.add_user(Colleague(id=MIA, name="Mia"))
        workspace.add_user(Colleague(id=slack.LEAD, name="Bo"))
        async with between(chats, workspace, database, tmp_path, TASK) as story:
            yield BothPlatforms(story, workspace, chats)


async def lessons(database: Database) -> Sequence[ExampleRow]:
    """The examples that a lead's statements made."""
    wanted = select(ExampleRow).where(ExampleRow.withdrawn_at.is_(None), ExampleRow.conversation_id.is_not(None))
    async with database.transaction() as session:
        return (await session.scalars(wanted.order_by(ExampleRow.id))).all()


async def is_of(lesson: ExampleRow, words: str) -> None:
    """Check that the example has exactly this text, and the vector of this text."""
    assert (lesson.text, lesson.text_key, lesson.side) == (words, text_key(words), side_of(words))
    [vector] = await FakeEmbedder().embed([words])
    assert lesson.vector is not None
    assert list(lesson.vector) == pytest.approx(list(vector), abs=1e-6)


async def test_in_slack_a_correction_after_an_edit_teaches_the_edited_words(
    company: BothPlatforms, database: Database
) -> None:
    asked = await company.slack.writes(MIA, slack.HELP, BEFORE)
    await company.settles()
    card = company.slack.posts(slack.BILLING)[0]
    await company.slack.edits(MIA, slack.HELP, asked, AFTER)
    await company.settles()
    await company.slack.reacts(slack.LEAD, slack.BILLING, card.ts, "computer")
    await company.settles()
    [lesson] = await lessons(database)
    assert (lesson.label, lesson.source) == ("it", "correction")
    await is_of(lesson, AFTER)
    await company.slack.unreacts(slack.LEAD, slack.BILLING, card.ts, "computer")
    await company.settles()
    assert await lessons(database) == []


async def test_in_telegram_a_correction_after_an_edit_teaches_the_edited_words(
    company: BothPlatforms, database: Database
) -> None:
    asked = await company.telegram.writes(ANN, BEFORE)
    await company.settles()
    card = company.telegram.posts(telegram.IT)[0]
    await company.telegram.edits(ANN, ANN, asked, AFTER)
    await company.settles()
    await company.telegram.reacts(LEE, telegram.IT, card.message_id, ["👨‍💻"])
    await company.settles()
    [lesson] = await lessons(database)
    assert (lesson.label, lesson.source) == ("it", "correction")
    await is_of(lesson, AFTER)


async def test_an_edit_after_the_correction_leaves_what_the_lead_read(
    company: BothPlatforms, database: Database
) -> None:
    asked = await company.slack.writes(MIA, slack.HELP, BEFORE)
    await company.settles()
    card = company.slack.posts(slack.BILLING)[0]
    await company.slack.reacts(slack.LEAD, slack.BILLING, card.ts, "computer")
    await company.settles()
    await company.slack.edits(MIA, slack.HELP, asked, AFTER)
    await company.settles()
    [lesson] = await lessons(database)
    await is_of(lesson, BEFORE)
