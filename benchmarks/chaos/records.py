"""What the database contains, read from outside: during a round and when it is over."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psycopg

Ref = tuple[str, str, str]
"""Platform, chat, message."""
NOWHERE: Ref = ("", "", "")
_MARK = re.compile(r"#\d+-[st]\d+")
_SNAPSHOT_SECONDS = 0.3

_MESSAGES = """
    SELECT m.platform, m.chat, m.message_id, m.text, c.id, c.state
    FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE m.text LIKE %s ORDER BY m.id
"""
_POSTS = """
    SELECT p.conversation_id, p.kind, p.platform, p.receipt_chat, p.receipt_id FROM posts p
    WHERE p.kind IN ('Card', 'Question') AND p.edits IS NULL AND p.said_at IS NOT NULL AND p.conversation_id = ANY(%s)
    ORDER BY p.id
"""
_WAITING = {
    "messages undecided or not passed on": """
        SELECT count(*) FROM messages m JOIN conversations c ON c.id = m.conversation_id
        WHERE m.concluded_at IS NULL AND c.state <> 'asked'
    """,
    "posts unsaid": "SELECT count(*) FROM posts WHERE said_at IS NULL AND given_up_at IS NULL",
    "reactions": "SELECT count(*) FROM reactions WHERE concluded_at IS NULL",
    "presses": "SELECT count(*) FROM presses WHERE concluded_at IS NULL",
    "notes": "SELECT count(*) FROM notes WHERE concluded_at IS NULL",
}


@dataclass(slots=True)
class Ledger:
    """The round's conversations, as in the database a moment ago; while it is unreachable nothing changes."""

    url: str
    round: int = 0
    _stored: set[Ref] = field(default_factory=set)
    _states: dict[str, str] = field(default_factory=dict)
    _cards: dict[str, Ref] = field(default_factory=dict)
    _questions: dict[str, Ref] = field(default_factory=dict)

    def state(self, mark: str) -> str:
        """The state of the conversation with this mark; empty while there is none."""
        return self._states.get(mark, "")

    def stored(self, platform: str, chat: str, message: str) -> bool:
        return (platform, chat, message) in self._stored

    def card(self, mark: str) -> Ref:
        return self._cards.get(mark, NOWHERE)

    def question(self, mark: str) -> Ref:
        return self._questions.get(mark, NOWHERE)

    async def follow(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(_SNAPSHOT_SECONDS)

    def look(self) -> None:
        try:
            rows = self.rows(_MESSAGES, f"%#{self.round}-%")
            of = {conversation: mark for *_, text, conversation, _ in rows if (mark := opened(str(text)))}
            posts = self.rows(_POSTS, list(of))
        except psycopg.Error:
            return
        self._stored |= {(str(platform), str(chat), str(ref)) for platform, chat, ref, *_ in rows}
        self._states |= {of[conversation]: str(state) for *_, conversation, state in rows if conversation in of}
        for conversation, kind, platform, chat, ref in posts:
            known = self._cards if kind == "Card" else self._questions
            known[of[conversation]] = (str(platform), str(chat), str(ref))

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """The rows of a query. Raises psycopg.Error."""
        with psycopg.connect(self.url, connect_timeout=5) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def count(self, query: str, *values: object) -> int:
        [(found,)] = self.rows(query, *values)
        assert isinstance(found, int)
        return found

    def waiting(self) -> Mapping[str, int]:
        """What is still to be done, by kind; empty: everything has drained."""
        counts = {what: self.count(query) for what, query in _WAITING.items()}
        return {what: count for what, count in counts.items() if count}


def opened(text: str) -> str:
    """The mark of the conversation that this text opens; empty if it opens none."""
    found = _MARK.findall(text)
    return found[-1] if found and not text.startswith("line ") else ""


async def until(holds: Callable[[], bool], seconds: float, pause: float = 0.3) -> bool:
    """Wait until the condition holds; return whether it did within so many seconds."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        if holds():
            return True
        await asyncio.sleep(pause)
    return False
