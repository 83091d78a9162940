"""Somebody who is forgotten is also forgotten where others cite or mention them."""

from dataclasses import replace

import psycopg
from sqlalchemy import select, text

from bot.domain.conversations import CardState, LeadLabel
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.learning import text_key
from bot.domain.messages import Edit, Media, MediaKind, MessageRef, Note, Person, Place
from bot.domain.posts import ON_THE_CARD, Card, Content, Continuation, FollowUp, Offer, Post, Reply, Sent
from bot.domain.rich_text import Style, cited, marked, plain
from db.engine import Database
from db.erasure import PostgresErasure
from db.ledger import PostgresLedger
from db.migrate import downgrade, upgrade
from db.outbox import PostgresOutbox
from db.posts.enqueue import enqueue
from db.tables import ConversationRow, ExampleRow, MessageRow, PostRow
from tests.integration.db.scenes import (
    AGENT,
    JOINING,
    LEAD,
    ROOM,
    SURE,
    VECTOR,
    after,
    card,
    claimed,
    decide,
    message,
    note,
    pending,
    reaction,
    say_all,
)
from tests.integration.db.test_erasure import _everything

ANN = Person("telegram", "4242", "Ann Summers", "en")
"""She never wrote to us: others cite her."""
SAM = Person("telegram", "sam", "Sam")
ORDER = "I was charged twice for order 4711"
PHOTO = Media("telegram", "9:3:secret-file", MediaKind.PHOTO, "passport.jpg", cited=True, by=ANN.id)
ASKED = f"{cited(ORDER, ANN.name, ANN.id)}\ncan you help {marked('@Ann Summers', Style.MENTION, ANN.id)} please?"


