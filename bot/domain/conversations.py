"""What one person wants, from the first message on, and what leads say about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.decisions import Decision
from bot.domain.messages import Message, MessageRef, Person, Place, Press, Reaction
from bot.domain.posts import Card, Question


class State(StrEnum):
    """Where a conversation is on its way."""

    NEW = "new"
    """No decision yet."""
    ASKED = "asked"
    """The person has been asked which team."""
    ROUTED = "routed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as it stands."""

    id: int
    place: Place
    person: Person
    state: State
    started: datetime
    asked: bool = False
    """The one question has been spent."""
    asked_for_words: bool = False
    label: str | None = None
    """The label that routes it now; None before the first decision."""


@dataclass(frozen=True, slots=True)
class Case:
    """A claimed conversation that needs a decision, with everything its person said in it so far."""

    conversation: Conversation
    messages: tuple[Message, ...]
    """Oldest first, never empty."""
    version: int
    """Grows with every message; a decision made on an older version is refused."""
    unanswered: bool = False
    """The question was asked long enough ago that nobody will answer it."""
    question: int | None = None
    """The post that asked, whose buttons go once there is a decision."""


@dataclass(frozen=True, slots=True)
class StandingCard:
    """A card that was posted and not yet struck: what it says and the id of its post."""

    post: int
    place: Place
    card: Card


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything a correction needs to know about the conversation behind a card, claimed for this step."""

    conversation: Conversation
    first: Decision
    """What was decided before any lead spoke: the model's, the memory's, the person's or the fallback's word."""
    messages: tuple[Message, ...]
    standing: tuple[Reaction, ...]
    """Reactions on any of its cards that are in place now (added, not removed), oldest first."""
    card: StandingCard | None


@dataclass(frozen=True, slots=True)
class Pressed:
    """A claimed button press, with the question it answers and its conversation."""

    id: int
    press: Press
    conversation: Conversation
    messages: tuple[Message, ...]
    question: int
    """The question's post."""
    asked: Question


@dataclass(frozen=True, slots=True)
class Next:
    """A claimed message that its person wrote after the decision, with the card it belongs under."""

    message: Message
    conversation: Conversation
    card: StandingCard | None


@dataclass(frozen=True, slots=True)
class Mark:
    """A lead's standing statement: this conversation belongs to that label."""

    label: str
    lead: Person
    at: datetime
    ref: MessageRef


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the leads' standing statements amount to."""

    label: str
    lead: Person
    at: datetime
    confirms: bool
    """The label is what had been decided without them."""
    disputed: bool
    """Leads name different labels: the last one routes, but nothing is learned from it until they agree."""


def rule(marks: Sequence[Mark], first_label: str) -> Ruling | None:
    """The last statement wins; None when no lead has spoken. Order of arrival does not matter, only `at`."""
    if not marks:
        return None
    last = max(marks, key=lambda mark: mark.at)
    per_lead = {(m.lead.platform, m.lead.id): m.label for m in sorted(marks, key=lambda mark: mark.at)}
    return Ruling(
        label=last.label,
        lead=last.lead,
        at=last.at,
        confirms=last.label == first_label,
        disputed=len(set(per_lead.values())) > 1,
    )
