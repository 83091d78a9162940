"""Reactions on cards: which of them stand, what they mean together, and that all of it can be withdrawn."""

from collections.abc import Sequence

from sqlalchemy import select

from bot.domain.conversations import CardState, LeadLabel, PendingReactions
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.learning import Source
from bot.domain.messages import MessageRef, Person
from bot.domain.posts import Post
from bot.domain.presses import Chosen
from db.engine import Database
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outbox import PostgresOutbox
from db.tables import CorrectionRow, ExampleRow
from tests.integration.db.scenes import (
    ANN,
    LEAD,
    ROOM,
    SURE,
    TASK,
    VECTOR,
    after,
    asked,
    card,
    message,
    pending,
    posts_for,
    press,
    pressed,
    reaction,
    routed,
    say_all,
)

CORRECTED = Decision("routing", "access", Author.LEAD, Reason.CORRECTED, actor="slack:lead")
CHOSEN = Decision("routing", "access", Author.PERSON, Reason.CHOSEN, actor="telegram:ann")
WITHDRAWN = Decision("routing", "billing", Author.MODEL, Reason.WITHDRAWN)


def lead_label(label: str = "access", seconds: float = 10, **differing: bool) -> LeadLabel:
    return LeadLabel(label, LEAD, after(seconds), differing.get("confirms", False), differing.get("disputed", False))


async def _carded(ledger: PostgresLedger, outbox: PostgresOutbox) -> MessageRef:
    await routed(ledger)
    return (await say_all(outbox))["Card"]


async def _corrected(ledger: PostgresLedger, outbox: PostgresOutbox) -> tuple[MessageRef, PendingReactions]:
    ref = await _carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "key", 10))
    found = await pending(ledger, 11)
    assert found.card is not None
    struck = Post(found.card.place, card(found.conversation.id, moved_to="access"), edits=found.card.post)
    new = Post(ROOM, card(found.conversation.id, "access"))
    await ledger.conclude_reactions(found, CORRECTED, CardState(lead_label()), [struck, new], after(12))
    return ref, found


async def _corrections(database: Database) -> Sequence[CorrectionRow]:
    async with database.transaction() as session:
        return (await session.scalars(select(CorrectionRow).order_by(CorrectionRow.id))).all()


async def test_a_dossier_tells_the_whole_story(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    ref = await _carded(ledger, outbox)
    fact = reaction(ref, "key", 10)
    await ledger.add_reaction(fact)
    found = await pending(ledger, 11)
    assert found.first == SURE
    assert found.standing == (fact,)
    assert [said.text for said in found.messages] == ["where is my refund"]
    assert found.card is not None
    assert (found.card.card, found.card.place) == (card(found.conversation.id), ROOM)
    assert await ledger.claim_reactions(after(11), 10) == []


async def test_a_correction_moves_the_conversation_and_teaches(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    _, found = await _corrected(ledger, outbox)
    near = await PostgresMemory(database, "tiny").nearest(TASK, VECTOR, "something alike")
    assert [(n.label, n.same_text) for n in near.corrections] == [("access", False)]
    assert near.corrections[0].similarity > 0.999
    (row,) = await _corrections(database)
    assert (row.before, row.label, row.lead, row.withdrawn_at) == ("billing", "access", "slack:lead", None)
    await say_all(outbox, 13)
    await ledger.add_reaction(reaction(MessageRef("slack", "C-BILLING", "said-2"), "eyes", 14))
    again = await pending(ledger, 15)
    assert (again.conversation.label, again.first) == ("access", SURE)
    assert again.card is not None
    assert again.card.card.label == "access"
    assert again.card.post != (found.card.post if found.card else None)


async def test_removing_the_reaction_withdraws_all_of_it(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    ref, _ = await _corrected(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "key", 20, added=False))
    found = await pending(ledger, 21)
    assert (found.standing, found.conversation.label, found.first) == ((), "access", SURE)
    await ledger.conclude_reactions(found, WITHDRAWN, CardState(), [], after(22))
    assert await PostgresExamples(database).examples("routing") == []
    assert (await PostgresMemory(database, "tiny").nearest(TASK, VECTOR, "where is my refund")).corrections == ()
    assert [row.withdrawn_at for row in await _corrections(database)] == [after(22)]


async def test_a_new_ruling_replaces_the_example(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    ref, _ = await _corrected(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "moneybag", 20))
    found = await pending(ledger, 21)
    back = Decision("routing", "billing", Author.LEAD, Reason.CORRECTED)
    await ledger.conclude_reactions(found, back, CardState(lead_label("billing", 20, confirms=True)), [], after(22))
    (stands,) = await PostgresExamples(database).examples("routing")
    assert (stands.label, stands.source) == ("billing", Source.CONFIRMATION)
    assert [(row.label, row.withdrawn_at) for row in await _corrections(database)] == [
        ("access", after(22)),
        ("billing", None),
    ]


async def test_a_disputed_ruling_is_stored_and_not_learned_from(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    ref, _ = await _corrected(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "moneybag", 20, actor=Person("slack", "other lead")))
    found = await pending(ledger, 21)
    await ledger.conclude_reactions(found, None, CardState(lead_label(disputed=True)), [], after(22))
    assert await PostgresExamples(database).examples("routing") == []
    assert (await PostgresMemory(database, "tiny").nearest(TASK, VECTOR, "where is my refund")).corrections == ()
    async with database.transaction() as session:
        kept = (await session.scalars(select(ExampleRow).where(ExampleRow.withdrawn_at.is_(None)))).one()
    assert kept.quarantined
    assert [row.disputed for row in await _corrections(database) if row.withdrawn_at is None] == [True]


async def test_the_same_ruling_again_changes_nothing(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    ref, _ = await _corrected(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "eyes", 20))
    found = await pending(ledger, 21)
    await ledger.conclude_reactions(found, None, CardState(lead_label()), [], after(22))
    assert len(await _corrections(database)) == 1
    async with database.transaction() as session:
        assert len((await session.scalars(select(ExampleRow))).all()) == 1


async def test_a_dossier_is_concluded_once(ledger: PostgresLedger, outbox: PostgresOutbox, database: Database) -> None:
    ref = await _carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "eyes", 10))
    found = await pending(ledger, 11)
    for _ in range(2):
        await ledger.conclude_reactions(found, None, CardState(), [Post(ROOM, card(1))], after(12))
    assert len(await outbox.claim_due(["slack"], after(13), 10)) == 1
    assert await ledger.claim_reactions(after(999), 10) == []


