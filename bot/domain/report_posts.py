"""Posts to the leads that belong to no conversation: what became of a training, and the week in figures."""

from dataclasses import dataclass

from bot.domain.messages import Media, MediaKind

PICTURE = Media("switchboard", "picture", MediaKind.PHOTO, "switchboard.png")
"""What stands for the picture of a report: no platform has it, it is drawn from what the report says."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A champion that went back by itself, and the figures that it did so on."""

    adapter: str
    decided: int
    corrected: int
    decided_before: int
    """By the one that serves again, while it served."""
    corrected_before: int


@dataclass(frozen=True, slots=True)
class LearningReport:
    """To the leads: a candidate was judged, and why it serves or not; or a champion was withdrawn, and why."""

    task: str
    adapter: str
    """The candidate; of a withdrawal, who serves again."""
    promoted: bool
    reasons: tuple[str, ...]
    withdrawal: Withdrawal | None = None


@dataclass(frozen=True, slots=True)
class Digest:
    """To the leads, once a week: how the sorting went. Counts and teams alone, nobody's words."""

    task: str
    days: tuple[int, ...]
    """Conversations a day, the oldest first, drawn as one picture."""
    decided: int
    """Of the last seven days, as the next two."""
    moved: int
    asked: int
    pairs: tuple[tuple[str, str], ...]
    """(decided, belongs): who was most often taken for whom."""
    counts: tuple[int, ...]
    """How often, for each of the pairs."""
    groups: tuple[int, ...]
    """Sizes of the groups of messages about one thing that fit no team."""
    drifted: tuple[str, ...]
    """What has changed (`drift.Measure`)."""
    waiting: int
    """Conversations that deserve a look."""
    teams: tuple[tuple[str, int], ...] = ()
    """(team as people call it, the week's requests that are with it), the most first; drawn as a picture."""


@dataclass(frozen=True, slots=True)
class ReportedArm:
    """One way of deciding, in short."""

    name: str
    accuracy: float
    low: float | None = None
    high: float | None = None
    """Ends of the 95 % interval of what it is right more or less often than what serves; None: it is what serves."""
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
    """Of whom the ruling is about, against what serves."""
    margin: float | None
    """Half the width of that gain's interval."""
    arms: tuple[ReportedArm, ...]
    currency: str
