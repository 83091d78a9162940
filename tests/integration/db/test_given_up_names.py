"""A change that finds nothing of its team: what is said, and that no row stands for it."""

import pytest

from bot.domain.errors import UsageError
from bot.domain.team_changes import Kind, TeamChange
from db.engine import Database
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.registry import PostgresRegistry
from db.team_changes import PostgresTeamChanges
from tests.integration.db.scenes import TASK
from tests.integration.db.test_team_changes import ALPHABET, RENAME, RENAMED, corrected, example, made


@pytest.fixture
def changes(database: Database) -> PostgresTeamChanges:
    return PostgresTeamChanges(database)


@pytest.mark.parametrize("kind", [Kind.RETIRE, Kind.MERGE])
async def test_a_name_that_a_team_gave_up_is_refused_with_its_present_name(
    changes: PostgresTeamChanges, ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, kind: Kind
) -> None:
    registry = PostgresRegistry(database)
    await registry.codes(TASK, "starter", ALPHABET)
    await registry.codes(RENAMED, "starter", ALPHABET)  # a bot started with the new name before the command ran
    await corrected(ledger, outbox)
    await made(changes, RENAMED, RENAME)
    codes = await PostgresRegistry(database).codes(RENAMED, "starter", ALPHABET)
    with pytest.raises(UsageError, match=r"access was renamed to logins on .*; name logins"):
        await made(changes, RENAMED, TeamChange(kind, "access", "triage", "ann"))
    assert (await made(changes, RENAMED, RENAME)).nothing, "once more is still nothing new"
    assert await PostgresRegistry(database).codes(RENAMED, "starter", ALPHABET) == codes
    assert [one.kind for one in await changes.made("routing")] == [Kind.RENAME]
    await PostgresExamples(database).add_examples("routing", [example("no password", "access")])
    assert (await made(changes, RENAMED, TeamChange(kind, "access", "triage", "ann"))).examples == 1


async def test_a_split_of_texts_that_are_no_examples_leaves_no_row(
    changes: PostgresTeamChanges, database: Database
) -> None:
    await PostgresExamples(database).add_examples("routing", [example("no password", "logins")])
    other = TeamChange(Kind.SPLIT, "logins", "triage", "ann", ("never written",))
    assert (await made(changes, RENAMED, other)).nothing
    assert await changes.made("routing") == []
