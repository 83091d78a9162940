"""Decisions of a second task in addition to the team: they are recorded, and never move a request."""

import pytest
from sqlalchemy import insert, select

from bot.domain.conversations import CardState, LeadLabel
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.learning import Source
from bot.domain.messages import MessageRef
from bot.domain.queries import Week
from db.engine import Database
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.queries import PostgresQueries
from db.tables import CorrectionRow, DecisionRow, ExampleRow
from tests.integration.db.scenes import LEAD, SURE, after, carded, message, pending, reaction

ANGRY = {"task": "sentiment", "label": "negative"}
CORRECTED = Decision("routing", "access", Author.LEAD, Reason.CORRECTED, actor="slack:lead")


async def _feels(database: Database, conversation: int = 1) -> None:
    """The writer's mood, decided in doubt, corrected by a lead, and learned: all that a team's decision may have."""
    async with database.transaction() as session:
        for by, reason, seconds in (
            (Author.FALLBACK, Reason.UNSURE, 6),
            (Author.MODEL, Reason.CONFIDENT, 7),
            (Author.LEAD, Reason.CORRECTED, 8),
        ):
            row = {"conversation_id": conversation, "by": by, "reason": reason, "at": after(seconds), **ANGRY}
            nothing: dict[str, object] = {"probabilities": {}, "evidence": [], "candidates": []}
            await session.execute(insert(DecisionRow).values(row | nothing))
        ruled = {"lead": LEAD.key, "at": after(8), "confirms": False, "disputed": True, **ANGRY}
        await session.execute(insert(CorrectionRow).values(conversation_id=conversation, **ruled))
        text = {"text": "where is my refund", "text_key": "refund", "source": Source.CORRECTION, "side": "train"}
        when = {"at": after(8), "recorded_at": after(8), "quarantined": False}
        await session.execute(insert(ExampleRow).values(conversation_id=conversation, **ANGRY, **text, **when))


@pytest.fixture
async def ref(ledger: PostgresLedger, outbox: PostgresOutbox, database: Database) -> MessageRef:
    """The card of a conversation that has decisions of both tasks."""
    card = await carded(ledger, outbox)
    await _feels(database)
    return card


async def _standing(database: Database) -> list[tuple[str, str]]:
    async with database.transaction() as session:
        stands = select(CorrectionRow.task, CorrectionRow.label).where(CorrectionRow.withdrawn_at.is_(None))
        found = await session.execute(stands.order_by(CorrectionRow.task))
        return [(task, label) for task, label in found]


async def test_a_lead_corrects_the_team_and_takes_it_back(
    ledger: PostgresLedger, database: Database, ref: MessageRef
) -> None:
    await ledger.add_reaction(reaction(ref, "key", 10))
    found = await pending(ledger, 11)
    assert found.first == SURE
    lead_label = LeadLabel("access", LEAD, after(10), confirms=False, disputed=False)
    await ledger.conclude_reactions(found, CORRECTED, CardState(lead_label), [], after(12))
    assert await _standing(database) == [("routing", "access"), ("sentiment", "negative")]
    examples = PostgresExamples(database)
    assert [(e.label, e.source) for e in await examples.examples("routing")] == [("access", Source.CORRECTION)]
    assert [e.label for e in await examples.examples("sentiment")] == ["negative"]

    await ledger.add_reaction(reaction(ref, "key", 20, added=False))
    found = await pending(ledger, 21)
    back = Decision("routing", "billing", Author.MODEL, Reason.WITHDRAWN)
    await ledger.conclude_reactions(found, back, CardState(), [], after(22))
    assert await _standing(database) == [("sentiment", "negative")]
    assert await examples.examples("routing") == []
    assert [e.label for e in await examples.examples("sentiment")] == ["negative"]


async def test_what_the_team_reads_of_it_is_about_the_team(database: Database, ref: MessageRef) -> None:
    queries = PostgresQueries(database)
    account = await queries.account(message("m1", chat="chat-of-m1").ref)
    assert account is not None
    assert [made.task for _, made in account.decisions] == ["routing"]
    assert (account.request.label, account.request.disputed, account.request.unsure) == ("billing", False, False)
    assert await queries.doubtful(10) == []


async def test_the_weeks_figures_and_the_metrics_keep_the_tasks_apart(database: Database, ref: MessageRef) -> None:
    queries = PostgresQueries(database)
    assert await queries.week(after(60)) == Week(decided=1, corrected=0, asked=0)
    decisions = await queries.decisions()
    assert {key[1:]: count for key, count in decisions.items() if key[1] == "routing"} == {
        ("routing", "billing", "model", "und"): 1
    }
