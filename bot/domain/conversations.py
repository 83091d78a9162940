"""What one person wants, from the first message on, and what leads say about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.consequences import Effects
from bot.domain.decisions import Decision
from bot.domain.messages import Media, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.posts import Card, Content, FollowUp, Offer, Post, Reply, Solved, Split, WrongTeam
from bot.domain.question_posts import Alert

Asking = Offer | Solved | Split | WrongTeam
"""A question of ours with buttons, besides the one about the team."""


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
    taken_by: str | None = None
    """The name of who is on it; None: nobody."""
    reopened: datetime | None = None
    """When it was last opened again: a "done" from before then no longer counts, nor that it is no request."""
    wanted: bool = False
    """Somebody made a request of it: that it is none is no answer any more, unless a lead says so since."""


@dataclass(frozen=True, slots=True)
class UndecidedConversation:
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
class Decided:
    """A decision on a claimed conversation, with the posts that follow from it."""

    case: UndecidedConversation
    decision: Decision
    posts: tuple[Post, ...]
    text: str
    """What was classified. It and its vector are kept: a later correction or tap makes them an example."""
    vector: Sequence[float] | None
    answers: tuple[Decision, ...] = ()
    """What was answered to the further questions by then."""
    effects: Effects = field(default_factory=Effects)
    """What follows from these answers."""
    unanswered: bool = False
    """A further question is still to be answered."""


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
    """What another room was told of a conversation: its post, and what that says by now."""

    post: int
    place: Place
    alert: Alert


@dataclass(frozen=True, slots=True)
class PendingReactions:
    """Everything a correction needs to know about the conversation behind a card, claimed for this step."""

    conversation: Conversation
    first: Decision
    """What was decided before any lead spoke: the model's, the memory's, the person's or the fallback's word.

    While the person is being asked, it is the guess that led to the question.
    """
    messages: tuple[Message, ...]
    standing: tuple[Reaction, ...]
    """Reactions on any of its cards that are in place now (added, not removed), oldest first; and leads' choices.

    A choice (`messages.choice`) may also stand on the conversation's own messages.
    """
    card: StandingCard | None
    fresh: tuple[Reaction, ...] = ()
    """Those of the standing ones that nobody looked at before."""
    history: tuple[tuple[str, str], ...] = ()
    """(who, what) was said after the first message, notes included, oldest first: for the next team."""
    question: int | None = None
    """The post that asked the person, if its buttons still stand."""
    cards: tuple[StandingCard, ...] = ()
    """Every card it ever had that was said, struck ones too, oldest first: whose word counts there, its team says."""
    asking: tuple[tuple[int, Asking], ...] = ()
    """(post, what it says) of our other questions about it whose buttons still stand."""
    told: frozenset[tuple[str, str]] = frozenset()
    """(platform, id) of everybody who was told before that they may not correct it."""
    answers: tuple[Decision, ...] = ()
    """The answers to the further questions that count now."""
    first_answers: tuple[Decision, ...] = ()
    """What was answered before any lead spoke."""
    alerts: tuple[StandingAlert, ...] = ()


@dataclass(frozen=True, slots=True)
class LookedUp:
    """Whose reactions count, as far as it could be found out."""

    counted: Mapping[Reaction, bool] = field(default_factory=dict)
    unknown: frozenset[Reaction] = frozenset()
    """Nobody could say yet: these stay unlooked-at."""
    again: datetime | None = None
    """When to ask again."""


@dataclass(frozen=True, slots=True)
class QuestionState:
    """What the reactions on a conversation's cards say of a further question."""

    task: str
    lead_label: "LeadLabel | None" = None
    """None: leads say nothing of it."""
    decision: Decision | None = None
    """None: its answer stays."""


@dataclass(frozen=True, slots=True)
class CardState:
    """What the reactions on a conversation's cards amount to now."""

    lead_label: "LeadLabel | None" = None
    """What leads say of the team; None: nothing."""
    taken_by: Person | None = None
    done: bool = False
    questions: tuple[QuestionState, ...] = ()
    effects: Effects = field(default_factory=Effects)
    """What follows from the answers."""
    looked: bool = False
    """Somebody of the team looked at the card: what was held back is sent."""
    lacks_topic: bool = False
    """Its team has topics, and nobody said yet which it is."""


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
    """What that post says by now."""
    card: StandingCard | None = None
    note: Note | None = None
    """The note that an `Offer` is about."""
    sent: bool = False
    """That note is with the person already."""
    under: StandingCard | None = None
    """The card in whose thread the button is, struck by now or not; None: in no card's."""
    answers: tuple[Decision, ...] = ()
    """As in `PendingReactions`."""


