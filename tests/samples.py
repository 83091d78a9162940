"""A small company and a fixed time, shared by tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.conversations import Conversation, PendingReactions, StandingCard, State, UndecidedConversation
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.messages import Media, MediaKind, Message, MessageRef, Person, Place, Reaction
from bot.domain.posts import Card
from bot.domain.report_posts import ComparisonReport, ReportedArm
from bot.domain.tasks import Label, Task, Vocabulary

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""A Monday, at noon."""


def label(name: str, emoji: str, means: str = "") -> Label:
    """A team whose room on the web has the team's name."""
    return Label(name, means or f"Everything about {name}", (), {"web": emoji}, {"web": Place("web", name)})


TASK = Task(
    name="routing",
    question="Which team should handle this message?",
    labels=(label("billing", "💰"), label("delivery", "📦"), label("it", "💻"), label("triage", "🧭")),
    fallback="triage",
    ask_below=0.60,
)
VOCABULARY = Vocabulary(
    take={"web": "👀", "slack": "eyes", "telegram": "👀"},
    done={"web": "✅", "slack": "white_check_mark", "telegram": "👌"},
    wrong={"web": "👎", "slack": "-1", "telegram": "👎"},
    send={"web": "📤", "slack": "outbox_tray", "telegram": "🕊"},
)
CUSTOMER = Person("web", "customer", "Cleo", "en")
LEAD = Person("web", "lead", "Lee")
AGENT = Person("web", "agent", "Ada")
STRANGER = Person("web", "stranger", "Sam")
COMPARED = ComparisonReport(
    "routing",
    "worth_it",
    400,
    -0.041,
    0.012,
    (
        ReportedArm("majority", 0.25, -0.71, -0.64, 0.0),
        ReportedArm("words", 0.88, -0.06, -0.02),
        ReportedArm("mixture", 0.921, per_1000=0.02),
        ReportedArm("mixture without adapter", 0.88, -0.053, -0.029, 0.004),
    ),
    "USD",
)
PHOTO = Media("web", "photo-1", MediaKind.PHOTO, "receipt.jpg")


def message(text: str, id: str = "1", seconds: float = 0, author: Person = CUSTOMER) -> Message:
    """A message of the customer in her room, so many seconds after NOW, opening its own thread."""
    at = NOW + timedelta(seconds=seconds)
    return Message(MessageRef("web", "customer", id), Place("web", "customer", id), author, text, at)


def conversation(state: State = State.ROUTED, label: str | None = "billing") -> Conversation:
    """The customer's conversation, in a thread of her room."""
    return Conversation(7, Place("web", "customer", "1"), CUSTOMER, state, NOW, label=label)


def case(*texts: str, asked: bool = False, state: State = State.NEW) -> UndecidedConversation:
    """A conversation of these messages that needs a decision."""
    return UndecidedConversation(
        replace(conversation(state, None), asked=asked),
        tuple(message(text, str(n + 1)) for n, text in enumerate(texts)),
        version=len(texts),
    )


def card(label: str = "billing", excerpt: str = "charged twice") -> Card:
    """The card of the customer's conversation."""
    legend = tuple((one.emoji["web"], one.name) for one in TASK.labels)
    source = MessageRef("web", "customer", "1")
    return Card(7, label, excerpt, "Cleo", source, Author.MODEL, Reason.CONFIDENT, 0.9, "routing-1", legend=legend)


def standing(content: Card | None = None, post: int = 12) -> StandingCard:
    """The card in its team's room, sent and not struck through."""
    content = content or card()
    return StandingCard(post, Place("web", content.label), content, MessageRef("web", content.label, f"post {post}"))


def reaction(emoji: str, by: Person = LEAD, seconds: float = 60, on: str = "billing", post: int = 12) -> Reaction:
    """An emoji on the card in that room, so many seconds after NOW."""
    return Reaction(MessageRef("web", on, f"post {post}"), by, emoji, True, NOW + timedelta(seconds=seconds))


def pending(*reactions: Reaction, state: State = State.ROUTED, content: Card | None = None) -> PendingReactions:
    """The customer's conversation, whose card got these reactions, all of them just now."""
    here = standing(content)
    probabilities = {"billing": 0.9, "delivery": 0.02, "it": 0.05, "triage": 0.03}
    return PendingReactions(
        conversation(state, here.card.label),
        Decision("routing", "billing", Author.MODEL, Reason.CONFIDENT, probabilities, "routing-1"),
        (message("charged twice"),),
        reactions,
        here,
        fresh=reactions,
        cards=(here,),
    )
