"""What steps, the schedule and the web chat rely on: real ledger, registry and transcript, and their fakes."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import pytest

from bot.domain.conversations import (
    CardState,
    OverdueConversation,
    PendingEdit,
    PendingFollowUp,
    PendingNote,
    PendingReactions,
)
from bot.domain.ledger import Ledger
from bot.domain.messages import Edit
from bot.domain.presses import PendingPress, Settled
from bot.domain.queries import TranscriptLine
from bot.schedule import Ticks
from db.engine import Database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.registry import PostgresRegistry
from db.transcript import PostgresTranscript
from tests.fakes_ledger import FakeLedger
from tests.fakes_web import FakeWorld
from tests.integration.db.scenes import (
    JOINING,
    after,
    asked,
    carded,
    message,
    note,
    press,
    reaction,
    routed,
    say_all,
)
from tests.unit.test_schedule import FakeTicks

HALF_AN_HOUR = timedelta(minutes=30)
LATE = 4_000.0
"""Seconds: longer than an hour since the last claim, so all earlier claims have expired."""


async def _follow_up(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await carded(ledger, outbox)
    await ledger.add_message(message("m2", "and my invoice", 20, chat="chat-of-m1"), JOINING)


async def _note(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await ledger.add_note(note("n1", await carded(ledger, outbox)))


async def _reaction(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await ledger.add_reaction(reaction(await carded(ledger, outbox), "key", 10))


async def _press(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await asked(ledger)
    await ledger.add_press(press((await say_all(outbox))["Question"], "billing"))


async def _edit(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await carded(ledger, outbox)
    await ledger.add_edit(Edit(message("m1", chat="chat-of-m1").ref, "where is my invoice", after(20)))


async def _overdue(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await routed(ledger)


@dataclass(frozen=True)
class Kind:
    """A kind of work: how to create an item, how to claim it, and how to conclude it."""

    prepared: Callable[[PostgresLedger, PostgresOutbox], Awaitable[None]]
    claim: Callable[[Ledger, float, int], Awaitable[Sequence[object]]]
    conclude: Callable[[Ledger, object], Awaitable[None]]
    faked: Callable[[object], FakeLedger]


KINDS = {
    "follow-up": Kind(
        _follow_up,
        lambda ledger, at, limit: ledger.claim_follow_ups(after(at), limit),
        lambda ledger, item: ledger.conclude_follow_up(cast(PendingFollowUp, item), [], after(LATE)),
        lambda item: FakeLedger(news=[cast(PendingFollowUp, item)]),
    ),
    "note": Kind(
        _note,
        lambda ledger, at, limit: ledger.claim_notes(after(at), limit),
        lambda ledger, item: ledger.conclude_note(cast(PendingNote, item), False, [], after(LATE)),
        lambda item: FakeLedger(notes=[cast(PendingNote, item)]),
    ),
    "reaction": Kind(
        _reaction,
        lambda ledger, at, limit: ledger.claim_reactions(after(at), limit),
        lambda ledger, item: ledger.conclude_reactions(
            cast(PendingReactions, item), None, CardState(), [], after(LATE)
        ),
        lambda item: FakeLedger(pendings=[cast(PendingReactions, item)]),
    ),
    "press": Kind(
        _press,
        lambda ledger, at, limit: ledger.claim_presses(after(at), limit),
        lambda ledger, item: ledger.conclude_press(cast(PendingPress, item), Settled(False), [], after(LATE)),
        lambda item: FakeLedger(presses=[cast(PendingPress, item)]),
    ),
    "edit": Kind(
        _edit,
        lambda ledger, at, limit: ledger.claim_edits(after(at), limit),
        lambda ledger, item: ledger.conclude_edit(cast(PendingEdit, item), [], after(LATE)),
        lambda item: FakeLedger(revised=[cast(PendingEdit, item)]),
    ),
    "overdue": Kind(
        _overdue,
        lambda ledger, at, limit: ledger.claim_overdue(after(at), HALF_AN_HOUR, limit),
        lambda ledger, item: ledger.conclude_reminder(cast(OverdueConversation, item), [], after(LATE)),
        lambda item: FakeLedger(waiting=[cast(OverdueConversation, item)]),
    ),
}


@pytest.mark.parametrize("which", ["real", "fake"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
async def test_what_is_claimed_is_handed_out_once_and_concluded_for_good(
    ledger: PostgresLedger, outbox: PostgresOutbox, kind: Kind, which: str
) -> None:
    assert await kind.claim(ledger, LATE, 10) == []
    await kind.prepared(ledger, outbox)
    asked_of: Ledger = ledger
    if which == "fake":
        [item] = await kind.claim(ledger, LATE, 10)
        asked_of = kind.faked(item)
    [claimed] = await kind.claim(asked_of, LATE, 1)
    assert await kind.claim(asked_of, LATE + 1, 10) == [], "somebody is at it"
    await kind.conclude(asked_of, claimed)
    assert await kind.claim(asked_of, LATE + 2, 10) == [], "it is done"


# --- ticks ---


@pytest.fixture(params=["real", "fake"])
def ticks(request: pytest.FixtureRequest, database: Database) -> Ticks:
    return PostgresRegistry(database) if request.param == "real" else FakeTicks()


async def test_the_latest_tick_is_the_last_one_unless_a_clock_was_days_ahead(ticks: Ticks) -> None:
    assert await ticks.last_tick("routing") is None
    for at, last in ((100, 100), (200, 200), (150, 200), (86_400, 86_400), (10 * 86_400, 10 * 86_400), (300, 300)):
        await ticks.record_tick("routing", after(at))
        assert await ticks.last_tick("routing") == after(last)


# --- the transcript ---


async def test_the_newest_lines_of_these_rooms_come_oldest_first(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await carded(ledger, outbox)
    await ledger.add_message(message("m2", "and my invoice", 20, chat="chat-of-m1"), JOINING)
    real = PostgresTranscript(database)
    everything = await real.lines("telegram", ["chat-of-m1", "ann-chat"], 10)
    fake = FakeWorld(said=list(everything))

    async def both(chats: Sequence[str], limit: int) -> list[TranscriptLine]:
        truly = await real.lines("telegram", chats, limit)
        assert await fake.lines("telegram", chats, limit) == truly
        return truly

    assert [line.ref.id for line in await both(["chat-of-m1"], 10)] == ["m1", "m2"]
    assert [line.ref.id for line in await both(["chat-of-m1"], 1)] == ["m2"]
    assert len(await both(["chat-of-m1", "ann-chat"], 10)) == 3
    assert await both(["nowhere"], 10) == []
    assert await both([], 10) == []
