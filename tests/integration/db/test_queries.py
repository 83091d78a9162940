"""Lists for people who ask, and the week's figures."""

from dataclasses import replace

from bot.domain.conversations import CardState, LeadLabel, PendingReactions, State
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.learning import Example, Side, Source
from bot.domain.messages import MessageRef, Person
from bot.domain.posts import Post
from bot.domain.presses import Chosen
from bot.domain.queries import Week
from db.engine import Database
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.queries import PostgresQueries
from tests.integration.db.scenes import (
    AGENT,
    ANN,
    JOINING,
    LEAD,
    PATIENCE,
    ROOM,
    SETTLE,
    SURE,
    after,
    asked,
    card,
    carded,
    claimed,
    decide,
    message,
    note,
    pending,
    press,
    pressed,
    reaction,
    routed,
    say_all,
)

CORRECTED = Decision("routing", "access", Author.LEAD, Reason.CORRECTED, actor="slack:lead")
DAY = 24 * 3_600


async def _ruled(ledger: PostgresLedger, ref: MessageRef, seconds: float, **differing: bool) -> PendingReactions:
    await ledger.add_reaction(reaction(ref, "key", seconds))
    found = await pending(ledger, seconds)
    lead_label = LeadLabel(
        "access", LEAD, after(seconds), differing.get("confirms", False), differing.get("disputed", False)
    )
    await ledger.conclude_reactions(found, CORRECTED, CardState(lead_label), [], after(seconds))
    return found


async def test_somebodys_requests_are_the_open_ones_newest_first(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    queries = PostgresQueries(database)
    ref = await carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "eyes", 10))
    await ledger.conclude_reactions(await pending(ledger, 11), None, CardState(taken_by=AGENT), [], after(11))
    await ledger.add_message(message("m2", "I cannot log in " * 20, 100), JOINING)
    new, old = await queries.requests_of(ANN, 10)
    assert (old.label, old.state, old.excerpt, old.taken_by) == ("billing", State.ROUTED, "where is my refund", "Gus")
    assert (old.source, old.card) == (MessageRef("telegram", "chat-of-m1", "m1"), ref)
    assert (old.unsure, old.disputed, old.since) == (False, False, after(0))
    assert (new.label, new.state, new.card, len(new.excerpt)) == (None, State.NEW, None, 160)
    assert await queries.requests_of(ANN, 1) == [new]
    assert await queries.requests_of(Person("slack", "ann"), 10) == []
    await ledger.add_reaction(reaction(ref, "done", 200))
    await ledger.conclude_reactions(await pending(ledger, 201), None, CardState(done=True), [], after(201))
    assert await queries.requests_of(ANN, 10) == [new]


async def test_doubtful_is_what_was_asked_or_disputed_and_nobody_ruled_on(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    queries = PostgresQueries(database)
    sure = await carded(ledger, outbox)
    assert await queries.doubtful(10) == []
    unsure = await asked(ledger, "m2", 100)
    (found,) = await queries.doubtful(10)
    assert (found.conversation, found.unsure, found.state) == (unsure, True, State.ASKED)
    await _ruled(ledger, sure, 200, disputed=True)
    assert [(one.disputed, one.unsure) for one in await queries.doubtful(10)] == [(False, True), (True, False)]
    assert len(await queries.doubtful(1)) == 1


async def test_what_a_lead_ruled_on_is_no_longer_doubtful(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await asked(ledger)
    await ledger.add_press(press((await say_all(outbox))["Question"], "0"))
    tapped = await pressed(ledger, 8)
    chosen = Decision("routing", "billing", Author.PERSON, Reason.CHOSEN)
    await ledger.conclude_press(tapped, Chosen(chosen), [Post(ROOM, card(1))], after(9))
    assert len(await PostgresQueries(database).doubtful(10)) == 1
    await _ruled(ledger, (await say_all(outbox, 10))["Card"], 20)
    assert await PostgresQueries(database).doubtful(10) == []


async def test_the_fallback_in_doubt_is_doubtful(ledger: PostgresLedger, database: Database) -> None:
    reasons = {"m1": Reason.MODEL_DOWN, "m2": Reason.WORDLESS}
    for number, (ref, reason) in enumerate(reasons.items()):
        await ledger.add_message(message(ref, seconds=number * 100, chat=ref), JOINING)
        case = await claimed(ledger, number * 100 + 5)
        assert await decide(ledger, case, Decision("routing", "triage", Author.FALLBACK, reason), [], "text", None)
    assert [one.source.id for one in await PostgresQueries(database).doubtful(10)] == ["m1"]


async def test_an_account_is_found_by_anything_said_about_it(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    queries = PostgresQueries(database)
    await routed(ledger)
    receipts = await say_all(outbox)
    said = note("n1", receipts["Card"])
    await ledger.add_note(said)
    await _ruled(ledger, receipts["Card"], 30)
    account = await queries.account(MessageRef("telegram", "chat-of-m1", "m1"))
    assert account is not None
    assert account.decisions == ((after(5), SURE), (after(30), CORRECTED))
    assert (account.request.label, account.remembered) == ("access", ())
    for ref in (receipts["Card"], receipts["Answer"], said.ref):
        assert await queries.account(ref) == account
    assert await queries.account(MessageRef("slack", "C-BILLING", "somebody else's")) is None


async def test_an_account_says_what_the_memory_leaned_on(ledger: PostgresLedger, database: Database) -> None:
    examples = [Example(text, "billing", Source.CORRECTION, Side.TRAIN, after(0)) for text in ("first", "x" * 300)]
    await PostgresExamples(database).add_examples("routing", examples)
    await ledger.add_message(message("m1"), JOINING)
    remembered = replace(SURE, by=Author.MEMORY, reason=Reason.REMEMBERED, evidence=(2, 1, 77))
    assert await decide(ledger, await claimed(ledger), remembered, [], "text", None)
    account = await PostgresQueries(database).account(message("m1").ref)
    assert account is not None
    assert account.remembered == ("x" * 99 + "…", "first")


async def test_the_week_counts_conversations_not_decisions(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    queries = PostgresQueries(database)
    assert await queries.week(after(0)) == Week(0, 0, 0)
    ref = await carded(ledger, outbox)
    await routed(ledger, ref="m2", start=100)
    await _ruled(ledger, ref, 200)
    await asked(ledger, "m3", 300)
    assert await queries.week(after(400)) == Week(2, 1, 0)
    (case,) = await ledger.claim_undecided(after(305) + PATIENCE, SETTLE, PATIENCE, 10)
    assert await decide(ledger, case, Decision("routing", "triage", Author.FALLBACK, Reason.NO_ANSWER), [], "x", None)
    assert await queries.week(after(1_000)) == Week(3, 1, 1)
    assert await queries.week(after(7 * DAY + 4)) == Week(3, 1, 1)
    assert await queries.week(after(7 * DAY + 50)) == Week(2, 0, 1)


async def test_a_withdrawn_or_confirming_ruling_is_no_correction(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    ref = await carded(ledger, outbox)
    await _ruled(ledger, ref, 20, confirms=True)
    assert (await PostgresQueries(database).week(after(30))).corrected == 0
    await ledger.add_reaction(reaction(ref, "key", 40, added=False))
    await ledger.conclude_reactions(await pending(ledger, 41), None, CardState(), [], after(42))
    assert (await PostgresQueries(database).week(after(50))).corrected == 0
