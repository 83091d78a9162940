"""The questions that are asked of every conversation, and their possible answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.consequences import Consequences
from bot.domain.guards import Guards
from bot.domain.hours import Hours
from bot.domain.messages import Place

_ABBREVIATION = 2
NOT_A_REQUEST = "not_a_request"
"""The routing task's label for what asks nobody for anything: it has no room, and a reserved name."""
PROMISED = 0.95
"""The share of unasked decisions that must be right, unless the settings say otherwise."""


@dataclass(frozen=True, slots=True)
class Label:
    """One answer to a task. A team is a label that has an address."""

    name: str
    means: str
    examples: tuple[str, ...] = ()
    emoji: Mapping[str, str] = field(default_factory=dict)
    """Platform -> the emoji that stands for this label there, in the platform's normal form."""
    deliver_to: Mapping[str, Place] = field(default_factory=dict)
    """Platform -> the team's room there. Empty: the label is only recorded."""
    title: str = ""
    """What people read for the team; empty: the name."""
    leads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Platform -> who may correct this team's cards, besides the platform's own leads."""
    hours: Hours | None = None
    """When the team is there; None: always."""
    unasked_right: float | None = None
    """A promise of its own (see `Task.unasked_right`); None: the task's."""
    consequences: Consequences = field(default_factory=Consequences)
    """What follows from it, if it answers a further question."""
    team: str = ""
    """The team that this is a topic of; empty: it is no topic."""

    @property
    def is_no_request(self) -> bool:
        """Whether this is the reserved label for what nobody has to act upon, and so no team."""
        return self.name == NOT_A_REQUEST

    def open_at(self, now: datetime) -> bool:
        """Whether the team is there."""
        return self.hours is None or self.hours.open_at(now)

    @property
    def shown(self) -> str:
        """What people read. A name of two letters is an abbreviation: "IT writes", not "it writes"."""
        return self.title or (self.name.upper() if len(self.name) <= _ABBREVIATION else self.name)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What emoji mean besides teams, on a card or on a note under it. Platform -> emoji in its normal form."""

    take: Mapping[str, str] = field(default_factory=dict)
    """On a card: somebody has taken it."""
    done: Mapping[str, str] = field(default_factory=dict)
    """On a card: it is dealt with."""
    wrong: Mapping[str, str] = field(default_factory=dict)
    """On a card, by a lead: the wrong team; the teams are offered as buttons."""
    send: Mapping[str, str] = field(default_factory=dict)
    """On a note: send it to the person."""
    send_prefix: str = "reply:"
    """A note that begins with it is sent to the person at once."""
    request: Mapping[str, str] = field(default_factory=dict)
    """On any message of a channel of requests, by anybody: make a request of it."""
    no_request: Mapping[str, str] = field(default_factory=dict)
    """On a card, by a lead: nobody is asked to do anything; it closes, and this is learned."""


@dataclass(frozen=True, slots=True)
class Learning:
    """When and how a task learns from its corrections."""

    schedule: str = "0 3 * * *"
    """Cron, five fields, or a macro like `@daily`."""
    min_corrections: int = 25
    timezone: str = "UTC"
    """The time zone of the schedules."""
    out_of_scope: tuple[str, ...] = ()
    """Messages that belong to no team; a new model must not answer them unasked more often than the old one."""
    automatic_rollback: bool = True
    """Whether a model that the gate let serve is rolled back when leads correct it more than the one before."""
    shadow: bool = False
    """Whether the newest candidate that the gate refused is asked about incoming requests, too, without answering."""
    canary: float = 0.0
    """The share of the requests that a candidate serves first once the gate let it through; 0: all at once."""
    silent_signals: float = 0.0
    """The share that what people show without saying it may add to each team's examples; 0: none."""
    preference: float = 0.0
    """How much a training prefers the right label to the one that the model would choose instead, beside learning it;
    0: not at all."""
    digest: str = "0 9 * * mon"
    """When leads get the week's figures, as cron; empty: never."""
    comparison: str = "0 6 * * mon"
    """When to compare the fine-tuned model with others and to report to leads, as cron; empty: never."""
    ask_above_minutes: float = 60.0
    """A command whose training takes longer asks first."""
    price_per_hour: float = 0.0
    """The price of the training machine, in any currency; 0: not counted."""
    guards: Guards = field(default_factory=Guards)
    """Which corrections wait for a second lead before they are learned."""


@dataclass(frozen=True, slots=True)
class Task:
    """A question asked of every conversation."""

    name: str
    question: str
    labels: tuple[Label, ...]
    fallback: str
    """The label for what cannot be decided."""
    ask_below: float | None = None
    """The calibrated probability below which the person is asked, with whatever effect; None: it is fitted, so that the
    promise is kept."""
    learning: Learning = Learning()
    unasked_right: float = PROMISED
    """The promise: the share of decisions made without asking that must be right."""

    part_of: str = ""
    """The question that several labels may answer at once; this task asks for one of them: "yes" or "no"."""
    suggests: bool = False
    """Whether its labels are what could be offered, and the fallback is to offer nothing; shown to the team if sure."""
    kind_word: bool = False
    """Whether people who asked nobody for anything get a sentence instead of silence."""

    @property
    def knows_no_request(self) -> bool:
        """Whether there is a label for what asks nobody for anything."""
        return any(label.is_no_request for label in self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels)

    @property
    def asks_topics(self) -> bool:
        """Whether its labels are topics, each of one team."""
        return any(label.team for label in self.labels)

    @property
    def leads_rooms(self) -> list[Place]:
        """The fallback team's rooms, where the leads are; none for a question, whose reports go where teams are."""
        return list(self.label(self.fallback).deliver_to.values())

    @property
    def routes(self) -> bool:
        """Whether an answer to this task sends the conversation somewhere."""
        return any(label.deliver_to for label in self.labels)

    def promised(self, name: str) -> float:
        """The share of unasked decisions on this label that must be right."""
        own = next((label.unasked_right for label in self.labels if label.name == name), None)
        return self.unasked_right if own is None else own

    def shown(self, name: str) -> str:
        """What people read for that label; the name itself if the settings no longer have it."""
        return next((label.shown for label in self.labels if label.name == name), name)

    def label(self, name: str) -> Label:
        """The label of that name. Raises KeyError if there is none."""
        for label in self.labels:
            if label.name == name:
                return label
        raise KeyError(name)

    def label_of_emoji(self, platform: str, emoji: str) -> str | None:
        """The label that this emoji means on this platform; None if it means nothing to us."""
        return next((label.name for label in self.labels if label.emoji.get(platform) == emoji), None)

    def address(self, name: str, platform: str) -> Place | None:
        """The room of the team: on the person's own platform if it has one there, else on the first it has.

        A team without a room is reached in the fallback's. None only if the fallback has no room either, and for what
        is no request, which no team gets.
        """
        if name == NOT_A_REQUEST:
            return None
        for candidate in (name, self.fallback):
            rooms = self.label(candidate).deliver_to
            if rooms:
                return rooms.get(platform) or next(iter(rooms.values()))
        return None


def routing_task(tasks: Iterable[Task]) -> Task | None:
    """The task whose labels are teams; None if there is none among these."""
    return next((task for task in tasks if task.routes), None)