@dataclass(frozen=True, slots=True)
class Button:
    """Who may press a button of ours, for a platform that has to say at once why it does nothing."""

    room: Place
    settled: bool
    """What it asked has been answered."""
    whose: Person | None = None
    """The one person who may; None: people of the team."""
    for_leads: bool = False
    """Only leads of the team may."""
    label: str | None = None
    of_all_teams: bool = False
    """And only those who are leads of all teams."""


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
    """This message, and what its person wrote since, becomes a request of its own."""

    message: MessageRef


@dataclass(frozen=True, slots=True)
class Dispatched:
    """This note is sent; the reply is among the posts."""

    note: int


Meaning = Chosen | Stated | Settled | SplitOff | Dispatched | None
"""What a press means; None: nothing (a stranger's, too late, forged)."""


@dataclass(frozen=True, slots=True)
class PendingFollowUp:
    """A claimed message that its person wrote after the decision, with the card it belongs under."""

    message: Message
    conversation: Conversation
    card: StandingCard | None
    asking: tuple[tuple[int, Asking], ...] = ()
    """As in `PendingReactions.asking`."""
    id: int = 0


@dataclass(frozen=True, slots=True)
class PendingNote:
    """A claimed note, or one that somebody put the sending emoji on, with its conversation."""

    id: int
    note: Note
    conversation: Conversation
    sent: bool = False
    """It is with the person already."""
    standing: tuple[Reaction, ...] = ()
    """Reactions on it that are in place now, oldest first: whether one of them sends it, the emoji say."""
    card: StandingCard | None = None
    """The conversation's standing card; the note may stand under an older one."""
    asking: tuple[tuple[int, Asking], ...] = ()
    """As in `PendingReactions.asking`: among them the offer to send this note."""
    under: StandingCard | None = None
    """The card in whose thread the note stands, struck by now or not."""


@dataclass(frozen=True, slots=True)
class PendingEdit:
    """A claimed message, or note, whose words were changed or deleted after they had been passed on."""

    id: int
    conversation: Conversation
    message: Message | Note
    """With its new words; empty when it was deleted."""
    deleted: bool
    card: StandingCard | None
    decided: bool
    """It is part of what the decision rests on: the card shows it."""
    carried: tuple[int, FollowUp | Reply] | None = None
    """The post that passed it on and what that says now; None: none did."""
    text: str = ""
    """What the card's excerpt is now: all that the decision rests on, with the new words."""
    media: tuple[Media, ...] = ()
    """All that is attached to what the decision rests on, by now."""
    cards: tuple[StandingCard, ...] = ()
    """Every card it ever had, struck ones and one on its way, too: deleted words are taken off all of them."""
    alerts: tuple[StandingAlert, ...] = ()
    """What other rooms were told of it: copies of the card follow it."""


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
    """How long its team has, where that is less than any other has."""


@dataclass(frozen=True, slots=True)
class UnansweredConversation:
    """A claimed conversation whose team is known, and about which a further question is still to be answered."""

    conversation: Conversation
    text: str
    vector: Sequence[float] | None
    embedder: str | None
    """By which the vector was made."""
    answers: tuple[Decision, ...] = ()
    """What was answered before."""
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
    """When we took it in, by our own clock; None: `at` is by that clock, too."""


@dataclass(frozen=True, slots=True)
class LeadLabel:
    """What the leads' standing statements amount to."""

    label: str
    lead: Person
    at: datetime
    confirms: bool
    """The label is what had been decided without them."""
    disputed: bool
    """Leads name different labels: the last one routes, but nothing is learned from it until they agree."""
    agreeing: int = 1
    """How many leads say so."""


def label_by_leads(marks: Sequence[Mark], first_label: str) -> LeadLabel | None:
    """The last statement wins; None when no lead has spoken. Order of arrival does not matter, only `at`."""
    if not marks:
        return None
    # Two platforms have two clocks: what was said on both is put in order by ours
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
    )
