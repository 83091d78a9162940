"""Conversations that nobody takes are brought back at most twice."""

import asyncio
from datetime import timedelta

from bot.domain.conversations import CardState, OverdueConversation
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.posts import ON_THE_CARD, Notice, Post, What
from db.engine import open_database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.integration.db.scenes import AGENT, JOINING, after, carded, message, pending, reaction

HALF_AN_HOUR = timedelta(minutes=30)
MINUTE = 60
ROUTED = 5
"""When the scenes' conversation was routed."""
NOTICE = Post(ON_THE_CARD, Notice(What.UNTAKEN, minutes=30))


async def _waiting(ledger: PostgresLedger, minutes: float) -> list[OverdueConversation]:
    return await ledger.claim_overdue(after(ROUTED + minutes * MINUTE), HALF_AN_HOUR, 10)


async def test_nobody_is_reminded_too_early(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await carded(ledger, outbox)
    assert await _waiting(ledger, 29.9) == []


async def test_a_conversation_comes_back_twice_and_never_again(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await carded(ledger, outbox)
    for minutes, before in ((30, 0), (60, 1)):
        (found,) = await _waiting(ledger, minutes)
        assert (found.reminders, found.since, found.card is not None) == (before, after(ROUTED), True)
        assert await _waiting(ledger, minutes) == []
        for _ in range(2):
            await ledger.conclude_reminder(found, [NOTICE], after(ROUTED + minutes * MINUTE))
        assert len(await outbox.claim_due(["slack"], after(ROUTED + minutes * MINUTE + 1), 10)) == 1
        assert await _waiting(ledger, minutes + 29) == []
        for item in await outbox.claim_due(["slack"], after(99_999), 10):
            await outbox.give_up(item, "no matter", after(99_999))
    assert await _waiting(ledger, 9_999) == []


async def test_what_somebody_took_or_closed_does_not_wait(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    ref = await carded(ledger, outbox)
    for emoji, standing in (("eyes", CardState(taken_by=AGENT)), ("done", CardState(done=True))):
        await ledger.add_reaction(reaction(ref, emoji, 20))
        await ledger.conclude_reactions(await pending(ledger, 21), None, standing, [], after(22))
        assert await _waiting(ledger, 40) == []


async def test_without_posts_it_was_no_reminder(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await carded(ledger, outbox)
    (found,) = await _waiting(ledger, 30)
    await ledger.conclude_reminder(found, [], after(ROUTED + 30 * MINUTE))
    assert await _waiting(ledger, 30.5) == []
    (again,) = await _waiting(ledger, 31)
    assert again.reminders == 0


async def test_the_next_team_has_time_of_its_own(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    ref = await carded(ledger, outbox)
    (found,) = await _waiting(ledger, 30)
    await ledger.conclude_reminder(found, [], after(ROUTED + 30 * MINUTE))
    await ledger.add_reaction(reaction(ref, "key", 2_000))
    moved = Decision("routing", "access", Author.LEAD, Reason.CORRECTED)
    await ledger.conclude_reactions(await pending(ledger, 2_000), moved, CardState(), [], after(2_000))
    assert await _waiting(ledger, 60) == []
    (later,) = await ledger.claim_overdue(after(2_000 + 30 * MINUTE), HALF_AN_HOUR, 10)
    assert (later.since, later.reminders) == (after(2_000), 0)


async def test_taking_it_while_the_reminder_is_written_keeps_it_unsaid(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    ref = await carded(ledger, outbox)
    (stale,) = await _waiting(ledger, 30)
    late = ROUTED + 30 * MINUTE + 61  # its process died, or seemed to
    await ledger.add_reaction(reaction(ref, "eyes", late))
    await ledger.conclude_reactions(await pending(ledger, late), None, CardState(taken_by=AGENT), [], after(late))
    await ledger.conclude_reminder(stale, [NOTICE], after(late + 1))
    assert await outbox.claim_due(["slack"], after(late + 2), 10) == []


async def test_two_processes_never_remind_of_one(
    ledger: PostgresLedger, outbox: PostgresOutbox, database_url: str
) -> None:
    await carded(ledger, outbox)
    async with open_database(database_url) as second:
        ledgers = [ledger, PostgresLedger(second, "tiny")] * 3
        async with asyncio.TaskGroup() as group:
            claims = [group.create_task(_waiting(one, 30)) for one in ledgers]
    assert len([found for claim in claims for found in claim.result()]) == 1


async def test_an_undecided_conversation_waits_for_no_team(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    assert await _waiting(ledger, 999) == []
