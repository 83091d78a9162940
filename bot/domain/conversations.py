"""What one person wants, from the first message on, and what leads say about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.consequences import Effects
from bot.domain.decisions import Decision
from bot.domain.messages import Media, Message, MessageRef, Note, Person, Place, Reaction
from bot.domain.posts import Card, FollowUp, Offer, Post, Reply, Solved, Split, WrongTeam
from bot.domain.question_posts import Alert

Asking = Offer | Solved | Split | WrongTeam
"""A question of ours with buttons, other than the one about the team."""


class State(StrEnum):
    """Where a conversation stands on its way."""

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
    """Whether the person was asked for the team already: that happens once."""
    asked_for_words: bool = False
    label: str | None = None
    """The label that routes it now; None before the first decision."""
    taken_by: str | None = None
    """The name of who has taken it; None: nobody."""
    reopened: datetime | None = None
    """When it was last opened again: an earlier "done", or statement that it is no request, no longer counts."""
    wanted: bool = False
    """Whether somebody made a request of it: "no request" is no possible answer now, unless a lead says so later."""


@dataclass(frozen=True, slots=True)
class UndecidedConversation:
    """A claimed conversation that needs a decision, with everything its person has said in it."""

    conversation: Conversation
    messages: tuple[Message, ...]
    """Oldest first, never empty."""
    version: int
    """Grows with every message; a decision on an older version is refused."""
    unanswered: bool = False
    """Whether the question was asked so long ago that an answer is no longer expected."""
    question: int | None = None
    """The post that asked, whose buttons vanish once there is a decision."""
    answers: tuple[Decision, ...] = ()
    """The answers to the further questions from before it was made a request; none for any other conversation."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision on a claimed conversation, with the posts that follow from it."""

    case: UndecidedConversation
    decision: Decision
    posts: tuple[Post, ...]
    text: str
    """What was classified. It and its vector are kept: a later correction or tap makes them an example."""
    vector: Sequence[float] | None
    answers: tuple[Decision, ...] = ()
    """The answers to the further questions by then."""
    effects: Effects = field(default_factory=Effects)
    """The effects of these answers."""
    unanswered: bool = False
    """Whether a further question is still to be answered."""


@dataclass(frozen=True, slots=True)
class StandingCard:
    """A card that was posted and not yet struck: what it says and the id of its post."""

    post: int
    place: Place
    card: Card
    ref: MessageRef | None = None
    """Its receipt, on which reactions land; None until it is said."""


@dataclass(frozen=True, slots=True)
class StandingAlert:
    """The post about a conversation in another room, as it reads now."""

    post: int
    place: Place
    alert: Alert


@dataclass(frozen=True, slots=True)
class PendingReactions:
    """Everything a correction needs to know about the conversation behind a card, claimed for this step."""

    conversation: Conversation
    first: Decision
    """The decision before any lead spoke: the model's, the memory's, the person's or the fallback's; while the person
    is being asked, the guess that led to the question."""
    messages: tuple[Message, ...]
    standing: tuple[Reaction, ...]
    """Reactions on any of its cards that are in place now (added, not removed), oldest first; and leads' choices.

    A choice (`messages.choice`) may also stand on the conversation's own messages.
    """
    card: StandingCard | None
    fresh: tuple[Reaction, ...] = ()
    """The standing reactions that nobody has looked at before."""
    history: tuple[tuple[str, str], ...] = ()
    """(who, what) was said after the first message, notes included, oldest first: for the next team."""
    question: int | None = None
    """The post that asked the person, if its buttons still stand."""
    cards: tuple[StandingCard, ...] = ()
    """Every card of it that was said, struck ones too, oldest first: the card's team tells who may say what there."""
    asking: tuple[tuple[int, Asking], ...] = ()
    """(post, what it says) of our other questions about it whose buttons still stand."""
    told: frozenset[tuple[str, str]] = frozenset()
    """(platform, id) of everybody who was told before that they may not correct it."""
    answers: tuple[Decision, ...] = ()
    """The answers to the further questions that count now."""
    first_answers: tuple[Decision, ...] = ()
    """The answers before any lead spoke."""
    alerts: tuple[StandingAlert, ...] = ()
    reworded: tuple[str, ...] = ()
    """What its cards say, without marks, where that is not what was decided on: the person changed their words."""
    vectors: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """The vectors of these words, as far as they could be made."""


@dataclass(frozen=True, slots=True)
class LookedUp:
    """Whose reactions count, as far as that could be looked up."""

    counted: Mapping[Reaction, bool] = field(default_factory=dict)
    unknown: frozenset[Reaction] = frozenset()
    """Reactions whose actor could not be looked up yet: they stay to be looked at."""
    again: datetime | None = None
    """When to look them up again."""


@dataclass(frozen=True, slots=True)
class QuestionState:
    """What the reactions on a conversation's cards say about a further question."""

    task: str
    lead_label: "LeadLabel | None" = None
    """None: leads say nothing about it."""
    decision: Decision | None = None
    """None: its answer stays."""


