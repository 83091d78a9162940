"""What platforms ask by command, tested with the real database answers and with their fakes in memory."""

from datetime import UTC, datetime
from typing import cast

import pytest

from bot.domain.errors import UsageError
from bot.domain.messages import Person
from bot.domain.queries import ChatCommands
from bot.flow.chat_commands import ChatCommandHandler
from db.engine import Database
from db.erasure import PostgresErasure
from db.ledger import PostgresLedger
from db.queries import PostgresQueries
from db.registry import PostgresRegistry
from tests.fakes_web import FakeWorld
from tests.integration.db.scenes import TASK
from tests.integration.platforms.slack.parts import FakeDesk
from tests.integration.platforms.telegram.parts import Counter

LEAD, OTHER = Person("telegram", "4711", "Lea"), Person("telegram", "4712", "Ann")


def _commands(kind: str, database: Database) -> ChatCommands:
    if kind == "real":
        ledger, registry = PostgresLedger(database, "none"), PostgresRegistry(database)
        queries, erasure = PostgresQueries(database), PostgresErasure(database)
        return ChatCommandHandler(TASK, "starter", queries, registry, ledger, erasure, lambda: datetime.now(UTC))
    fakes: dict[str, object] = {"slack": FakeDesk(), "telegram": Counter(), "web": FakeWorld()}
    return cast(ChatCommands, fakes[kind])


@pytest.mark.parametrize("kind", ["real", "slack", "web"])
async def test_a_cycle_is_asked_for_once_while_one_waits(database: Database, kind: str) -> None:
    commands = _commands(kind, database)
    assert [await commands.learn(one) for one in (LEAD, OTHER)] == [True, False]


@pytest.mark.parametrize("kind", ["real", "slack"])
async def test_an_adapter_that_nobody_knows_cannot_be_promoted(database: Database, kind: str) -> None:
    with pytest.raises(UsageError, match="routing-9"):
        await _commands(kind, database).promote("routing-9", LEAD)


@pytest.mark.parametrize("kind", ["real", "telegram"])
async def test_a_language_that_somebody_chose_is_theirs_alone(database: Database, kind: str) -> None:
    commands = _commands(kind, database)
    assert await commands.language(LEAD) is None
    await commands.speak(LEAD, "es")
    assert (await commands.language(LEAD), await commands.language(OTHER)) == ("es", None)


@pytest.mark.parametrize("kind", ["real", "slack", "telegram"])
async def test_who_asked_for_nothing_has_no_requests(database: Database, kind: str) -> None:
    assert await _commands(kind, database).requests_of(LEAD) == []