async def _a_story(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    """Sam cites what Ann said; a lead moves the request; Sam writes more; the team answers and names her."""
    said = replace(message("s1", ASKED, chat="sam"), author=SAM, media=(PHOTO,))
    await ledger.add_message(said, JOINING)
    case = await claimed(ledger)
    shown = replace(card(case.conversation.id), excerpt=ASKED, author="Sam", media=(PHOTO,))
    await decide(ledger, case, SURE, [Post(ROOM, shown)], plain(ASKED), VECTOR)
    receipt = (await say_all(outbox))["Card"]
    await ledger.add_reaction(reaction(receipt, "key", 10))
    found = await pending(ledger, 11)
    ruling = Decision("routing", "access", Author.LEAD, Reason.CORRECTED, actor="slack:lead")
    told = CardState(LeadLabel("access", LEAD, after(10), confirms=False, disputed=False))
    assert found.card is not None
    struck = Post(ROOM, replace(shown, moved_to="access"), edits=found.card.post)
    moved = replace(shown, label="access", history=(("Sam", ASKED),))
    await ledger.conclude_reactions(found, ruling, told, [struck, Post(ROOM, moved)], after(12))
    more = f"{cited('the parcel never came', ANN.name, ANN.id)}\nand this"
    await ledger.add_message(replace(message("s2", more, 20, chat="sam"), author=SAM), JOINING)
    (next_,) = await ledger.claim_follow_ups(after(21), 10)
    await ledger.conclude_follow_up(next_, [Post(ON_THE_CARD, FollowUp("Sam", more))], after(22))
    under = (await say_all(outbox, 23))["Card"]
    await ledger.add_note(note("n1", under, "reply: we refund Ann Summers at once", 24))
    (noted,) = await ledger.claim_notes(after(25), 10)
    words = "we refund Ann Summers at once"
    posts = [
        Post(ON_THE_CARD, Offer(noted.id, "Sam", words)),
        Post(noted.conversation.place, Reply("access", words, "en", "Gus")),
        Post(ON_THE_CARD, Sent(words, "Gus", "Sam")),
    ]
    await ledger.conclude_note(noted, True, posts, after(26))
    await say_all(outbox, 27)


async def _rewritten(outbox: PostgresOutbox, seconds: float = 101) -> list[Content]:
    found: list[Content] = []
    while items := await outbox.claim_due(["slack", "telegram"], after(seconds), 10):
        for one in items:
            assert one.edits is not None
            found.append(one.post.content)
            await outbox.said(one, one.edits, after(seconds + 1))
    return found


async def test_no_word_name_or_file_of_theirs_is_left_where_others_point_at_them(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await _a_story(ledger, outbox)
    before = await _everything(database)
    for words in ("Ann", "Summers", "4711", "parcel", "passport", "secret-file", ANN.id):
        assert words in before
    await PostgresErasure(database).erase(ANN, after(100))
    left = await _everything(database)
    for words in ("Ann", "Summers", "4711", "parcel", "passport", "secret-file", ANN.id):
        assert words not in left
    assert "please?" in left and "Sam" in left and "at once" in left


async def test_every_post_that_cites_or_names_them_is_rewritten_where_it_stands(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await _a_story(ledger, outbox)
    await PostgresErasure(database).erase(ANN, after(100))
    said = await _rewritten(outbox)
    cards = [one for one in said if isinstance(one, Card)]
    assert [(plain(one.excerpt), one.media) for one in cards] == [("…\ncan you help @… please?", ())] * 2
    assert [plain(what) for one in cards for _, what in one.history] == ["…\ncan you help @… please?"]
    follow_up, reply, offer, sent = (
        next(one for one in said if isinstance(one, kind)) for kind in (FollowUp, Reply, Offer, Sent)
    )
    assert isinstance(follow_up, FollowUp) and plain(follow_up.text) == "…\nand this"
    for one in (reply, offer, sent):
        assert isinstance(one, Reply | Offer | Sent) and one.text == "we refund … at once"
    assert await _rewritten(outbox, 200) == []


async def test_what_is_learned_from_it_says_nothing_of_them_and_gets_a_new_place_in_the_memory(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await _a_story(ledger, outbox)
    await PostgresErasure(database).erase(ANN, after(100))
    async with database.transaction() as session:
        (lesson,) = (await session.scalars(select(ExampleRow))).all()
        (talk,) = (await session.scalars(select(ConversationRow))).all()
    left = "…\ncan you help @… please?"
    assert (lesson.text, lesson.text_key, lesson.label) == (left, text_key(left), "access")
    assert (lesson.vector, lesson.withdrawn_at) == (None, None)
    assert (talk.text, talk.vector, talk.erased_at) == (left, None, None)


async def test_a_decision_in_the_making_brings_their_words_back_no_more(
    ledger: PostgresLedger, database: Database, outbox: PostgresOutbox
) -> None:
    await ledger.add_message(replace(message("s1", ASKED, chat="sam"), author=SAM), JOINING)
    case = await claimed(ledger)
    await PostgresErasure(database).erase(ANN, after(6))
    assert not await decide(ledger, case, SURE, [Post(ROOM, card(1))], plain(ASKED), VECTOR)
    (again,) = (await claimed(ledger, 20)).messages
    assert plain(again.text) == "…\ncan you help @… please?"


async def test_a_colleague_named_in_a_reply_is_forgotten_in_what_the_person_reads(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await ledger.add_message(replace(message("s1", "call me", chat="sam"), author=SAM), JOINING)
    case = await claimed(ledger)
    await decide(ledger, case, SURE, [Post(ROOM, card(case.conversation.id))], "call me", VECTOR)
    under = (await say_all(outbox))["Card"]
    words = f"{marked('@Gus Grant', Style.MENTION, AGENT.id)} will call you at 9"
    writer = replace(LEAD, id="other", name="Olga")
    told = Note(MessageRef("slack", "C-BILLING", "n1"), under, writer, f"reply: {words}", after(24))
    await ledger.add_note(told)
    (noted,) = await ledger.claim_notes(after(25), 10)
    reply = Post(Place("telegram", "sam"), Reply("billing", words, "en", "Olga"))
    await ledger.conclude_note(noted, True, [reply], after(26))
    await say_all(outbox, 27)
    await PostgresErasure(database).erase(AGENT, after(100))
    (left,) = await _rewritten(outbox)
    assert isinstance(left, Reply) and (plain(left.text), left.by) == ("@… will call you at 9", "Olga")
    assert "Grant" not in await _everything(database)


async def _with_a_rest(ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, rest: str) -> None:
    """Sam writes a request that is too long for its card."""
    await ledger.add_message(replace(message("s1", ASKED, chat="sam"), author=SAM), JOINING)
    case = await claimed(ledger)
    shown = replace(card(case.conversation.id), excerpt=ASKED, author="Sam")
    await decide(ledger, case, SURE, [Post(ROOM, shown)], plain(ASKED), VECTOR)
    await say_all(outbox)
    async with database.transaction() as session:
        first = (await session.scalars(select(PostRow.id).where(PostRow.kind == Card.__name__))).one()
        piece = Post(ROOM, Continuation(rest, of=first, part=1, parts=1), under=first)
        await enqueue(session, case.conversation.id, [piece], after(7))
    await say_all(outbox, 8)


async def test_the_rest_of_a_long_citation_goes_with_it(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await _with_a_rest(ledger, outbox, database, "charged twice for or")
    await PostgresErasure(database).erase(ANN, after(100))
    assert "charged twice" not in await _everything(database)


async def test_the_rest_of_a_card_that_is_not_about_them_stays(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await _with_a_rest(ledger, outbox, database, "and so on")
    bob = Person("telegram", "bob", "Bob")
    await ledger.add_message(replace(message("b1", "me, too", 20, chat="sam", thread="s1"), author=bob), JOINING)
    await PostgresErasure(database).erase(bob, after(100))
    assert "and so on" in await _everything(database)


async def test_an_edit_after_that_does_not_bring_them_back(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await _a_story(ledger, outbox)
    await PostgresErasure(database).erase(ANN, after(100))
    again = f"{cited(ORDER, ANN.name, ANN.id)}\ncan you help soon?"
    assert await ledger.add_edit(Edit(MessageRef("telegram", "sam", "s1"), again, after(200)))
    left = await _everything(database)
    assert "4711" not in left and "help soon" in left


async def test_what_cites_nobody_knows_nobody(ledger: PostgresLedger, database: Database) -> None:
    await ledger.add_message(message("m1"), JOINING)
    await ledger.add_message(replace(message("s1", ASKED, chat="sam"), author=SAM, media=(PHOTO,)), JOINING)
    await ledger.add_edit(
        Edit(MessageRef("telegram", "ann-chat", "m1"), f"{marked('@Sam', Style.MENTION, 'sam')}?", after(2))
    )
    async with database.transaction() as session:
        rows = await session.execute(select(MessageRow.message_id, MessageRow.cites).order_by(MessageRow.id))
        assert [(row.message_id, row.cites) for row in rows] == [("m1", ["sam"]), ("s1", [ANN.id])]


async def test_whom_others_cite_is_found_by_an_index(database: Database) -> None:
    """Among thousands of messages that cite nobody, one index contains those that do."""
    async with database.transaction() as session:
        for statement in _MANY:
            await session.execute(text(statement))
    async with await database.dedicated() as connection:
        await connection.execute("ANALYZE messages")
    async with database.transaction() as session:
        cited = (
            "SELECT id FROM messages WHERE cites <> '[]'::jsonb AND cites ?| ARRAY['4242'] AND platform = 'telegram'"
        )
        plan = "\n".join((await session.execute(text(f"EXPLAIN {cited}"))).scalars())
    assert "ix_messages_cites" in plan


_MANY = (
    """INSERT INTO conversations (platform, chat, person_id, person_name, state, started_at, last_at, heard_at,
        version, asked, asked_for_words, resting)
        VALUES ('telegram', 'c', 'p', '', 'closed', now(), now(), now(), 1, false, false, false)""",
    """INSERT INTO messages (conversation_id, platform, chat, message_id, author_id, author_name, text, at)
        SELECT c.id, 'telegram', 'c', n::text, 'p', '', 'words', now()
        FROM conversations c, generate_series(1, 5000) n""",
)


def test_what_was_stored_before_is_read_for_whom_it_names(empty_url: str) -> None:
    upgrade(empty_url)
    downgrade(empty_url, "0011")
    ben = marked("@Ben", Style.MENTION, "U1")
    told = f"{cited(ORDER, 'Ann Summers')}\n{ben} and {ben}?"
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO conversations (platform, chat, person_id, person_name, state, started_at, last_at, heard_at,"
            " version, asked, asked_for_words, resting)"
            " VALUES ('slack', 'c', 'p', 'Pam', 'new', now(), now(), now(), 1, false, false, false)"
        )
        for number, text in enumerate((told, "nobody")):
            connection.execute(
                "INSERT INTO messages (conversation_id, platform, chat, message_id, author_id, author_name, text, at)"
                " SELECT id, 'slack', 'c', %s, 'p', 'Pam', %s, now() FROM conversations",
                (str(number), text),
            )
    upgrade(empty_url)
    with psycopg.connect(empty_url) as connection:
        found = connection.execute("SELECT cites FROM messages ORDER BY message_id").fetchall()
    assert [sorted(cites) for (cites,) in found] == [["U1", "~Ann Summers"], []]
