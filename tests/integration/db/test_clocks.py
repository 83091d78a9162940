"""Our clock and the platforms' clocks are never compared: waiting is measured by ours, order follows theirs."""

from dataclasses import replace

import pytest

from bot.domain.conversations import CardState, LookedUp
from bot.domain.messages import Person
from bot.domain.posts import Notice, Post, What
from bot.domain.reaction_rules import card_state, read
from bot.domain.tasks import Vocabulary
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.integration.db.scenes import (
    JOINING,
    PATIENCE,
    ROOM,
    SETTLE,
    SURE,
    TASK,
    VECTOR,
    after,
    carded,
    decide,
    message,
    note,
    pending,
    posts_for,
    reaction,
    say_all,
)

SKEWS = pytest.mark.parametrize("skew", [-3600, -600, 0, 600, 3600])
"""Seconds by which the platform's clock is ahead of ours."""


@SKEWS
async def test_a_message_is_ripe_when_it_was_quiet_by_our_clock(ledger: PostgresLedger, skew: float) -> None:
    await ledger.add_message(replace(message("m1", seconds=skew), heard=after(0)), JOINING)
    assert await ledger.claim_undecided(after(2), SETTLE, PATIENCE, 10) == []
    (case,) = await ledger.claim_undecided(after(3), SETTLE, PATIENCE, 10)
    assert [one.ref.id for one in case.messages] == ["m1"]


@SKEWS
async def test_what_is_closed_is_opened_again_by_our_clock(
    ledger: PostgresLedger, outbox: PostgresOutbox, skew: float
) -> None:
    first = replace(message("m1", seconds=skew), heard=after(0))
    await ledger.add_message(first, JOINING)
    (case,) = await ledger.claim_undecided(after(5), SETTLE, PATIENCE, 10)
    await decide(ledger, case, SURE, posts_for(case.conversation.id), "refund", VECTOR)
    card = (await say_all(outbox))["Card"]
    await ledger.add_reaction(replace(reaction(card, "white_check_mark", 10 + skew), heard=after(10)))
    found = await pending(ledger, 11)
    await ledger.conclude_reactions(found, None, CardState(done=True), [], after(11))
    late = 72 * 3600 + 10
    for ref, seconds in (("m2", late - 60), ("m3", late + 60)):
        await ledger.add_message(replace(message(ref, "again", seconds + skew), heard=after(seconds)), JOINING)
    (follow_up,) = await ledger.claim_follow_ups(after(late + 70), 10)
    assert follow_up.message.ref.id == "m2"
    (case,) = await ledger.claim_undecided(after(late + 70), SETTLE, PATIENCE, 10)
    assert [one.ref.id for one in case.messages] == ["m3"]


@SKEWS
async def test_a_reaction_waits_for_its_receipt_by_our_clock(
    ledger: PostgresLedger, outbox: PostgresOutbox, skew: float
) -> None:
    ref = await carded(ledger, outbox)
    unknown = replace(ref, id="not known yet")
    await ledger.add_reaction(replace(reaction(unknown, "key", 10 + skew), heard=after(10)))
    assert await ledger.claim_reactions(after(10 + 599), 10) == []
    await outbox.add([Post(ROOM, Notice(What.SOLVED))], after(610))
    await ledger.add_message(message("m9", chat="elsewhere", seconds=500), JOINING)
    case = next(iter(await ledger.claim_undecided(after(609), SETTLE, PATIENCE, 10)))
    await decide(ledger, case, SURE, posts_for(case.conversation.id)[1:], "refund", VECTOR)
    for item in await outbox.claim_due(["slack"], after(609), 10):
        await outbox.said(item, unknown, after(609))
    assert len(await ledger.claim_reactions(after(609), 10)) == 1, "it was not given up before its time"


@SKEWS
async def test_done_counts_when_it_was_heard_after_it_was_opened_again(
    ledger: PostgresLedger, outbox: PostgresOutbox, skew: float
) -> None:
    ref = await carded(ledger, outbox)
    words = Vocabulary(done={"slack": "white_check_mark"})
    await ledger.add_reaction(replace(reaction(ref, "white_check_mark", 10 + skew), heard=after(10)))
    found = await pending(ledger, 11)
    for reopened, done in ((after(9), True), (after(12), False)):
        talk = replace(found, conversation=replace(found.conversation, reopened=reopened))
        said = [one for put in talk.standing if (one := read(TASK, words, put)) is not None]
        assert card_state(talk, said).done is done


async def test_a_silence_is_the_platforms_and_a_teams_answer_ends_it(ledger: PostgresLedger) -> None:
    day = 24 * 3600
    await ledger.add_message(replace(message("m1"), heard=after(0)), JOINING)
    # Both are held by their platform while the bot is away, and arrive together
    await ledger.add_message(replace(message("m2", "another thing", day + 60), heard=after(1)), JOINING)
    cases = await ledger.claim_undecided(after(10), SETTLE, PATIENCE, 10)
    assert sorted(len(case.messages) for case in cases) == [1, 1]


async def test_who_was_told_that_they_may_not_correct_is_known_whatever_they_take_away(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    ref, stranger = await carded(ledger, outbox), Person("slack", "U-STRANGER", "Sam")
    await ledger.add_reaction(reaction(ref, "key", 10, actor=stranger))
    found = await pending(ledger, 11)
    assert found.told == frozenset()
    told = Post(ROOM, Notice(What.NO_LEAD), only_for=stranger)
    await ledger.conclude_reactions(found, None, CardState(), [told], after(12))
    await ledger.add_reaction(reaction(ref, "key", 13, added=False, actor=stranger))
    await ledger.add_reaction(reaction(ref, "moneybag", 14, actor=stranger))
    assert (await pending(ledger, 15)).told == {("slack", "U-STRANGER")}


async def test_what_nobody_can_be_looked_up_for_comes_again_later_and_what_was_known_is_kept(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:

    ref, stranger = await carded(ledger, outbox), Person("slack", "U-LOST")
    lost, known = reaction(ref, "eyes", 10, actor=stranger), reaction(ref, "eyes", 10)
    for one in (lost, known):
        await ledger.add_reaction(one)
    found = await pending(ledger, 11)
    looked_up = LookedUp({known: True}, frozenset({lost}), after(40))
    await ledger.conclude_reactions(found, None, CardState(), [], after(12), looked_up)
    assert await ledger.claim_reactions(after(39), 10) == []
    again = await pending(ledger, 41)
    assert again.fresh == (lost,)
    assert [one.counted for one in again.standing] == [None, True]
    only = LookedUp({}, frozenset({lost}), after(70))
    await ledger.conclude_reactions(again, None, CardState(), [], after(42), only)
    assert await ledger.claim_reactions(after(69), 10) == []
    assert len(await ledger.claim_reactions(after(71), 10)) == 1, "the conversation was let go of"


async def test_a_note_whose_sender_cannot_be_looked_up_is_looked_at_again_and_keeps_nobody_waiting(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:

    ref = await carded(ledger, outbox)
    await ledger.add_note(note("n1", ref, "reply: soon", 20))
    (noted,) = await ledger.claim_notes(after(21), 10)
    await ledger.postpone_note(noted, after(60))
    assert await ledger.claim_notes(after(59), 10) == []
    await ledger.add_reaction(reaction(ref, "key", 22))
    assert len(await ledger.claim_reactions(after(23), 10)) == 1, "the conversation was let go of"
