"""Forgetting somebody who wrote a lot."""

from sqlalchemy import text

from bot.domain.messages import Person
from db.engine import Database
from db.erasure import PostgresErasure
from tests.integration.db.scenes import after
from tests.watchdog import watched_loop


async def test_forgetting_somebody_with_thousands_of_texts_keeps_the_event_loop_free(database: Database) -> None:
    """Four hundred conversations of one person, each with two texts, three posts and a team's note."""
    async with database.transaction() as session:
        for statement in _MUCH:
            await session.execute(text(statement))
    async with watched_loop():
        erased = await PostgresErasure(database).erase(Person("telegram", "ann", "Ann Marie"), after(99_999))
    assert erased.conversations == 400
    async with database.transaction() as session:
        left = "SELECT count(*) FROM posts WHERE content::text LIKE '%my order%'"
        assert (await session.execute(text(left))).scalar_one() == 0
        noted = "SELECT count(*) FROM notes WHERE text LIKE '%Ann Marie%' OR text LIKE '%my order%'"
        assert (await session.execute(text(noted))).scalar_one() == 0


_WORDS = "'my order number ' || n || ' has not come, ' || repeat('and I wait and wait ', 15)"
_CARD = f"""jsonb_build_object('conversation', n, 'label', 'billing', 'excerpt', {_WORDS}, 'author', 'Ann Marie',
    'source', jsonb_build_object('platform', 'telegram', 'chat', 'ann-chat', 'id', n::text),
    'by', 'model', 'reason', 'confident', 'confidence', 0.9, 'adapter', null,
    'legend', '[]'::jsonb)"""
_FOLLOW_UP = f"jsonb_build_object('author', 'Ann Marie', 'text', {_WORDS})"
_ANSWER = "jsonb_build_object('label', 'billing', 'language', 'en')"
_EVERY = "FROM generate_series(1, 400) n"
_MUCH = (
    f"""INSERT INTO conversations (platform, chat, person_id, person_name, state, started_at, last_at, heard_at,
        version, asked, asked_for_words, resting, label) SELECT 'telegram', 'ann-chat', 'ann', 'Ann Marie', 'routed',
        now(), now(), now(), 1, false, false, false, 'billing' {_EVERY}""",
    *(
        f"""INSERT INTO messages (conversation_id, platform, chat, message_id, author_id, author_name, text, at, opens,
            concluded_at, decided) SELECT n, 'telegram', 'ann-chat', '{part}-' || n, 'ann', 'Ann Marie', {_WORDS},
            now(), false, now(), true {_EVERY}"""
        for part in "ab"
    ),
    f"""INSERT INTO notes (conversation_id, platform, chat, message_id, under_chat, under_id, author_id, author_name,
        text, at, heard_at, send, external, stale, media) SELECT n, 'slack', 'C-BILLING', 'n' || n, 'C-BILLING',
        n::text, 'gus', 'Gus', 'Ann Marie writes: ' || {_WORDS}, now(), now(), false, false, false,
        '[]' {_EVERY}""",
    *(
        f"""INSERT INTO posts (conversation_id, platform, chat, kind, content, owed_at, not_before, attempts, said_at)
            SELECT n, 'slack', 'C-BILLING', '{kind}', {content}, now(), now(), 1, now() {_EVERY}"""
        for kind, content in (("Card", _CARD), ("FollowUp", _FOLLOW_UP), ("Answer", _ANSWER))
    ),
    """UPDATE messages SET carried_by = posts.id FROM posts WHERE posts.conversation_id = messages.conversation_id
        AND posts.kind = 'FollowUp' AND messages.message_id LIKE 'b-%'""",
)
