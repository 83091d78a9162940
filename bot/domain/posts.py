"""What we owe a chat: facts to be said, in no language and no markup. Platforms render them."""

from dataclasses import dataclass

from bot.domain.messages import MessageRef, Place

OTHER = "other"
"""The value of the button "something else". A candidate's button carries its position: "0", "1", "2"."""


@dataclass(frozen=True, slots=True)
class Answer:
    """To the person: this team has it."""

    label: str
    language: str | None
    remembered: bool = False
    """A lead's correction of a similar message decided this."""
    undecided: bool = False
    """The fallback team has it: a person there will find the right team."""


@dataclass(frozen=True, slots=True)
class Question:
    """To the person, at most once: which of these teams, or something else?"""

    candidates: tuple[str, ...]
    language: str | None
    answered: str | None = None
    """The label it ended with: the buttons vanish. None while the question is open."""
    chosen: bool = False
    """The person chose it; otherwise it was settled without them."""


@dataclass(frozen=True, slots=True)
class WordsPlease:
    """To the person: there was nothing to read; say it in words."""

    language: str | None


@dataclass(frozen=True, slots=True)
class Moved:
    """To the person: another team has it now."""

    label: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """In the team's room: stands for a conversation; reactions land on it."""

    conversation: int
    label: str
    excerpt: str
    author: str
    """The person's name as their platform shows it."""
    source: MessageRef
    by: str
    """A `decisions.Author`."""
    reason: str
    """A `decisions.Reason`."""
    confidence: float
    adapter: str | None
    legend: tuple[tuple[str, str], ...]
    """(emoji of the card's platform, label) for every label a lead can move it to."""
    moved_to: str | None = None
    """Not None: the card is struck through; the conversation lives in that team's room now."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """In the card's thread: what the person wrote next."""

    author: str
    text: str


@dataclass(frozen=True, slots=True)
class LearningReport:
    """To the leads: a candidate was judged, and why it serves or not."""

    task: str
    adapter: str
    promoted: bool
    reasons: tuple[str, ...]


Content = Answer | Question | WordsPlease | Moved | Card | FollowUp | LearningReport
KINDS: dict[str, type[Content]] = {
    kind.__name__: kind for kind in (Answer, Question, WordsPlease, Moved, Card, FollowUp, LearningReport)
}


@dataclass(frozen=True, slots=True)
class Post:
    """Something to be said in a place; or, with `edits`, something already said to be changed."""

    place: Place
    content: Content
    edits: int | None = None
    """The post (its id in the outbox) that this one rewrites; it has been delivered by then."""
    under: int | None = None
    """The post whose thread this belongs in (a follow-up under a card); None: `place` says it all."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A post claimed for delivery, with what the platform needs to say it."""

    id: int
    post: Post
    attempt: int
    """1 the first time."""
    edits: MessageRef | None = None
    """Receipt of the post to rewrite."""
    under: MessageRef | None = None
    """Receipt of the post whose thread it belongs in."""
