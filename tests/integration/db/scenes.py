"""Small scenes from which the database tests start."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.domain.conversations import Decided, PendingReactions, UndecidedConversation
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.ledger import Ledger, ThreadingPolicy
from bot.domain.messages import Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.model_ports import Vector
from bot.domain.posts import Answer, Card, Post, Question
from bot.domain.presses import PendingPress
from bot.domain.tasks import Label, Task
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SETTLE, PATIENCE = timedelta(seconds=3), timedelta(minutes=10)
JOINING = ThreadingPolicy(SETTLE, timedelta(hours=24), timedelta(hours=72))
ANN = Person("telegram", "ann", "Ann", "en")
LEAD = Person("slack", "lead", "Lea")
AGENT = Person("slack", "agent", "Gus")
ROOM = Place("slack", "C-BILLING")
TASK = Task(
    "routing",
    "Which team?",
    (Label("billing", "money"), Label("access", "passwords"), Label("triage", "the rest")),
    "triage",
)
VECTOR = (1.0, 0.0, 0.0)
SURE = Decision("routing", "billing", Author.MODEL, Reason.CONFIDENT, {"billing": 0.9, "access": 0.1}, "routing-1")
UNSURE = Decision("routing", "billing", Author.MODEL, Reason.UNSURE, {"billing": 0.5}, candidates=("billing", "access"))


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def message(ref: str, text: str = "where is my refund", seconds: float = 0, **place: str | None) -> Message:
    """Ann's message, in `thread` and `chat` if given, otherwise in her private chat."""
    chat = place.get("chat") or "ann-chat"
    return Message(
        MessageRef("telegram", chat, ref), Place("telegram", chat, place.get("thread")), ANN, text, after(seconds)
    )


def card(conversation: int, label: str = "billing", moved_to: str | None = None) -> Card:
    source = MessageRef("telegram", "ann-chat", "m1")
    legend = (("moneybag", "billing"), ("key", "access"))
    return Card(
        conversation, label, "where is", "Ann", source, "model", "confident", 0.9, "routing-1", legend, moved_to
    )


def posts_for(conversation: int) -> list[Post]:
    return [
        Post(Place("telegram", "ann-chat"), Answer("billing", "en")),
        Post(ROOM, card(conversation)),
    ]


async def decide(
    ledger: Ledger,
    case: UndecidedConversation,
    decision: Decision,
    posts: Sequence[Post],
    text: str,
    vector: Vector | None,
) -> bool:
    """Decide it alone, as the sorting step does if it cannot be stored with others; return whether it was stored."""
    return await ledger.decide_one(Decided(case, decision, tuple(posts), text, vector))


async def claimed(ledger: PostgresLedger, seconds: float = 5) -> UndecidedConversation:
    """The only case there is to decide."""
    (case,) = await ledger.claim_undecided(after(seconds), SETTLE, PATIENCE, 10)
    return case


async def routed(ledger: PostgresLedger, text: str = "where is my refund", ref: str = "m1", start: float = 0) -> int:
    """A conversation that the model sent to billing; its id."""
    await ledger.add_message(message(ref, text, start, chat=f"chat-of-{ref}"), JOINING)
    case = await claimed(ledger, start + 5)
    assert await decide(ledger, case, SURE, posts_for(case.conversation.id), text, VECTOR)
    return case.conversation.id


async def asked(ledger: PostgresLedger, ref: str = "m1", start: float = 0) -> int:
    """A conversation whose person has been asked; its id."""
    await ledger.add_message(message(ref, seconds=start), JOINING)
    case = await claimed(ledger, start + 5)
    question = Post(Place("telegram", "ann-chat"), Question(("billing", "access"), "en"))
    assert await decide(ledger, case, UNSURE, [question], "where is my refund", VECTOR)
    return case.conversation.id


async def say_all(outbox: PostgresOutbox, seconds: float = 6) -> dict[str, MessageRef]:
    """Send all posts; return the newest receipt of each kind of content."""
    receipts: dict[str, MessageRef] = {}
    while item := await outbox.claim_due(["slack", "telegram"], after(seconds), 10):
        for one in item:
            target = one.edits or MessageRef(one.post.place.platform, one.post.place.chat, f"said-{one.id}")
            await outbox.said(one, target, after(seconds))
            receipts[type(one.post.content).__name__] = target
    return receipts


def reaction(ref: MessageRef, emoji: str, seconds: float, added: bool = True, actor: Person = LEAD) -> Reaction:
    return Reaction(ref, actor, emoji, added, after(seconds))


def press(ref: MessageRef, value: str, seconds: float = 7, actor: Person = ANN) -> Press:
    return Press(ref, actor, value, after(seconds))


def note(ref: str, under: MessageRef, text: str = "ask for the order number", seconds: float = 20) -> Note:
    """What an agent of the team writes under one of our posts."""
    return Note(MessageRef("slack", "C-BILLING", ref), under, AGENT, text, after(seconds))


async def carded(ledger: PostgresLedger, outbox: PostgresOutbox) -> MessageRef:
    """A conversation that billing has; the receipt of its card."""
    await routed(ledger)
    return (await say_all(outbox))["Card"]


async def pending(ledger: PostgresLedger, seconds: float) -> PendingReactions:
    """The only dossier there is to look at."""
    (found,) = await ledger.claim_reactions(after(seconds), 10)
    return found


async def pressed(ledger: PostgresLedger, seconds: float) -> PendingPress:
    """The only press there is to look at."""
    (found,) = await ledger.claim_presses(after(seconds), 10)
    return found
