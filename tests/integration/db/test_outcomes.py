"""What became of conversations: their final team, who decided it, and how long they were with the wrong team."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.domain.conversations import CardState, LeadLabel
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.outcomes import Outcome, median_lost
from bot.domain.tasks import Label
from bot.domain.team_changes import Kind, TeamChange
from bot.flow.review import Reviewer
from db.engine import Database
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outbox import PostgresOutbox
from db.outcomes import PostgresOutcomes
from db.tables import ConversationRow
from db.team_changes import PostgresTeamChanges
from tests.integration.db.scenes import (
    AGENT,
    LEAD,
    ROOM,
    TASK,
    VECTOR,
    after,
    asked,
    pending,
    reaction,
    routed,
    say_all,
)

CORRECTED = Decision("routing", "access", Author.LEAD, Reason.CORRECTED, actor="slack:lead")


@pytest.fixture
def outcomes(database: Database) -> PostgresOutcomes:
    return PostgresOutcomes(database)


async def _all(outcomes: PostgresOutcomes, limit: int = 10) -> list[Outcome]:
    return list(await outcomes.outcomes("routing", after(0), after(10_000), limit, vectors_by="tiny"))


async def test_what_nobody_touched_is_where_it_went_and_settled_by_nobody(
    ledger: PostgresLedger, outcomes: PostgresOutcomes
) -> None:
    id = await routed(ledger)
    [one] = await _all(outcomes)
    assert (one.conversation, one.text, one.first.label, one.ended) == (id, "where is my refund", "billing", "billing")
    assert (one.settled, one.moved, one.asked, one.vector) == (False, False, False, VECTOR)
    assert median_lost([one]) is None


async def test_a_standing_ruling_says_where_it_belongs_and_how_long_that_took(
    ledger: PostgresLedger, outbox: PostgresOutbox, outcomes: PostgresOutcomes
) -> None:
    await routed(ledger)
    ref = (await say_all(outbox))["Card"]
    [before] = await _all(outcomes)
    await ledger.add_reaction(reaction(ref, "key", 600))
    ruling = LeadLabel("access", LEAD, after(600), confirms=False, disputed=True)
    await ledger.conclude_reactions(await pending(ledger, 605), CORRECTED, CardState(ruling), [], after(605))
    [one] = await _all(outcomes)
    assert (one.ended, one.settled, one.said, one.moved, one.disputed) == ("access", True, True, True, True)
    assert one.moved_at is not None
    assert median_lost([one, before]) == pytest.approx((one.moved_at - one.at).total_seconds() / 60)


async def test_a_team_that_takes_it_settles_it(
    ledger: PostgresLedger, outbox: PostgresOutbox, outcomes: PostgresOutcomes
) -> None:
    await routed(ledger)
    ref = (await say_all(outbox))["Card"]
    await ledger.add_reaction(reaction(ref, "eyes", 10))
    await ledger.conclude_reactions(await pending(ledger, 11), None, CardState(taken_by=AGENT), [], after(11))
    [one] = await _all(outcomes)
    assert (one.ended, one.settled, one.said, one.moved) == ("billing", True, False, False)


async def test_teams_are_called_as_they_are_by_now(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox, outcomes: PostgresOutcomes
) -> None:
    """Otherwise the week before a renaming would look as if no decision had been right."""
    await routed(ledger)
    await say_all(outbox)
    labels = (Label("invoices", "money", deliver_to={"slack": ROOM}), *TASK.labels[1:])
    renamed = replace(TASK, labels=labels)
    wanted = TeamChange(Kind.RENAME, "billing", "invoices", "ann")
    await PostgresTeamChanges(database).change(renamed, wanted, lambda _found, _decision: [], after(60), False)
    [one] = await _all(outcomes)
    assert (one.first.label, one.ended, one.moved) == ("invoices", "invoices", False)


async def test_the_newest_come_oldest_first_and_other_times_and_tasks_do_not(
    ledger: PostgresLedger, outcomes: PostgresOutcomes
) -> None:
    first = await routed(ledger, ref="m1")
    second = await asked(ledger, ref="m2", start=100)
    third = await routed(ledger, ref="m3", start=200)
    assert [one.conversation for one in await _all(outcomes)] == [first, second, third]
    assert [one.conversation for one in await _all(outcomes, 2)] == [second, third]
    assert [one.asked for one in await _all(outcomes)] == [False, True, False]
    later = await outcomes.outcomes("routing", after(5_000), after(9_000), 10)
    [plain, *_] = await outcomes.outcomes("routing", after(0), after(9_000), 10)
    assert plain.vector is None
    assert (later, await outcomes.outcomes("mood", after(0), after(9_000), 10)) == ([], [])


async def test_after_a_change_of_encoder_only_vectors_that_can_be_compared_are_looked_at(
    database: Database, ledger: PostgresLedger, outcomes: PostgresOutcomes
) -> None:
    """PostgreSQL cannot multiply vectors of different widths: a review ended with its error."""
    await routed(ledger, "where is my refund", "m1", 0)
    await routed(ledger, "where is my other refund", "m2", 100)
    earlier = update(ConversationRow).where(ConversationRow.text == "where is my refund")
    async with database.transaction() as session:
        await session.execute(earlier.values(vector=[1.0, 0.0], embedder="older"))
    assert [one.vector for one in await _all(outcomes)] == [None, VECTOR]
    reviewer = Reviewer(outcomes, PostgresMemory(database, "tiny"), "tiny", lambda: after(3_600))
    found = await reviewer.review(TASK, timedelta(days=1))
    assert [one.text for one in found.outcomes] == ["where is my refund", "where is my other refund"]
