"""A pressed button: what is known when it is looked at, and what it means."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.conversations import Conversation, StandingCard
from bot.domain.decisions import Decision
from bot.domain.messages import Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.posts import Content


@dataclass(frozen=True, slots=True)
class PendingPress:
    """A claimed button press, with the post it is on and its conversation."""

    id: int
    press: Press
    conversation: Conversation
    messages: tuple[Message, ...]
    post: int
    """The post whose button it is."""
    on: Content
    """What that post says now."""
    card: StandingCard | None = None
    note: Note | None = None
    """The note that an `Offer` is about."""
    sent: bool = False
    """Whether that note has been sent to the person."""
    under: StandingCard | None = None
    """The card in whose thread the button is, struck or not; None: it is in no card's thread."""
    answers: tuple[Decision, ...] = ()
    """As in `conversations.PendingReactions`."""
    ended: bool = False
    """Whether its team was merged or retired since: opened again, it goes to another (`flow/hand_on.py`)."""
    merged: Mapping[str, str] = field(default_factory=dict)
    retired: Mapping[str, str] = field(default_factory=dict)
    """Team of a button that ended since the question was put -> who has its requests now, by its present name."""


@dataclass(frozen=True, slots=True)
class Button:
    """Who may press a button of ours, for a platform that must explain at once why a press does nothing."""

    room: Place
    settled: bool
    """Whether its question has been answered."""
    whose: Person | None = None
    """The one person who may press it; None: people of the team."""
    for_leads: bool = False
    """Whether only leads of the team may."""
    label: str | None = None
    of_all_teams: bool = False
    """Whether only leads of all teams may."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A press decides the conversation: the person's tap, or a lead's for them."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class Stated:
    """A press is a lead's statement, which stands like an emoji on the card."""

    reaction: Reaction


@dataclass(frozen=True, slots=True)
class Settled:
    """The person says whether it is solved: True closes, False opens again."""

    solved: bool


@dataclass(frozen=True, slots=True)
class SplitOff:
    """This message, and what its person wrote after it, becomes a request of its own."""

    message: MessageRef


@dataclass(frozen=True, slots=True)
class Dispatched:
    """This note is sent; the reply is among the posts."""

    note: int


Meaning = Chosen | Stated | Settled | SplitOff | Dispatched | None
"""What a press means; None: nothing (a stranger's, too late, forged)."""
