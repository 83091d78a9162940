"""Posts to the leads that belong to no conversation: how trainings ended, and the week in figures."""

from dataclasses import dataclass

from bot.domain.messages import Media, MediaKind

PICTURE = Media("switchboard", "picture", MediaKind.PHOTO, "switchboard.png")
"""Stands for the picture of a report: it is on no platform, but drawn from the report's content."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A champion that was rolled back automatically, and the figures that decided it."""

    adapter: str
    decided: int
    corrected: int
    decided_before: int
    """Decisions by the adapter that serves again, while it served."""
    corrected_before: int


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate that served a share of the requests first, and how both sides' decisions fared."""

    share: float
    decided: int = 0
    corrected: int = 0
    decided_others: int = 0
    """Decisions by the champion meanwhile."""
    corrected_others: int = 0
    ended: bool = True
    """False: it has just begun."""


@dataclass(frozen=True, slots=True)
class LearningReport:
    """To the leads: a candidate was judged, and why it serves or not; or an adapter serves no longer, and why."""

    task: str
    adapter: str
    """The candidate; after a withdrawal or an unlearning, the adapter that serves instead, empty if none does."""
    promoted: bool
    reasons: tuple[str, ...]
    withdrawal: Withdrawal | None = None
    trial: Trial | None = None
    """Not None: it serves a share first, or did."""
    unlearned: str = ""
    """The adapter that serves no longer because somebody whose texts it had learned was forgotten."""


@dataclass(frozen=True, slots=True)
class Digest:
    """To the leads, once a week: how the sorting went. Counts and teams alone, nobody's words."""

    task: str
    days: tuple[int, ...]
    """Conversations a day, the oldest first, drawn as one picture."""
    decided: int
    """In the last seven days, like the next two."""
    moved: int
    asked: int
    pairs: tuple[tuple[str, str], ...]
    """(decided, belongs): the teams that were most often mistaken for others."""
    counts: tuple[int, ...]
    """How often, for each of the pairs."""
    groups: tuple[int, ...]
    """Sizes of the groups of messages about one thing that fit no team."""
    drifted: tuple[str, ...]
    """What has changed (`drift.Measure`)."""
    waiting: int
    """Conversations that deserve a look."""
    teams: tuple[tuple[str, int], ...] = ()
    """(team as people call it, the week's requests that it has), the most first; drawn as a picture."""


@dataclass(frozen=True, slots=True)
class ReportedArm:
    """The main figures of one way of deciding."""

    name: str
    accuracy: float
    low: float | None = None
    high: float | None = None
    """Ends of the 95 % interval of its accuracy minus that of what serves; None: it is what serves."""
    per_1000: float | None = None
    """What 1,000 decisions cost; None: there is no price."""


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """To the leads, once a week: whether the fine-tuned model is worth it. Figures alone, nobody's words."""

    task: str
    ruling: str
    """A `worth.Ruling`."""
    messages: int
    gain: float | None
    """Of the arm that the ruling is about, against what serves."""
    margin: float | None
    """Half the width of that gain's interval."""
    arms: tuple[ReportedArm, ...]
    currency: str


@dataclass(frozen=True, slots=True)
class ShadowCard:
    """To the leads: what a candidate that answers nobody would have done. It has buttons to promote it, to keep what
    serves and to have it explained, until somebody decides."""

    task: str
    adapter: str
    heard: int
    """Requests that it was asked about."""
    differently: int
    """Of these, those that it would have routed elsewhere."""
    agreed: int
    """Of these, those that leads moved to where it would have routed them."""
    decided: str = ""
    """Its fate, a `shadow_card.Fate`; empty: nobody has decided yet."""
    by: str = ""
    """Who decided, as their platform shows them."""


@dataclass(frozen=True, slots=True)
class ShadowExplanation:
    """Under such a card: why the gate did not let the candidate serve."""

    adapter: str
    messages: int
    """Held-out messages that both were asked."""
    right: float
    """The share that the candidate got right."""
    right_before: float
    """The share that what serves got right."""
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """To the leads: how far a training is. The verdict replaces it."""

    task: str
    adapter: str
    phase: str
    """A `learning.Phase`: it trains, is compared with what serves, or failed."""
    percent: int
    """Progress within that phase."""
    problem: str = ""
    """Why it failed."""
