"""Buttons on our questions: each press is stored once, with its person, and is learned from."""

from sqlalchemy import select

from bot.domain.conversations import State
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.learning import Source
from bot.domain.messages import MessageRef, Place
from bot.domain.posts import Post, Question
from bot.domain.presses import Chosen
from db.engine import Database
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.tables import DecisionRow, ExampleRow
from tests.integration.db.scenes import (
    JOINING,
    PATIENCE,
    SETTLE,
    after,
    asked,
    card,
    claimed,
    decide,
    message,
    posts_for,
    press,
    pressed,
    routed,
    say_all,
)

CHOSEN = Decision("routing", "access", Author.PERSON, Reason.CHOSEN, actor="telegram:ann")


async def _pressed_question(ledger: PostgresLedger, outbox: PostgresOutbox) -> MessageRef:
    await asked(ledger)
    question = (await say_all(outbox))["Question"]
    await ledger.add_press(press(question, "1"))
    return question


async def test_a_tap_routes_and_becomes_an_example_with_its_vector(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await _pressed_question(ledger, outbox)
    found = await pressed(ledger, 8)
    assert (found.press.value, found.on) == ("1", Question(("billing", "access"), "en"))
    await ledger.conclude_press(found, Chosen(CHOSEN), posts_for(found.conversation.id), after(9))
    assert await PostgresExamples(database).examples("routing") == [], "one person's word is no lesson for everybody"
    async with database.transaction() as session:
        row = (await session.scalars(select(ExampleRow))).one()
    assert (row.text, row.label, row.source) == ("where is my refund", "access", Source.TAP)
    assert (row.embedder, row.vector is not None, row.conversation_id) == ("tiny", True, found.conversation.id)
    assert await ledger.claim_undecided(after(9_999), SETTLE, PATIENCE, 10) == []
    assert await ledger.claim_follow_ups(after(9_999), 10) == []


async def test_a_press_is_concluded_once(ledger: PostgresLedger, outbox: PostgresOutbox, database: Database) -> None:
    await _pressed_question(ledger, outbox)
    found = await pressed(ledger, 8)
    for _ in range(2):
        await ledger.conclude_press(found, Chosen(CHOSEN), posts_for(found.conversation.id), after(9))
    async with database.transaction() as session:
        assert len((await session.scalars(select(DecisionRow).where(DecisionRow.by == "person"))).all()) == 1
    assert len(await outbox.claim_due(["slack", "telegram"], after(10), 10)) == 2


async def test_a_press_that_means_nothing_leaves_the_question_open(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await _pressed_question(ledger, outbox)
    found = await pressed(ledger, 8)
    await ledger.conclude_press(found, None, [], after(9))
    assert await ledger.claim_presses(after(999), 10) == []
    assert (await claimed(ledger, 5 + PATIENCE.total_seconds())).conversation.state is State.ASKED


async def test_presses_of_one_question_come_one_at_a_time_oldest_first(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    question = await _pressed_question(ledger, outbox)
    await ledger.add_press(press(question, "0", 6.5))
    first = await pressed(ledger, 8)
    assert first.press.value == "0"
    assert await ledger.claim_presses(after(8), 10) == []
    await ledger.conclude_press(first, None, [], after(9))
    assert (await pressed(ledger, 10)).press.value == "1"


async def test_a_late_press_sees_the_question_as_it_stands(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    question = await _pressed_question(ledger, outbox)
    first = await pressed(ledger, 8)
    answered = Post(Place("telegram", "ann-chat"), Question(("billing", "access"), "en", "access"), first.post)
    await ledger.conclude_press(first, Chosen(CHOSEN), [answered], after(9))
    assert (await say_all(outbox, 10))["Question"] == question
    await ledger.add_press(press(question, "0", 11))
    late = await pressed(ledger, 12)
    assert late.on == Question(("billing", "access"), "en", "access")
    assert (late.post, late.conversation.state) == (first.post, State.ROUTED)


async def test_a_press_on_what_has_no_buttons_is_concluded_here(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await routed(ledger)
    answer = (await say_all(outbox))["Answer"]
    await ledger.add_press(press(answer, "0"))
    assert await ledger.claim_presses(after(8), 10) == []
    assert await ledger.claim_presses(after(9_999), 10) == []


async def test_a_press_waits_for_its_receipt(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await asked(ledger)
    (item,) = await outbox.claim_due(["telegram"], after(6), 10)
    ref = MessageRef("telegram", "ann-chat", "soon")
    await ledger.add_press(press(ref, "1"))
    assert await ledger.claim_presses(after(8), 10) == []
    await outbox.said(item, ref, after(9))
    assert (await pressed(ledger, 10)).press.ref == ref


async def test_case_and_press_are_never_at_work_together(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await _pressed_question(ledger, outbox)
    late = 5 + PATIENCE.total_seconds()
    await claimed(ledger, late)
    assert await ledger.claim_presses(after(late), 10) == []


async def test_a_press_overtaken_by_the_fallback_comes_again(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await _pressed_question(ledger, outbox)
    found = await pressed(ledger, 8)
    case = await claimed(ledger, 9_999)  # its lease expired long ago
    fallback = Decision("routing", "triage", Author.FALLBACK, Reason.NO_ANSWER)
    assert await decide(ledger, case, fallback, [], "text", None)
    await ledger.conclude_press(found, Chosen(CHOSEN), [Post(Place("slack", "C"), card(1))], after(10_000))
    assert await outbox.claim_due(["slack"], after(10_001), 10) == []
    again = await pressed(ledger, 10_002)
    assert (again.id, again.conversation.label) == (found.id, "triage")


async def test_what_came_after_the_press_is_relayed(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await _pressed_question(ledger, outbox)
    found = await pressed(ledger, 8)
    await ledger.add_message(message("m2", "and one more thing", 8), JOINING)
    await ledger.conclude_press(found, Chosen(CHOSEN), [], after(9))
    (left,) = await ledger.claim_follow_ups(after(10), 10)
    assert left.message.ref.id == "m2"
