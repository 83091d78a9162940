"""A small company and the moment it is, shared by tests."""

from datetime import UTC, datetime, timedelta

from bot.domain.conversations import Case, Conversation, State
from bot.domain.messages import Message, MessageRef, Person, Place
from bot.domain.tasks import Label, Task

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def label(name: str, emoji: str, means: str = "") -> Label:
    """A team with a room called after it on the web."""
    return Label(name, means or f"Everything about {name}", (), {"web": emoji}, {"web": Place("web", name)})


TASK = Task(
    name="routing",
    question="Which team should handle this message?",
    labels=(label("billing", "💰"), label("delivery", "📦"), label("it", "💻"), label("triage", "🧭")),
    fallback="triage",
    ask_below=0.60,
)
CUSTOMER = Person("web", "customer", "Cleo", "en")
LEAD = Person("web", "lead", "Lee")


def message(text: str, id: str = "1", seconds: float = 0, author: Person = CUSTOMER) -> Message:
    """Something the customer wrote in her room, so many seconds after NOW, opening a thread of its own."""
    at = NOW + timedelta(seconds=seconds)
    return Message(MessageRef("web", "customer", id), Place("web", "customer", id), author, text, at)


def case(*texts: str, asked: bool = False, state: State = State.NEW) -> Case:
    """A conversation of these messages that needs a decision."""
    conversation = Conversation(7, Place("web", "customer", "1"), CUSTOMER, state, NOW, asked=asked)
    return Case(conversation, tuple(message(text, str(n + 1)) for n, text in enumerate(texts)), version=len(texts))
