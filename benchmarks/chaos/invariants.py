"""What must hold after every round, checked against what the platforms saw and what the database contains."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.chaos.people import Said
from benchmarks.chaos.records import Ledger
from tests.servers.slack import Post as SlackPost
from tests.worlds.company import CHANNELS, GROUPS, TEAMS, Town

_OF_ROUND = "SELECT DISTINCT conversation_id FROM messages WHERE text LIKE %s"
_CARDS_IN_FORCE = """
    SELECT p.conversation_id, count(*) FROM posts p WHERE p.kind = 'Card' AND p.edits IS NULL AND p.given_up_at IS NULL
    AND (SELECT w.content->>'moved_to' FROM posts w WHERE (w.id = p.id OR w.edits = p.id) AND w.given_up_at IS NULL
         ORDER BY w.id DESC LIMIT 1) IS NULL
    AND p.conversation_id = ANY(%s) GROUP BY p.conversation_id
"""
_OWN_DECISIONS = """
    SELECT conversation_id, count(*) FROM decisions WHERE by NOT IN ('lead', 'person')
    AND conversation_id = ANY(%s) GROUP BY conversation_id
"""
_ANSWERS = """
    SELECT conversation_id, count(*) FROM posts WHERE kind = 'Answer' AND edits IS NULL AND said_at IS NOT NULL
    AND conversation_id = ANY(%s) GROUP BY conversation_id
"""
_RECEIPTS = """
    SELECT receipt_chat, receipt_id FROM posts
    WHERE platform = %s AND edits IS NULL AND only_for IS NULL AND said_at IS NOT NULL
"""
_DIGESTS_TWICE = """
    SELECT owed_at, platform, chat, count(*) FROM posts WHERE kind = 'Digest' AND edits IS NULL
    GROUP BY owed_at, platform, chat HAVING count(*) > 1
"""
_HELD = """
    SELECT (SELECT count(*) FROM posts WHERE said_at IS NULL AND given_up_at IS NULL AND leased_until IS NOT NULL
            AND claimed_by NOT IN (SELECT number FROM processes))
    + (SELECT count(*) FROM conversations WHERE leased_until > now()
       AND claimed_by NOT IN (SELECT number FROM processes))
