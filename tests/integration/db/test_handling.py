"""Who has a conversation, who closes it, and what leads choose with buttons and commands."""

import pytest

from bot.domain.conversations import CardState, LeadLabel, State
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.learning import Source
from bot.domain.messages import MessageRef, Person, Place, choice
from bot.domain.posts import NO, ON_THE_CARD, YES, FollowUp, Post, Question, Solved, WrongTeam
from bot.domain.presses import Chosen, Settled, Stated
from db.engine import Database
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.integration.db.scenes import (
    AGENT,
    ANN,
    JOINING,
    LEAD,
    PATIENCE,
    ROOM,
    SETTLE,
    after,
    asked,
    card,
    carded,
    message,
    note,
    pending,
    press,
    pressed,
    reaction,
    say_all,
)

CORRECTED = Decision("routing", "access", Author.LEAD, Reason.CORRECTED, actor="slack:lead")
CHOSEN = Decision("routing", "billing", Author.PERSON, Reason.CHOSEN, actor="telegram:ann")
RULING = LeadLabel("access", LEAD, after(10), confirms=False, disputed=False)
M1 = MessageRef("telegram", "chat-of-m1", "m1")


async def _handled(ledger: PostgresLedger, ref: MessageRef, emoji: str, standing: CardState, seconds: float) -> None:
    await ledger.add_reaction(reaction(ref, emoji, seconds, actor=AGENT))
    await ledger.conclude_reactions(await pending(ledger, seconds), None, standing, [], after(seconds))


async def _state(ledger: PostgresLedger, ref: MessageRef, seconds: float) -> tuple[State, str | None]:
    """(state, who has it), as the next look at its card finds them."""
    await ledger.add_reaction(reaction(ref, f"look-{seconds}", seconds))
    found = await pending(ledger, seconds)
    await ledger.conclude_reactions(
        found, None, CardState(taken_by=AGENT, done=found.conversation.state is State.CLOSED), [], after(seconds)
    )
    return found.conversation.state, found.conversation.taken_by


