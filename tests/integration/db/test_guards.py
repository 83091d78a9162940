"""Corrections that are held back move their request, and are learned only when a second lead agrees."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.domain.conversations import CardState, LeadLabel
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.guards import Guards, Held
from bot.domain.learning import Adapter, Example, Side, Source
from bot.domain.messages import Person
from bot.domain.posts import Card, Post
from bot.domain.second_look import LEAST_EXAMPLES
from db.conversations.corrections import store_lead_label
from db.conversations.guarded import track_record
from db.engine import Database
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outbox import PostgresOutbox
from db.queries import PostgresQueries
from db.registry import PostgresRegistry
from db.tables import ConversationRow, ExampleRow
from tests.integration.db.scenes import LEAD, ROOM, TASK, VECTOR, after, card, pending, reaction, routed, say_all

OTHER = Person("slack", "other lead")
HASTE = Guards(per_hour=2)


async def ruled(
    ledger: PostgresLedger,
    outbox: PostgresOutbox,
    ref: str,
    lead: Person = LEAD,
    label: str = "access",
    at: float = 10,
    text: str = "",
) -> None:
    """A lead moves a request from billing to another team."""
    await routed(ledger, text or f"where is refund {ref}", ref, at)
    (receipts,) = [await say_all(outbox, at + 6)]
    await ledger.add_reaction(reaction(receipts["Card"], "key", at + 7, actor=lead))
    await judge(ledger, LeadLabel(label, lead, after(at + 7), confirms=False, disputed=False), at + 8)


async def judge(ledger: PostgresLedger, ruling: LeadLabel, at: float) -> None:
    found = await pending(ledger, at)
    decision = Decision("routing", ruling.label, Author.LEAD, Reason.CORRECTED, actor=ruling.lead.key)
    posts = [Post(ROOM, card(found.conversation.id, ruling.label))]
    moves = found.conversation.label != ruling.label
    await ledger.conclude_reactions(
        found, decision if moves else None, CardState(ruling), posts if moves else [], after(at)
    )


async def examples(database: Database) -> Sequence[ExampleRow]:
    """The examples that leads' statements made, oldest first."""
    wanted = select(ExampleRow).where(ExampleRow.withdrawn_at.is_(None), ExampleRow.conversation_id.is_not(None))
    async with database.transaction() as session:
        return (await session.scalars(wanted.order_by(ExampleRow.id))).all()


async def know(database: Database, label: str, texts: int) -> None:
    """Import examples that resemble everything that is asked here."""
    known = [Example(f"known {n}", label, Source.IMPORT, Side.TRAIN, after(0)) for n in range(texts)]
    await PostgresExamples(database).add_examples("routing", known)
    memory = PostgresMemory(database, "tiny")
    await memory.remember("tiny", {id: VECTOR for id, _ in await memory.unembedded("tiny", texts)})


async def test_beyond_so_many_within_an_hour_a_correction_moves_and_teaches_nobody(
    database: Database, outbox: PostgresOutbox
) -> None:
    ledger = PostgresLedger(database, "tiny", {"routing": HASTE})
    for n in range(3):
        await ruled(ledger, outbox, f"m{n}", at=100 * n)
    assert [row.held for row in await examples(database)] == [None, None, Held.TOO_MANY]
    async with database.transaction() as session:
        assert set(await session.scalars(select(ConversationRow.label))) == {"access"}
    assert len(await PostgresExamples(database).examples("routing")) == 2
    near = await PostgresMemory(database, "tiny").nearest(TASK, VECTOR, "where is refund m2")
    assert [n.same_text for n in near.corrections] == [False, False]
    await ruled(ledger, outbox, "m3", OTHER, at=400)
    assert (await examples(database))[-1].held is None, "another lead has an hour of their own"
    await ruled(ledger, outbox, "m4", at=3_900)
    assert (await examples(database))[-1].held is None, "an hour later there is room again"