"""


@dataclass(slots=True)
class Findings:
    """Broken invariants, by name, with the items that broke them."""

    broken: dict[str, list[str]] = field(default_factory=dict)

    def unless(self, holds: bool, name: str, what: object) -> None:
        if not holds:
            self.broken.setdefault(name, []).append(str(what))


@dataclass(slots=True)
class Copies:
    """Posts that stand on a platform without a receipt: said twice, or said without a stored receipt."""

    known: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    new: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """The copies found by the latest look."""

    def found(self, town: Town, ledger: Ledger) -> Mapping[str, tuple[int, list[str], list[str]]]:
        """Platform -> how many posts stand there, the new copies, the receipts without a post."""
        on = {"slack": _on_slack(town), "telegram": _on_telegram(town)}
        told: dict[str, tuple[int, list[str], list[str]]] = {}
        for platform, posts in on.items():
            receipts = {(str(chat), str(ref)) for chat, ref in ledger.rows(_RECEIPTS, platform)}
            copies = set(posts) - receipts - self.known.setdefault(platform, set())
            self.known[platform] |= copies
            self.new[platform] = copies
            gone = receipts - set(posts)
            told[platform] = (len(posts), [f"{posts[one]!r}" for one in copies], [str(one) for one in gone])
        return told


def check_replicas(found: Findings, ledger: Ledger, overlapping: int) -> None:
    """Check what several processes must do only once, and that work held by dead ones is taken over."""
    twice = ledger.rows(_DIGESTS_TWICE)
    found.unless(not twice, "the schedule fires once", twice)
    found.unless(overlapping == 0, "one process polls Telegram at a time", overlapping)
    held = ledger.count(_HELD)
    found.unless(held == 0, "what a dead process held is taken over", held)


def _on_slack(town: Town) -> dict[tuple[str, str], str]:
    posts = [post for channel in list(town.slack.space.channels) for post in town.slack.posts(channel)]
    return {(post.channel, post.ts): post.text[:60] for post in posts}


def _on_telegram(town: Town) -> dict[tuple[str, str], str]:
    """Posts with text: files are sent behind the post they belong to, which has the receipt."""
    posts = [post for chat in list(town.telegram.account.chats) for post in town.telegram.posts(chat)]
    posts = [post for post in posts if post.text]
    return {(str(post.chat), str(post.message_id)): post.text[:60] for post in posts}


def check(round_: int, said: Said, town: Town, ledger: Ledger) -> Findings:
    """Check every invariant of the round's conversations."""
    found, like = Findings(), f"%#{round_}-%"
    stored = Counter(
        (str(platform), str(chat), str(ref))
        for platform, chat, ref in ledger.rows(
            "SELECT platform, chat, message_id FROM messages WHERE text LIKE %s", like
        )
    )
    for fact in said.messages:
        found.unless(stored[fact] == 1, "each message is stored once", (*fact, stored[fact]))
    for platform, chat, ref in said.notes:
        rows = ledger.count(
            "SELECT count(*) FROM notes WHERE platform = %s AND chat = %s AND message_id = %s", platform, chat, ref
        )
        found.unless(rows == 1, "each note is stored once", (platform, chat, ref, rows))
    conversations = [one for (one,) in ledger.rows(_OF_ROUND, like)]
    found.unless(
        len(conversations) == len(said.requests),
        "a conversation for each request",
        (len(conversations), len(said.requests)),
    )
    _check_conversations(found, conversations, ledger)
    ledger.look()
    for mark, lines in said.lines.items():
        if ledger.state(mark) != "routed":
            continue  # the person was asked: the lines come with the card, once there is one
        rooms = _told(town, mark)
        found.unless(
            {line for room in rooms for line in room} == set(lines), "the team reads every line", (mark, rooms, lines)
        )
        found.unless(all(room == sorted(room) for room in rooms), "lines stand in order", (mark, rooms))
    return found


def _check_conversations(found: Findings, conversations: Sequence[object], ledger: Ledger) -> None:
    """Check for one decision of ours, one card in force and at most one answer for each conversation that a team
    has."""
    states = _by_conversation(ledger, "SELECT id, state FROM conversations WHERE id = ANY(%s)", conversations)
    decisions = _by_conversation(ledger, _OWN_DECISIONS, conversations)
    cards = _by_conversation(ledger, _CARDS_IN_FORCE, conversations)
    answers = _by_conversation(ledger, _ANSWERS, conversations)
    for one in conversations:
        state = states[one]
        about = f"conversation {one}, {state}"
        found.unless(decisions.get(one) == 1, "one decision of ours", f"{about}: {decisions.get(one, 0)}")
        found.unless(state in ("routed", "asked"), "everybody is heard", about)
        wanted = 1 if state == "routed" else 0
        found.unless(cards.get(one, 0) == wanted, "one card in force", f"{about}: {cards.get(one, 0)}")
        found.unless(int(str(answers.get(one, 0))) <= 1, "one answer", f"{about}: {answers.get(one, 0)}")


def _by_conversation(ledger: Ledger, query: str, conversations: Sequence[object]) -> dict[object, object]:
    return {one: value for one, value in ledger.rows(query, list(conversations))}  # noqa: C416  rows have two columns


def _told(town: Town, mark: str) -> list[list[str]]:
    """The follow-ups in each team's room, in the order of their first appearance: a moved card repeats them."""
    rooms = [
        *([_words(post) for post in town.slack.posts(CHANNELS[team])] for team in TEAMS),
        *([post.text for post in town.telegram.posts(GROUPS[team])] for team in TEAMS),
    ]
    wanted = re.compile(rf"line \d of {re.escape(mark)}(?!\d)")
    return [list(dict.fromkeys(line for text in room for line in wanted.findall(text))) for room in rooms]


def _words(post: SlackPost) -> str:
    return f"{post.text}\n{json.dumps(post.blocks, ensure_ascii=False)}"