async def test_taking_and_closing_are_the_conversations(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    ref = await carded(ledger, outbox)
    await _handled(ledger, ref, "eyes", CardState(taken_by=AGENT), 10)
    await _handled(ledger, ref, "white_check_mark", CardState(taken_by=AGENT, done=True), 20)
    await ledger.add_reaction(reaction(ref, "white_check_mark", 30, added=False, actor=AGENT))
    found = await pending(ledger, 31)
    assert (found.conversation.state, found.conversation.taken_by) == (State.CLOSED, "Gus")
    await ledger.conclude_reactions(found, None, CardState(), [], after(32))
    assert await _state(ledger, ref, 40) == (State.ROUTED, None)


async def test_only_what_nobody_looked_at_is_fresh(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    ref = await carded(ledger, outbox)
    await _handled(ledger, ref, "eyes", CardState(taken_by=AGENT), 10)
    fact = reaction(ref, "key", 20)
    await ledger.add_reaction(fact)
    found = await pending(ledger, 21)
    assert [one.emoji for one in found.standing] == ["eyes", "key"]
    assert found.fresh == (fact,)


async def test_history_is_what_the_card_does_not_show(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    ref = await carded(ledger, outbox)
    await ledger.add_message(message("m2", "and my invoice", 10, chat="chat-of-m1"), JOINING)
    (said,) = await ledger.claim_follow_ups(after(11), 10)
    await ledger.conclude_follow_up(said, [Post(ON_THE_CARD, FollowUp("Ann", "and my invoice"))], after(12))
    await ledger.add_note(note("n1", ref, "is she a member?", 13))
    await ledger.conclude_note((await ledger.claim_notes(after(14), 10))[0], False, [], after(14))
    await ledger.add_message(message("m3", "not relayed yet", 15, chat="chat-of-m1"), JOINING)
    await ledger.add_reaction(reaction(ref, "key", 16))
    assert (await pending(ledger, 17)).history == (("Ann", "and my invoice"), ("Gus", "is she a member?"))


async def test_a_choice_by_command_decides_what_its_person_is_still_asked(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    conversation = await asked(ledger)
    question = (await say_all(outbox))["Question"]
    ref = message("m1").ref
    fact = reaction(ref, choice("access"), 10, actor=Person("telegram", "lead", "Lea"))
    assert await ledger.add_reaction(fact)
    found = await pending(ledger, 11)
    assert (found.conversation.id, found.standing, found.fresh) == (conversation, (fact,), (fact,))
    assert (found.first.candidates, found.card) == (("billing", "access"), None)
    assert found.question is not None
    answered = Post(Place("telegram", "ann-chat"), Question((), "en", "access"), edits=found.question)
    await ledger.conclude_reactions(
        found, CORRECTED, CardState(RULING), [answered, Post(ROOM, card(1, "access"))], after(12)
    )
    assert (await say_all(outbox, 13))["Question"] == question
    assert await ledger.claim_undecided(after(9_999), SETTLE, PATIENCE, 10) == []
    assert await ledger.claim_follow_ups(after(9_999), 10) == []
    assert [(e.label, e.source) for e in await PostgresExamples(database).examples("routing")] == [
        ("access", Source.CORRECTION)
    ]


async def test_a_choice_waits_until_there_is_a_decision(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    assert await ledger.add_reaction(reaction(message("m1").ref, choice("access"), 1))
    assert await ledger.claim_reactions(after(2), 10) == []


async def test_an_emoji_on_a_message_says_nothing(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await carded(ledger, outbox)
    await ledger.add_reaction(reaction(M1, "key", 10))
    assert await ledger.claim_reactions(after(11), 10) == []
    assert await ledger.claim_reactions(after(9_999), 10) == []


async def test_a_choice_where_nobody_wrote_is_not_our_business(ledger: PostgresLedger) -> None:
    assert not await ledger.add_reaction(reaction(MessageRef("slack", "C-ELSE", "1"), choice("access"), 1))


async def test_a_choice_beside_emoji_stands_among_them(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    ref = await carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "-1", 10))
    await ledger.add_reaction(reaction(ref, choice("access", "-1"), 12))
    await ledger.add_reaction(reaction(M1, choice("billing"), 11))
    assert [one.emoji for one in (await pending(ledger, 13)).standing] == ["-1", "→billing", "-1→access"]


async def test_a_leads_press_becomes_a_statement_on_the_card(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    ref = await carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "-1", 10))
    which = Post(ON_THE_CARD, WrongTeam(("access", "triage")))
    await ledger.conclude_reactions(await pending(ledger, 11), None, CardState(), [which], after(12))
    await ledger.add_press(press((await say_all(outbox, 13))["WrongTeam"], "0", 14, LEAD))
    found = await pressed(ledger, 15)
    assert (found.on, found.card is not None) == (which.content, True)
    stated = reaction(ref, choice("access", "-1"), 14)
    for _ in range(2):
        await ledger.conclude_press(found, Stated(stated), [], after(16))
    assert (await pending(ledger, 17)).fresh == (stated,)


@pytest.mark.parametrize("solved", [True, False])
async def test_the_person_says_whether_it_is_solved(
    ledger: PostgresLedger, outbox: PostgresOutbox, solved: bool
) -> None:
    ref = await carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "white_check_mark", 10, actor=AGENT))
    question = Post(Place("telegram", "chat-of-m1"), Solved("billing", "en"))
    await ledger.conclude_reactions(await pending(ledger, 11), None, CardState(done=True), [question], after(12))
    await ledger.add_press(press((await say_all(outbox, 13))["Solved"], YES if solved else NO, 14))
    found = await pressed(ledger, 15)
    assert (found.on, found.conversation.state) == (Solved("billing", "en"), State.CLOSED)
    await ledger.conclude_press(found, Settled(solved), [], after(16))
    await ledger.add_reaction(reaction(ref, "key", 20))
    after_it = (await pending(ledger, 21)).conversation
    assert after_it.state is (State.CLOSED if solved else State.ROUTED)
    assert after_it.reopened == (None if solved else after(16))


async def test_the_persons_tap_before_a_leads_choice_leaves_both_on_record(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await asked(ledger)
    await ledger.add_press(press((await say_all(outbox))["Question"], "0"))
    tapped = await pressed(ledger, 8)
    await ledger.add_reaction(reaction(message("m1").ref, choice("access"), 9))
    assert await ledger.claim_reactions(after(9), 10) == []  # one step at a time
    await ledger.conclude_press(tapped, Chosen(CHOSEN), [Post(ROOM, card(1))], after(10))
    found = await pending(ledger, 11)
    assert (found.first, found.conversation.label, found.question) == (CHOSEN, "billing", 1)
    assert [one.emoji for one in found.standing] == ["→access"]


async def test_a_leads_choice_before_the_persons_tap_makes_the_tap_look_again(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await asked(ledger)
    ref = (await say_all(outbox))["Question"]
    await ledger.add_reaction(reaction(message("m1").ref, choice("access"), 9))
    found = await pending(ledger, 9)
    await ledger.add_press(press(ref, "0", 10))
    assert await ledger.claim_presses(after(10), 10) == []
    answered = Post(Place("telegram", "ann-chat"), Question((), "en", "access"), edits=found.question)
    await ledger.conclude_reactions(found, CORRECTED, CardState(RULING), [answered], after(11))
    late = await pressed(ledger, 12)
    assert (late.on, late.conversation.label) == (Question((), "en", "access"), "access")


async def test_a_tap_that_was_overtaken_by_a_leads_choice_changes_nothing(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await asked(ledger)
    await ledger.add_press(press((await say_all(outbox))["Question"], "0"))
    stale = await pressed(ledger, 8)
    await ledger.add_reaction(reaction(message("m1").ref, choice("access"), 9))
    found = await pending(ledger, 8 + 61)  # the process of the tap died, or seemed to
    await ledger.conclude_reactions(found, CORRECTED, CardState(RULING), [], after(70))
    await ledger.conclude_press(stale, Chosen(CHOSEN), [Post(ROOM, card(1))], after(71))
    assert await outbox.claim_due(["slack"], after(72), 10) == []
    assert (await pressed(ledger, 73)).conversation.label == "access"


async def test_somebody_of_another_company_is_known_as_such(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    ref = await carded(ledger, outbox)
    guest = Person("slack", "guest", external=True)
    await ledger.add_reaction(reaction(ref, "key", 10, actor=guest))
    found = await pending(ledger, 11)
    assert found.standing[0].actor == guest
    assert found.conversation.person == ANN