@dataclass(frozen=True, slots=True)
class CardState:
    """What the reactions on a conversation's cards add up to now."""

    lead_label: "LeadLabel | None" = None
    """What leads say about the team; None: nothing."""
    taken_by: Person | None = None
    done: bool = False
    questions: tuple[QuestionState, ...] = ()
    effects: Effects = field(default_factory=Effects)
    """The effects of the answers."""
    looked: bool = False
    """Whether somebody of the team has looked at the card: then posts that were held back are sent."""
    lacks_topic: bool = False
    """Whether its team has topics and none was named yet."""


@dataclass(frozen=True, slots=True)
class PendingFollowUp:
    """A claimed message that its person wrote after the decision, with the card it belongs under."""

    message: Message
    conversation: Conversation
    card: StandingCard | None
    asking: tuple[tuple[int, Asking], ...] = ()
    """As in `PendingReactions.asking`."""
    id: int = 0
    ended: bool = False
    """As in `PendingPress`."""


@dataclass(frozen=True, slots=True)
class PendingNote:
    """A claimed note, or one that somebody put the sending emoji on, with its conversation."""

    id: int
    note: Note
    conversation: Conversation
    sent: bool = False
    """Whether it has been sent to the person."""
    standing: tuple[Reaction, ...] = ()
    """Reactions on it that are in place now, oldest first: their emoji tell whether one of them sends it."""
    card: StandingCard | None = None
    """The conversation's standing card; the note may stand under an older one."""
    asking: tuple[tuple[int, Asking], ...] = ()
    """As in `PendingReactions.asking`: among them the offer to send this note."""
    under: StandingCard | None = None
    """The card in whose thread the note is, struck or not."""


@dataclass(frozen=True, slots=True)
class PendingEdit:
    """A claimed message, or note, whose words were changed or deleted after they had been passed on."""

    id: int
    conversation: Conversation
    message: Message | Note
    """The message with its new words; empty if it was deleted."""
    deleted: bool
    card: StandingCard | None
    decided: bool
    """Whether the decision rests on it: then the card shows it."""
    carried: tuple[int, FollowUp | Reply] | None = None
    """The post that passed it on, and what that says now; None: no post did."""
    text: str = ""
    """The card's new excerpt: all messages that the decision rests on, with the new words."""
    media: tuple[Media, ...] = ()
    """All present attachments of the messages that the decision rests on."""
    cards: tuple[StandingCard, ...] = ()
    """Every card it ever had, also struck ones and one on its way: deleted words are removed from all of them."""
    alerts: tuple[StandingAlert, ...] = ()
    """The posts about it in other rooms: copies of the card are updated like the card."""


@dataclass(frozen=True, slots=True)
class OverdueConversation:
    """A claimed conversation that nobody took for too long."""

    conversation: Conversation
    card: StandingCard | None
    since: datetime
    """When its team got it."""
    reminders: int
    """How many reminders there were before."""
    after: timedelta | None = None
    """How long its team has, where that is less than usual."""


@dataclass(frozen=True, slots=True)
class UnansweredConversation:
    """A claimed conversation whose team is known and that has an unanswered further question."""

    conversation: Conversation
    text: str
    vector: Sequence[float] | None
    embedder: str | None
    """The embedder that made the vector."""
    answers: tuple[Decision, ...] = ()
    """The earlier answers."""
    card: StandingCard | None = None
    alerts: tuple[StandingAlert, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A lead's standing statement: this conversation belongs to that label."""

    label: str
    lead: Person
    at: datetime
    ref: MessageRef
    heard: datetime | None = None
    """When we received it, by our own clock; None: `at` is by that clock, too."""


@dataclass(frozen=True, slots=True)
class LeadLabel:
    """What the leads' standing statements add up to."""

    label: str
    lead: Person
    at: datetime
    confirms: bool
    """Whether the label is the one that was decided without them."""
    disputed: bool
    """Whether leads name different labels: the last one routes, but nothing is learned until they agree."""
    agreeing: int = 1
    """How many leads name this label."""
    on: MessageRef | None = None
    """The card, or the message, on which the statement that counts was made."""
    heard: datetime | None = None
    """As in `Mark`, of that statement."""


def label_by_leads(marks: Sequence[Mark], first_label: str) -> LeadLabel | None:
    """The last statement wins; None when no lead has spoken. Order of arrival does not matter, only `at`."""
    if not marks:
        return None
    # Two platforms have two clocks: statements from both are ordered by ours
    one_clock = len({mark.lead.platform for mark in marks}) == 1
    in_order = sorted(marks, key=lambda mark: mark.at if one_clock else mark.heard or mark.at)
    last = in_order[-1]
    per_lead = {(m.lead.platform, m.lead.id): m.label for m in in_order}
    return LeadLabel(
        label=last.label,
        lead=last.lead,
        at=last.at,
        confirms=last.label == first_label,
        disputed=len(set(per_lead.values())) > 1,
        agreeing=sum(label == last.label for label in per_lead.values()),
        on=last.ref,
        heard=last.heard,
    )