async def test_what_contradicts_many_known_ones_waits_for_a_second_lead_and_its_card_says_so(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await know(database, "billing", 5)
    await ruled(ledger, outbox, "m1", OTHER)
    assert (await examples(database))[-1].held is None, "there was no second lead yet"
    await ruled(ledger, outbox, "m2", at=100)
    assert [row.held for row in await examples(database)] == [None, Held.CONTRADICTED]
    assert [one.source.id for one in await PostgresQueries(database).doubtful(10)] == ["m2"], "a lead's eye is wanted"
    said = {type(item.post.content): item for item in await outbox.claim_due(["slack"], after(110), 10)}[Card]
    assert isinstance(said.post.content, Card)
    assert said.post.content.held == "contradicted"
    await outbox.said(said, replace(card(1).source, platform="slack", chat="C-BILLING", id="new"), after(111))
    await ledger.add_reaction(
        reaction(replace(card(1).source, platform="slack", chat="C-BILLING", id="new"), "key", 120, actor=OTHER)
    )
    await judge(ledger, LeadLabel("access", OTHER, after(120), confirms=False, disputed=False, agreeing=2), 121)
    assert [row.held for row in await examples(database)] == [None, None]
    assert await PostgresQueries(database).doubtful(10) == []
    (edit,) = [item.post for item in await outbox.claim_due(["slack"], after(122), 10)]
    assert isinstance(edit.content, Card)
    assert (edit.content.held, edit.edits) == ("", said.id)


async def test_another_lead_who_says_the_same_of_the_very_words_on_another_card_is_the_second(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    """Two leads corrected the identical text, but it was misrouted again: each correction waited for the other lead."""
    await know(database, "billing", 5)
    await ruled(ledger, outbox, "m0", OTHER)
    third, words = Person("slack", "third lead"), "my refund is a voucher"
    await ruled(ledger, outbox, "m1", at=100, text=words)
    await ruled(ledger, outbox, "m2", at=200, text=words)
    assert [row.held for row in await examples(database)][1:] == [Held.CONTRADICTED] * 2, "one lead twice is one lead"
    await ruled(ledger, outbox, "m3", third, "triage", at=300, text=words)
    assert (await examples(database))[-1].held == Held.CONTRADICTED, "who names another team does not agree"
    memory = PostgresMemory(database, "tiny")
    assert not [n for n in (await memory.nearest(TASK, VECTOR, words)).corrections if n.same_text]
    await ruled(ledger, outbox, "m4", third, at=400, text=words)
    assert (await examples(database))[-1].held is None
    [exact] = [n for n in (await memory.nearest(TASK, VECTOR, words)).corrections if n.same_text]
    assert exact.label == "access"


async def test_the_first_of_a_team_that_the_model_never_learned_wait_for_a_second_lead(
    database: Database, outbox: PostgresOutbox
) -> None:
    ledger = PostgresLedger(database, "tiny", {"routing": Guards(new_team=1)})
    registry = PostgresRegistry(database)
    await ruled(ledger, outbox, "m1", OTHER)
    await registry.add_adapter(Adapter("r-1", "routing", Path("/r"), "starter", {"billing": "A"}, 1.0, after(0)))
    await registry.promote("routing", "r-1", "gate", "better", after(1), base="starter")
    await ruled(ledger, outbox, "m2", label="triage", at=100)
    assert (await examples(database))[-1].held == Held.NEW_TEAM
    await ruled(ledger, outbox, "m3", label="access", at=200)
    assert (await examples(database))[-1].held is None, "it has its first one"


@pytest.mark.parametrize(("known", "held"), [(LEAST_EXAMPLES - 1, Held.NEW_TEAM), (LEAST_EXAMPLES, None)])
async def test_a_team_with_examples_enough_is_not_new_though_the_model_never_learned_it(
    database: Database, outbox: PostgresOutbox, known: int, held: Held | None
) -> None:
    ledger = PostgresLedger(database, "tiny", {"routing": Guards()})
    registry = PostgresRegistry(database)
    await ruled(ledger, outbox, "m1", OTHER)
    await registry.add_adapter(Adapter("r-1", "routing", Path("/r"), "starter", {"billing": "A"}, 1.0, after(0)))
    await registry.promote("routing", "r-1", "gate", "better", after(1), base="starter")
    await know(database, "triage", known)
    await ruled(ledger, outbox, "m2", label="triage", at=100)
    assert (await examples(database))[-1].held == held


async def test_who_was_overruled_again_and_again_counts_less_and_then_waits(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    for n in range(4):
        await ruled(ledger, outbox, f"m{n}", at=100 * n)
        async with database.transaction() as session:  # another lead's emoji, and the first one's taken away
            newest = (await session.scalars(select(ConversationRow.id).order_by(ConversationRow.id.desc()))).first()
        assert newest is not None
        async with database.transaction() as session:
            row = await session.get_one(ConversationRow, newest)
            other = LeadLabel("triage", OTHER, after(100 * n + 50), confirms=False, disputed=False)
            await store_lead_label(session, row, "routing", other, after(100 * n + 50), Guards())
    await ruled(ledger, outbox, "m9", at=900)
    newest_example = (await examples(database))[-1]
    assert newest_example.held == Held.DISTRUSTED
    assert newest_example.weight < 0.6


async def test_requests_that_end_where_a_lead_sent_them_speak_for_the_lead(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await ruled(ledger, outbox, "m1")
    async with database.transaction() as session:
        assert await track_record(session, "routing", LEAD.key) == (0, 0)
        await session.execute(update(ConversationRow).values(state="closed"))
        assert await track_record(session, "routing", LEAD.key) == (1, 0)


@pytest.mark.parametrize("held_here", [False, True], ids=["in the table", "held in this process"])
async def test_the_very_words_of_a_correction_that_waits_are_named_until_it_is_settled(
    database: Database, outbox: PostgresOutbox, held_here: bool
) -> None:
    ledger, memory = PostgresLedger(database, "tiny", {"routing": HASTE}), PostgresMemory(database, "tiny")
    if held_here:
        await memory.load(TASK)
    for n in range(3):
        await ruled(ledger, outbox, f"m{n}", at=100 * n)
    text = "Where is REFUND m2"
    assert (await memory.nearest(TASK, VECTOR, text)).unsettled == ("access",)
    assert (await memory.nearest(TASK, VECTOR, "where is refund m1")).unsettled == (), "it teaches already"
    assert (await memory.nearest(TASK, VECTOR, "where is refund m9")).unsettled == ()
    assert (await memory.nearest(TASK, VECTOR, text, leave_out_itself=True)).unsettled == ()
    async with database.transaction() as session:
        await session.execute(update(ExampleRow).values(quarantined=False, held=None))
    assert (await memory.nearest(TASK, VECTOR, text)).unsettled == ()
    async with database.transaction() as session:
        held = {"quarantined": True, "held": Held.CONTRADICTED, "withdrawn_at": after(1_000)}
        await session.execute(update(ExampleRow).values(held))
    assert (await memory.nearest(TASK, VECTOR, text)).unsettled == (), "what was taken back asks nobody"


@pytest.mark.parametrize("held_here", [False, True], ids=["in the table", "held in this process"])
async def test_a_correction_that_waits_questions_what_one_lead_said_before_it_and_not_what_two_said(
    database: Database, outbox: PostgresOutbox, held_here: bool
) -> None:
    ledger, memory = PostgresLedger(database, "tiny"), PostgresMemory(database, "tiny")
    if held_here:
        await memory.load(TASK)
    words = "my refund is a voucher"
    await ruled(ledger, outbox, "m1", at=100, text=words)
    await ruled(ledger, outbox, "m2", OTHER, "triage", at=200, text=words)
    newest = (await examples(database))[-1].id
    async with database.transaction() as session:
        held = {"quarantined": True, "held": Held.CONTRADICTED}
        await session.execute(update(ExampleRow).where(ExampleRow.id == newest).values(held))
    found = await memory.nearest(TASK, VECTOR, words)
    assert ([n.label for n in found.corrections if n.same_text], found.unsettled) == (["access"], ("triage",))
    await ruled(ledger, outbox, "m3", Person("slack", "third lead"), at=150, text=words)
    assert (await memory.nearest(TASK, VECTOR, words)).unsettled == (), "two leads agree on what was said before"
    async with database.transaction() as session:
        agreed = ExampleRow.lead == "slack:third lead"
        await session.execute(update(ExampleRow).where(agreed).values(lead=LEAD.key, at=after(300)))
    assert (await memory.nearest(TASK, VECTOR, words)).unsettled == (), "it was said again since"


@pytest.mark.parametrize("held_here", [False, True], ids=["in the table", "held in this process"])
async def test_who_writes_what_leads_moved_there_and_back_is_asked(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox, held_here: bool
) -> None:
    memory, words = PostgresMemory(database, "tiny"), "my refund is a voucher"
    if held_here:
        await memory.load(TASK)
    await ruled(ledger, outbox, "m1", at=100, text=words)
    assert (await memory.nearest(TASK, VECTOR, words)).unsettled == ()
    (said,) = [
        item for item in await outbox.claim_due(["slack"], after(110), 10) if isinstance(item.post.content, Card)
    ]
    new = replace(card(1).source, platform="slack", chat="C-BILLING", id="new")
    await outbox.said(said, new, after(111))
    await ledger.add_reaction(reaction(new, "moneybag", 120, actor=OTHER))
    await judge(ledger, LeadLabel("billing", OTHER, after(120), confirms=True, disputed=True), 121)
    assert [(row.source, row.held) for row in await examples(database)] == [(Source.CONFIRMATION, Held.DISPUTED)]
    assert (await memory.nearest(TASK, VECTOR, words)).unsettled == ("billing",)
