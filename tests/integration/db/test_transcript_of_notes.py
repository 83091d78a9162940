"""A chat's window shows what a team wrote under a card, and that text was changed or deleted."""

from bot.domain.messages import Deletion, Edit, MessageRef, Note, Place
from bot.domain.queries import TranscriptLine
from db.engine import Database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.transcript import PostgresTranscript
from tests.integration.db.scenes import LEAD, after, reaction, routed, say_all

NOTE = MessageRef("slack", "C-BILLING", "n1")


async def _noted(ledger: PostgresLedger, outbox: PostgresOutbox) -> Note:
    """A note under the card of a conversation that billing has."""
    await routed(ledger)
    note = Note(NOTE, (await say_all(outbox))["Card"], LEAD, "the third today", after(10))
    assert await ledger.add_note(note)
    return note


async def _room(database: Database) -> list[TranscriptLine]:
    return await PostgresTranscript(database).lines("slack", ["C-BILLING"], 10)


async def test_a_note_stands_after_its_card_with_its_reactions(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    note = await _noted(ledger, outbox)
    await ledger.add_reaction(reaction(NOTE, "outbox_tray", 11))
    card, line = await _room(database)
    assert card.post is not None and card.note is None
    assert (line.ref, line.place, line.at) == (NOTE, Place("slack", "C-BILLING"), after(10))
    assert (line.note, line.post, line.message, line.edited) == (note, None, None, False)
    assert line.reactions == (("outbox_tray", "lead"),)


async def test_a_note_whose_words_changed_says_so(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await _noted(ledger, outbox)
    await ledger.add_edit(Edit(NOTE, "the fourth today", after(20)))
    line = (await _room(database))[-1]
    assert line.note is not None
    assert (line.note.text, line.edited) == ("the fourth today", True)


async def test_a_deleted_message_has_no_words(ledger: PostgresLedger, database: Database) -> None:
    await routed(ledger)
    ref = MessageRef("telegram", "chat-of-m1", "m1")
    await ledger.add_edit(Edit(ref, "where is my money", after(20)))
    window = PostgresTranscript(database)
    (line,) = await window.lines("telegram", ["chat-of-m1"], 10)
    assert line.message is not None
    assert (line.message.text, line.edited) == ("where is my money", True)
    await ledger.add_deletion(Deletion(ref, after(30)))
    (line,) = await window.lines("telegram", ["chat-of-m1"], 10)
    assert line.message is not None
    assert (line.message.text, line.edited) == ("", False)
