"""A database in which people have talked for two months."""

from sqlalchemy import text

from db.engine import Database

_CONVERSATIONS = """
    INSERT INTO conversations (platform, chat, thread, person_id, person_name, external, state, started_at, last_at,
        heard_at, version, asked, asked_for_words, resting, label, reminders)
    SELECT 'slack', 'C' || n % 9, 'm' || n, 'p' || n, '', false, 'closed', at, at, at, 2, n % 50 = 0, false, false,
        'billing', 0
    FROM (SELECT n, now() - n * interval '10 minutes' AS at FROM generate_series(1, 6000) n) t
"""
DECIDED = """
    INSERT INTO decisions (conversation_id, task, label, by, reason, probabilities, evidence, candidates, at)
    SELECT id, 'routing', label, CASE id % 20 WHEN 0 THEN 'lead' ELSE 'model' END, 'confident', '{}', '{}', '{}',
        started_at
    FROM conversations
"""
_POSTED = """
    INSERT INTO posts (conversation_id, platform, chat, kind, content, owed_at, not_before, attempts, said_at,
        receipt_chat, receipt_id)
    SELECT id, 'slack', chat, 'Answer', '{"label": "billing", "language": "en"}', started_at, started_at, 1,
        started_at, chat, 'r' || id
    FROM conversations, generate_series(1, 2)
"""
_WRITTEN = """
    INSERT INTO messages (conversation_id, platform, chat, message_id, author_id, author_name, text, at, opens,
        concluded_at, decided)
    SELECT id, 'slack', chat, thread, person_id, '', 'hello', started_at, false, now(), true FROM conversations
"""
_REACTED = """
    INSERT INTO reactions (platform, chat, message_id, actor_id, actor_name, emoji, added, at, heard_at, concluded_at)
    SELECT 'slack', chat, 'r' || id, 'a' || id, '', 'eyes', true, started_at, started_at, now() FROM conversations
"""
_PRESSED = """
    INSERT INTO presses (platform, chat, message_id, actor_id, actor_name, value, at, heard_at, concluded_at)
    SELECT 'slack', chat, 'r' || id, 'a' || id, '', '0', started_at, started_at, now() FROM conversations
"""
_NOTED = """
    INSERT INTO notes (conversation_id, platform, chat, message_id, under_chat, under_id, author_id, author_name, text,
        at, heard_at, concluded_at, send, external, stale, media)
    SELECT id, 'slack', chat, 'n' || id, chat, 'r' || id, 'g' || id, '', 'a bug', started_at, started_at, now(), false,
        false, false, '[]'
    FROM conversations
"""
_LEARNED = """
    INSERT INTO examples (conversation_id, task, label, text, text_key, source, side, at, recorded_at, quarantined,
        withdrawn_at)
    SELECT id, 'routing', 'billing', 'text ' || id, 'key ' || id, 'correction', 'train', started_at, started_at, false,
        now()
    FROM conversations
"""


async def talked_and_decided(database: Database) -> None:
    """6,000 closed conversations, each with a decision and two posts; the planner has statistics of them."""
    await _fill(database, _CONVERSATIONS, DECIDED, _POSTED)


async def everything_of_many(database: Database) -> None:
    """Adds to each a message, an emoji, a press, a note, and an example that was learned."""
    await _fill(database, _CONVERSATIONS, DECIDED, _POSTED, _WRITTEN, _REACTED, _PRESSED, _NOTED, _LEARNED)


async def _fill(database: Database, *statements: str) -> None:
    async with database.transaction() as session:
        for statement in statements:
            await session.execute(text(statement))
    async with await database.dedicated() as connection:
        await connection.execute("VACUUM ANALYZE")
