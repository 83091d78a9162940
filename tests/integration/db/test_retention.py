"""Expired data is removed in batches; what audit and learning need stays."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from bot.domain.messages import MessageRef
from bot.domain.retention import Retention
from bot.flow.retain import Retainer
from db import retention
from db.engine import Database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.retention import PostgresRetention
from tests.integration.db.scenes import ANN, after, carded, note, reaction

LATER = after(400 * 86_400)
ALL = Retention(*[timedelta(days=1)] * 6)


class NoFiles:
    async def count(self, kind: str, before: datetime) -> int:
        return 0

    async def remove(self, kind: str, before: datetime, now: datetime) -> int:
        return 0


def retainer(database: Database, kept: Retention = ALL, now: datetime = LATER) -> Retainer:
    return Retainer(kept, PostgresRetention(database), NoFiles(), lambda: now)


async def rows(database: Database, what: str) -> list[tuple[object, ...]]:
    async with database.transaction() as session:
        return [tuple(row) for row in (await session.execute(text(what))).all()]


@pytest.fixture
async def closed(database: Database, ledger: PostgresLedger, outbox: PostgresOutbox) -> MessageRef:
    """A conversation with a reworded card, a note, reactions and a vector, closed long ago; its card."""
    ref = await carded(ledger, outbox)
    await ledger.add_note(note("n1", ref))
    await ledger.add_reaction(reaction(ref, "eyes", 9, actor=ANN))
    async with database.transaction() as session:
        for wording in ("a first new wording", "the last wording"):
            await session.execute(
                text("""INSERT INTO posts (conversation_id, platform, chat, kind, content, edits, owed_at, not_before,
                attempts, said_at) SELECT conversation_id, platform, chat, kind,
                jsonb_set(content, '{excerpt}', to_jsonb(CAST(:says AS text))), id, said_at, said_at, 1, said_at
                FROM posts WHERE kind = 'Card' AND edits IS NULL"""),
                {"says": wording},
            )
        for done in ("reactions", "notes", "messages"):
            await session.execute(text(f"UPDATE {done} SET concluded_at = now()"))  # noqa: S608
        await session.execute(
            text(
                "UPDATE conversations SET state = 'closed', closed_at = :at, text = 'where is my refund', "
                "vector = '[1,0,0]', embedder = 'tiny', leased_until = NULL"
            ),
            {"at": after(100)},
        )
    return ref


async def test_counting_changes_nothing_and_says_what_would_go(closed: MessageRef, database: Database) -> None:
    counted = await retainer(database).count()
    assert counted == {"vectors": 1, "rewordings": 1, "words": 1, "examples": 0, "runs": 0, "logs": 0}
    assert await retainer(database).count() == counted
    assert (await retainer(database).remove()) == counted | {"vectors": 1}
    assert set((await retainer(database).count()).values()) == {0}


async def test_the_last_wording_stays_and_is_the_posts_own(closed: MessageRef, database: Database) -> None:
    kept = Retention(vectors=timedelta(0), logs=timedelta(0))
    assert await retainer(database, kept).remove() == {"rewordings": 1}
    cards = await rows(database, "SELECT content->>'excerpt', edits FROM posts WHERE kind = 'Card'")
    assert cards == [("the last wording", None)]


async def test_without_words_what_was_decided_and_whose_it_is_stays(closed: MessageRef, database: Database) -> None:
    await retainer(database).remove()
    assert await rows(database, "SELECT count(*) FROM messages UNION ALL SELECT count(*) FROM notes") == [(0,), (0,)]
    assert await rows(database, "SELECT person_id, person_name, label, text, vector FROM conversations") == [
        (ANN.id, "", "billing", None, None)
    ]
    assert await rows(database, "SELECT label, by FROM decisions") == [("billing", "model")]
    everything = str(await rows(database, "SELECT content FROM posts")) + str(
        await rows(database, "SELECT * FROM conversations")
    )
    assert not [word for word in ("refund", "wording", "order number", "Ann'") if word in everything]
    receipts = await rows(database, "SELECT receipt_chat, receipt_id FROM posts")
    assert receipts == [(closed.chat, closed.id)], "what is written under it stays the team's"


async def test_what_is_open_or_young_or_waits_is_left_alone(
    closed: MessageRef, database: Database, outbox: PostgresOutbox
) -> None:
    assert set((await retainer(database, now=after(3_600)).remove()).values()) == {0}
    async with database.transaction() as session:
        await session.execute(text("UPDATE posts SET said_at = NULL WHERE kind = 'Answer'"))
    assert (await retainer(database).count())["words"] == 0, "an answer is still owed"
    async with database.transaction() as session:
        await session.execute(text("UPDATE conversations SET state = 'routed'"))
    assert set((await retainer(database).remove()).values()) == {0}


async def test_killed_between_two_batches_it_goes_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 4)
    async with database.transaction() as session:
        await session.execute(
            text("""INSERT INTO conversations (platform, chat, person_id, person_name, state, started_at, last_at,
            heard_at, version, asked, asked_for_words, resting, reminders, closed_at, vector)
            SELECT 'slack', 'C1', 'U' || n, '', 'closed', :at, :at, :at, 1, false, false, false, 0, :at, '[1,0,0]'
            FROM generate_series(1, 10) n"""),
            {"at": after(0)},
        )
    kept = PostgresRetention(database)
    assert await kept.remove("vectors", LATER, LATER) == 4
    assert await kept.count("vectors", LATER) == 6
    assert await retainer(database).remove() == {
        "vectors": 6,
        "rewordings": 0,
        "words": 10,
        "examples": 0,
        "runs": 0,
        "logs": 0,
    }


async def test_what_refers_to_an_earlier_wording_means_its_post(closed: MessageRef, database: Database) -> None:
    async with database.transaction() as session:
        for refers in ("UPDATE messages SET carried_by", "UPDATE notes SET carried_by"):
            await session.execute(text(f"{refers} = (SELECT max(id) FROM posts)"))  # noqa: S608
    kept = Retention(vectors=timedelta(0), logs=timedelta(0))
    assert await retainer(database, kept).remove() == {"rewordings": 1}
    [(card,)] = await rows(database, "SELECT id FROM posts WHERE kind = 'Card'")
    assert (
        await rows(database, "SELECT carried_by FROM messages UNION ALL SELECT carried_by FROM notes") == [(card,)] * 2
    )


async def test_a_message_of_another_conversation_that_one_of_its_posts_carried_stays(
    closed: MessageRef, database: Database
) -> None:
    async with database.transaction() as session:
        await session.execute(
            text("""INSERT INTO conversations (platform, chat, person_id, person_name, state, started_at, last_at,
            heard_at, version, asked, asked_for_words, resting, reminders)
            VALUES ('slack', 'C1', 'U7', '', 'routed', now(), now(), now(), 1, false, false, false, 0)""")
        )
        await session.execute(
            text("""INSERT INTO messages (conversation_id, platform, chat, message_id, author_id, author_name, text, at,
            carried_by, concluded_at) SELECT (SELECT max(id) FROM conversations), 'slack', 'C1', 'm9', 'U7', '',
            'split', now(), (SELECT id FROM posts WHERE kind = 'Answer'), now()""")
        )
    assert (await retainer(database).remove())["words"] == 1
    assert await rows(database, "SELECT text, carried_by FROM messages") == [("split", None)]


async def test_by_default_no_words_and_no_lessons_go(closed: MessageRef, database: Database) -> None:
    assert set(await retainer(database, Retention()).count()) == {"vectors", "rewordings", "logs"}
