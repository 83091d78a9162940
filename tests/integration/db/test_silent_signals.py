"""Silent signals are derived from what happened, and disappear as soon as somebody makes a statement."""

from dataclasses import replace

import pytest

from bot.domain.conversations import CardState, LookedUp
from bot.domain.messages import MessageRef
from bot.domain.silent_signals import Signal, SignalKind
from bot.domain.tasks import Label, Task
from db.engine import Database
from db.erasure import PostgresErasure
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.silent_signals import PostgresSilentSignals
from tests.integration.db.scenes import AGENT, ANN, after, carded, note, pending, reaction
from tests.integration.db.test_handling import CORRECTED, RULING

TASK = Task(
    "routing",
    "Which team?",
    (
        Label("billing", "Money", emoji={"slack": "moneybag"}),
        Label("access", "Passwords", emoji={"slack": "key"}),
        Label("triage", "Else"),
    ),
    "triage",
)
TEXT = "where is my refund"
TAKEN, DONE = CardState(taken_by=AGENT), CardState(taken_by=AGENT, done=True)


@pytest.fixture
def signals(database: Database) -> PostgresSilentSignals:
    return PostgresSilentSignals(database)


async def _says(ledger: PostgresLedger, ref: MessageRef, emoji: str, standing: CardState, seconds: float) -> None:
    await ledger.add_reaction(reaction(ref, emoji, seconds, actor=AGENT))
    await ledger.conclude_reactions(await pending(ledger, seconds), None, standing, [], after(seconds))


async def _answered(ledger: PostgresLedger, ref: MessageRef) -> None:
    await ledger.add_note(replace(note("n1", ref), send=True))
    (noted,) = await ledger.claim_notes(after(21), 10)
    await ledger.conclude_note(noted, True, [], after(22))


async def test_taken_answered_and_closed_is_a_weak_confirmation_until_somebody_speaks(
    ledger: PostgresLedger, outbox: PostgresOutbox, signals: PostgresSilentSignals
) -> None:
    ref = await carded(ledger, outbox)
    await _says(ledger, ref, "eyes", TAKEN, 10)
    await _answered(ledger, ref)
    assert await signals.signals(TASK) == [], "not closed yet"
    await _says(ledger, ref, "white_check_mark", DONE, 30)
    [shown] = await signals.signals(TASK)
    assert shown == Signal(SignalKind.CONFIRMATION, shown.conversation, "billing", TEXT, after(30))
    assert await signals.signals(replace(TASK, labels=TASK.labels[1:])) == [], "of a team that is no more nothing"
    await ledger.add_reaction(reaction(ref, "key", 40))
    found = await pending(ledger, 41)
    await ledger.conclude_reactions(found, CORRECTED, CardState(RULING), [], after(42))
    assert await signals.signals(TASK) == [], "a lead has spoken"


async def test_closed_without_an_answer_or_opened_again_shows_nothing(
    ledger: PostgresLedger, outbox: PostgresOutbox, signals: PostgresSilentSignals
) -> None:
    ref = await carded(ledger, outbox)
    await _says(ledger, ref, "white_check_mark", DONE, 30)
    assert await signals.signals(TASK) == [], "nobody answered: it may be spam"
    await _answered(ledger, ref)
    assert len(await signals.signals(TASK)) == 1
    await ledger.add_reaction(reaction(ref, "white_check_mark", 50, added=False, actor=AGENT))
    await ledger.conclude_reactions(await pending(ledger, 51), None, TAKEN, [], after(52))
    assert await signals.signals(TASK) == []


@pytest.mark.parametrize("external", [False, True], ids=["colleague", "external"])
async def test_handed_on_by_somebody_who_is_no_lead_is_a_weak_correction(
    ledger: PostgresLedger, outbox: PostgresOutbox, signals: PostgresSilentSignals, external: bool
) -> None:
    ref = await carded(ledger, outbox)
    put = reaction(ref, "key", 10, actor=replace(AGENT, external=external))
    await ledger.add_reaction(put)
    known = LookedUp({put: False})
    await ledger.conclude_reactions(await pending(ledger, 11), None, CardState(), [], after(12), known)
    shown = [(one.kind, one.label, one.text) for one in await signals.signals(TASK)]
    assert shown == ([] if external else [(SignalKind.CORRECTION, "access", TEXT)])
    await ledger.add_reaction(replace(put, added=False, at=after(20)))
    await ledger.conclude_reactions(await pending(ledger, 21), None, CardState(), [], after(22))
    assert await signals.signals(TASK) == [], "it was taken back"


async def test_their_own_teams_emoji_hands_nothing_on_and_erased_words_show_nothing(
    ledger: PostgresLedger, outbox: PostgresOutbox, signals: PostgresSilentSignals, database: Database
) -> None:
    ref = await carded(ledger, outbox)
    for emoji, seconds in (("moneybag", 10), ("key", 20)):
        put = reaction(ref, emoji, seconds, actor=AGENT)
        await ledger.add_reaction(put)
        found = await pending(ledger, seconds + 1)
        known = LookedUp(dict.fromkeys(found.standing, False))
        await ledger.conclude_reactions(found, None, CardState(), [], after(seconds + 2), known)
        assert len(await signals.signals(TASK)) == (emoji == "key")
    await PostgresErasure(database).erase(ANN, after(60))
    assert await signals.signals(TASK) == []
