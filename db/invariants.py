"""Conditions that must never occur, looked for among open conversations: an alarm means a fault of Switchboard."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import text

from db.engine import Database

SETTLED = timedelta(minutes=10)
"""How long a change may still be on its way before it counts."""
_LONG_ROUTED = "SELECT id FROM conversations WHERE state = 'routed' AND routed_at < :before"
_CARDS = """
    SELECT conversation_id, id, (
        SELECT content->>'moved_to' FROM posts w WHERE coalesce(w.edits, w.id) = p.id AND w.given_up_at IS NULL
        AND (w.id = p.id OR w.edits = p.id) ORDER BY w.id DESC LIMIT 1
    ) AS moved_to
    FROM posts p WHERE kind = 'Card' AND edits IS NULL AND given_up_at IS NULL
"""
_QUESTIONS: Mapping[str, str] = {
    # A conversation with a team has a decision
    "routed_without_decision": f"""
        SELECT count(*) FROM ({_LONG_ROUTED}) c
        WHERE NOT EXISTS (SELECT FROM decisions d WHERE d.conversation_id = c.id)
    """,  # noqa: S608  no words of people
    # It has exactly one card, said or on its way
    "routed_without_card": f"""
        SELECT count(*) FROM ({_LONG_ROUTED}) c
        WHERE NOT EXISTS (SELECT FROM ({_CARDS}) k WHERE k.conversation_id = c.id AND k.moved_to IS NULL)
    """,  # noqa: S608
    "two_cards_in_force": f"""
        SELECT count(*) FROM ({_LONG_ROUTED}) c
        WHERE (SELECT count(*) FROM ({_CARDS}) k WHERE k.conversation_id = c.id AND k.moved_to IS NULL) > 1
    """,  # noqa: S608
    # Later messages of its person have reached the team
    "words_not_passed_on": f"""
        SELECT count(DISTINCT m.conversation_id) FROM messages m JOIN ({_LONG_ROUTED} AND heard_at < :before) c
        ON c.id = m.conversation_id WHERE m.concluded_at IS NULL
    """,  # noqa: S608
    # Every owed post is said, waits, or was visibly given up
    "posts_never_claimed": """
        SELECT count(*) FROM posts WHERE said_at IS NULL AND given_up_at IS NULL AND attempts = 0
        AND not_before < :before AND owed_at < :before
    """,
}
INVARIANTS = tuple(_QUESTIONS)


class PostgresInvariants:
    """Counts of the violations of each invariant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def broken(self, now: datetime) -> Mapping[str, int]:
        """Invariant -> how many conversations or posts break it; 0 where it holds. Raises Unreachable."""
        async with self._database.transaction() as session:
            return {
                name: int((await session.execute(text(asked), {"before": now - SETTLED})).scalar_one())
                for name, asked in _QUESTIONS.items()
            }
