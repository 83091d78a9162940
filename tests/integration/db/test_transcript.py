"""A chat's window shows what was said there, in its newest wording, with the reactions in place."""

from bot.domain.messages import MessageRef
from bot.domain.posts import Card, Post
from db.engine import Database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.transcript import PostgresTranscript
from tests.integration.db.scenes import ROOM, after, card, posts_for, reaction, routed, say_all


async def test_a_room_reads_oldest_first(ledger: PostgresLedger, outbox: PostgresOutbox, database: Database) -> None:
    conversation = await routed(ledger)
    window = PostgresTranscript(database)
    assert [line.post for line in await window.lines("telegram", ["chat-of-m1"], 10)] == [None]
    await say_all(outbox)
    lines = await window.lines("telegram", ["chat-of-m1", "ann-chat"], 10)
    assert [line.message.text if line.message else line.post for line in lines] == [
        "where is my refund",
        posts_for(conversation)[0],
    ]
    assert [line.at for line in lines] == [after(0), after(6)]


async def test_only_the_newest_lines(ledger: PostgresLedger, outbox: PostgresOutbox, database: Database) -> None:
    for number in range(4):
        await routed(ledger, ref=f"m{number}", start=number * 100)
        await say_all(outbox, number * 100 + 6)
    lines = await PostgresTranscript(database).lines("slack", ["C-BILLING"], 2)
    assert [line.at for line in lines] == [after(206), after(306)]


async def test_a_rewritten_post_shows_its_newest_wording(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    conversation = await routed(ledger)
    (item,) = await outbox.claim_due(["slack"], after(6), 10)
    ref = MessageRef("slack", "C-BILLING", "1")
    await outbox.said(item, ref, after(7))
    await outbox.add([Post(ROOM, card(conversation, moved_to="access"), edits=item.id)], after(8))
    window = PostgresTranscript(database)

    async def moved() -> list[str | None]:
        lines = await window.lines("slack", ["C-BILLING"], 10)
        assert [line.ref for line in lines] == [ref]
        return [line.post.content.moved_to for line in lines if line.post and isinstance(line.post.content, Card)]

    assert await moved() == [None]
    await say_all(outbox, 9)
    assert await moved() == ["access"]


async def test_reactions_in_place_are_shown(ledger: PostgresLedger, outbox: PostgresOutbox, database: Database) -> None:
    await routed(ledger)
    ref = (await say_all(outbox))["Card"]
    for emoji, seconds, added in (("key", 10, True), ("eyes", 11, True), ("key", 12, False)):
        await ledger.add_reaction(reaction(ref, emoji, seconds, added))
    (line,) = await PostgresTranscript(database).lines("slack", ["C-BILLING"], 10)
    assert line.reactions == (("eyes", "lead"),)