async def test_a_reaction_in_between_makes_the_conclusion_stale(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    ref = await _carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "key", 10))
    stale = await pending(ledger, 11)
    await ledger.add_reaction(reaction(ref, "key", 11.5, added=False))
    await ledger.conclude_reactions(
        stale, CORRECTED, CardState(lead_label()), [Post(ROOM, card(1, "access"))], after(12)
    )
    assert await _corrections(database) == []
    assert await outbox.claim_due(["slack"], after(13), 10) == []
    assert (await pending(ledger, 14)).standing == ()


async def test_reactions_out_of_order_stand_as_they_happened(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    ref = await _carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "key", 12, added=False))
    await ledger.add_reaction(reaction(ref, "moneybag", 14))
    await ledger.add_reaction(reaction(ref, "key", 11))
    await ledger.add_reaction(reaction(ref, "eyes", 9))
    assert [fact.emoji for fact in (await pending(ledger, 20)).standing] == ["eyes", "moneybag"]


async def test_of_two_events_at_one_moment_the_later_arrival_counts(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    ref = await _carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "key", 10, added=False))
    await ledger.add_reaction(reaction(ref, "key", 10))
    assert [fact.emoji for fact in (await pending(ledger, 11)).standing] == ["key"]


async def test_a_reaction_waits_for_its_receipt(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await routed(ledger)
    (item,) = await outbox.claim_due(["slack"], after(6), 10)
    ref = MessageRef("slack", "C-BILLING", "soon")
    await ledger.add_reaction(reaction(ref, "key", 7))
    assert await ledger.claim_reactions(after(8), 10) == []
    await outbox.said(item, ref, after(9))
    assert [fact.ref for fact in (await pending(ledger, 10)).standing] == [ref]


async def test_a_reaction_without_a_receipt_is_ignored_in_the_end(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await routed(ledger)
    (item,) = await outbox.claim_due(["slack"], after(6), 10)
    ref = MessageRef("slack", "C-BILLING", "never ours")
    await ledger.add_reaction(reaction(ref, "key", 7))
    assert await ledger.claim_reactions(after(7 + 601), 10) == []
    await outbox.said(item, ref, after(700))
    assert await ledger.claim_reactions(after(701), 10) == []


async def test_a_reaction_on_an_answer_is_ignored(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await routed(ledger)
    answer = (await say_all(outbox))["Answer"]
    await ledger.add_reaction(reaction(answer, "key", 7))
    assert await ledger.claim_reactions(after(8), 10) == []


async def test_a_tap_is_left_standing_when_a_ruling_goes(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    """The newest statement about a text counts: the lead's while it stands, then the person's again."""
    await asked(ledger)
    question = (await say_all(outbox))["Question"]
    await ledger.add_press(press(question, "1"))
    tapped = await pressed(ledger, 8)
    await ledger.conclude_press(tapped, Chosen(CHOSEN), posts_for(tapped.conversation.id), after(9))
    ref = (await say_all(outbox, 10))["Card"]
    memory = PostgresMemory(database, "tiny")
    for added, label in ((True, "billing"), (False, "access")):
        await ledger.add_reaction(reaction(ref, "moneybag", 20 if added else 30, added=added))
        found = await pending(ledger, 40)
        assert found.first == CHOSEN
        said = lead_label("billing", 20) if added else None
        decided = Decision("routing", label, Author.LEAD, Reason.CORRECTED)
        await ledger.conclude_reactions(found, decided, CardState(said), [], after(41))
        (near,) = await memory.nearest_many(TASK, [VECTOR], [message("x").text], askers=[ANN.key])
        assert [(n.label, n.same_text) for n in near.corrections] == [(label, True)]


async def test_of_corrections_of_one_text_the_newer_wins(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    for ref, start, label in (("m1", 0, "access"), ("m2", 100, "triage")):
        await routed(ledger, ref=ref, start=start)
        on_card = (await say_all(outbox, start + 6))["Card"]
        await ledger.add_reaction(reaction(on_card, "key", start + 10))
        found = await pending(ledger, start + 11)
        decided = Decision("routing", label, Author.LEAD, Reason.CORRECTED)
        await ledger.conclude_reactions(found, decided, CardState(lead_label(label, start + 10)), [], after(start + 12))
    near = await PostgresMemory(database, "tiny").nearest(TASK, VECTOR, "where is my refund")
    assert [(n.label, n.same_text) for n in near.corrections] == [("triage", True)]
    assert await PostgresExamples(database).waiting_corrections("routing") == 2
