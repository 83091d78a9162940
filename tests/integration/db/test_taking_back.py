"""Words that are taken back while they are being processed are stored nowhere."""

from dataclasses import replace

from sqlalchemy import select

from bot.domain.messages import Deletion, MessageRef
from bot.domain.posts import ON_THE_CARD, Notice, Post, Reply, Sent, What
from db.engine import Database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.tables import PostRow
from tests.integration.db.scenes import JOINING, ROOM, after, carded, message, note, routed, say_all

M1 = MessageRef("telegram", "chat-of-m1", "m1")


async def test_a_sent_note_that_is_deleted_at_once_is_not_ticked_off_without_words(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    said = note("n1", await carded(ledger, outbox), "reply: it is on its way")
    await ledger.add_note(said)
    (found,) = await ledger.claim_notes(after(21), 10)
    reply = Post(found.conversation.place, Reply("billing", "it is on its way", "en", "Gus"))
    await ledger.conclude_note(found, True, [reply], after(22))
    await say_all(outbox, 23)
    await _owe_under_the_card(ledger, outbox, Sent("it is on its way", "Gus", "Ann"))
    await ledger.add_deletion(Deletion(said.ref, after(30)))
    assert await outbox.claim_due(["slack"], after(31), 10) == []


async def _owe_under_the_card(ledger: PostgresLedger, outbox: PostgresOutbox, content: Sent) -> None:
    await ledger.add_message(message("m9", "and", 26, chat="chat-of-m1"), JOINING)
    (said,) = await ledger.claim_follow_ups(after(27), 10)
    await ledger.conclude_follow_up(said, [Post(ON_THE_CARD, content)], after(28))


async def test_a_card_on_its_way_is_emptied_as_soon_as_it_is_said(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await routed(ledger)
    (on_its_way,) = await outbox.claim_due(["slack"], after(6), 10)
    await ledger.add_deletion(Deletion(M1, after(7)))
    (revised,) = await ledger.claim_edits(after(8), 10)
    assert [one.post for one in revised.cards] == [on_its_way.id]


async def test_the_link_to_the_next_card_brings_no_deleted_words_back(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await carded(ledger, outbox)
    await ledger.add_message(message("m9", "and", 8, chat="chat-of-m1"), JOINING)
    (said,) = await ledger.claim_follow_ups(after(8), 10)
    assert said.card is not None
    await ledger.conclude_follow_up(said, [Post(ROOM, Notice(What.SOLVED))], after(9))
    (item,) = await outbox.claim_due(["slack"], after(10), 10)
    await ledger.add_deletion(Deletion(M1, after(11)))
    struck = replace(said.card.card, moved_to="access")
    await outbox.said(
        item, MessageRef("slack", "C-BILLING", "c2"), after(12), [Post(ROOM, struck, edits=said.card.post)]
    )
    async with database.transaction() as session:
        assert "where is" not in str((await session.scalars(select(PostRow.content))).all())
