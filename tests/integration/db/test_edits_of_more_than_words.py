"""Edits change attachments, what a message refers to, and texts that were too long for one post."""

from dataclasses import replace

from bot.domain.continuation import continued
from bot.domain.messages import Deletion, Media, MediaKind
from bot.domain.posts import OutboxItem, Post
from bot.domain.rich_text import cited, plain
from db.engine import Database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.posts.enqueue import enqueue
from db.posts.latest import standing_cards
from tests.integration.db.scenes import (
    JOINING,
    SURE,
    VECTOR,
    after,
    claimed,
    decide,
    message,
    posts_for,
    routed,
    say_all,
)
from tests.integration.db.test_edits import M1, edit, everything


def _photo(file: str, size: int = 7) -> Media:
    return Media("telegram", f"1:2:{file}", MediaKind.PHOTO, "", size)


async def test_a_photo_put_in_place_of_another_is_passed_on_with_what_is_attached_by_now(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    said = replace(message("m1"), media=(_photo("old"),))
    await ledger.add_message(said, JOINING)
    case = await claimed(ledger)
    await decide(ledger, case, SURE, posts_for(case.conversation.id), "where is my refund", VECTOR)
    await say_all(outbox)
    assert not await ledger.add_edit(replace(edit(said.ref, said.text), media=(_photo("the same, by another id"),)))
    assert await ledger.add_edit(replace(edit(said.ref, said.text, 11), media=(_photo("new", 9),)))
    [news] = await ledger.claim_edits(after(30), 10)
    assert (news.decided, news.media, news.message.media) == (True, (_photo("new", 9),), (_photo("new", 9),))


async def test_files_of_what_a_message_points_at_outlive_a_new_photo(ledger: PostgresLedger) -> None:
    pointed_at = replace(_photo("hers"), cited=True, by="ben")
    said = replace(message("m1"), media=(_photo("old", 8), pointed_at))
    await ledger.add_message(said, JOINING)
    assert await ledger.add_edit(replace(edit(said.ref, said.text, 1), media=(_photo("new", 9),)))
    assert (await claimed(ledger)).messages[0].media == (_photo("new", 9), pointed_at)


async def test_what_a_message_points_at_outlives_an_edit_that_does_not_repeat_it(ledger: PostgresLedger) -> None:
    said = message("m1", f"{cited('charged twice', 'Ben')}\ncan you help?")
    await ledger.add_message(said, JOINING)
    assert await ledger.add_edit(edit(said.ref, "please help", 1))
    assert plain((await claimed(ledger)).messages[0].text) == "charged twice\nplease help"


async def test_what_continues_a_card_is_known_when_the_card_is_rewritten(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    words = " ".join(f"secret{number}" for number in range(200))
    conversation = await routed(ledger, words)
    await say_all(outbox)
    async with database.transaction() as session:
        standing = (await standing_cards(session, [conversation]))[conversation]
        pieces = continued(OutboxItem(standing.post, Post(standing.place, replace(standing.card, excerpt=words)), 1))
        assert len(pieces) == 1
        await enqueue(session, conversation, pieces, after(7))
    await say_all(outbox, 8)
    await ledger.add_deletion(Deletion(M1, after(20)))
    assert "secret150" not in await everything(database)
    [news] = await ledger.claim_edits(after(30), 10)
    gone = replace(standing.card, excerpt="", deleted=True)
    await ledger.conclude_edit(news, [Post(standing.place, gone, edits=standing.post)], after(31))
    [item] = await outbox.claim_due(("slack", "telegram"), after(40), 10)
    [(post, says)] = item.continued
    assert (says.of, says.text) == (standing.post, "")
    assert continued(item) == [Post(standing.place, replace(says, gone=True), edits=post)]
