"""What the further questions add to our posts: answers on a card, and alerts in other rooms."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.messages import MessageRef, Place


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """On a card: the answer to a further question about its conversation, and its consequences."""

    task: str
    label: str
    title: str
    """What people read for the label."""
    confidence: float
    by: str
    """A `decisions.Author`."""
    legend: tuple[tuple[str, str, str], ...] = ()
    """(platform, emoji, title) of every label that a lead can name with an emoji."""
    follows: tuple[str, ...] = ()
    """Its present consequences, each a `consequences.Follows`."""
    minutes: int = 0
    """The shorter time to take it, if it has one."""
    tell: tuple[Place, ...] = ()
    """Rooms that are alerted once the card is posted."""
    also_to: tuple[Place, ...] = ()
    """Rooms that get a copy of the card once it is posted."""
    disputed: bool = False
    """Whether leads disagree; nothing is learned until they agree."""
    held: str = ""
    """Why a lead's statement is not learned until a second one agrees, a `guards.Held`; empty: it is learned."""
    team: str = ""
    """The team that it is a topic of; on another team's card it is not shown. Empty: it is no topic."""
    part_of: str = ""
    """The question that several labels may answer at once; empty: it is the only answer to its question."""
    absent: bool = False
    """Whether the label does not apply: there is nothing to show, but leads may add it."""
    suggests: bool = False
    """Whether it is a suggestion of what could be offered to the person: for the team to see."""
    means: str = ""
    """For a suggestion its sentence in the settings."""
    solved: float = 0.0
    """For a suggestion the share of similar solved requests that had it on their card; 0: there were none."""


def on_a_card_of(team: str, answers: Iterable[QuestionAnswer]) -> tuple[QuestionAnswer, ...]:
    """Those that a card of that team shows: no topics of other teams."""
    return tuple(one for one in answers if one.team in ("", team))


def present(answers: Iterable[QuestionAnswer]) -> tuple[QuestionAnswer, ...]:
    """The answers that a card has something to show of."""
    return tuple(one for one in answers if not one.absent)


@dataclass(frozen=True, slots=True)
class Alert:
    """In a room that the settings name: a conversation got this answer to a further question."""

    task: str
    label: str
    title: str
    confidence: float
    by: str
    """A `decisions.Author`."""
    team: str
    """The team that has the conversation."""
    card: MessageRef | None
    """Its card; None: it is not posted yet."""
    copies: bool = False
    """Whether it is a copy of the card, with the person's words; otherwise it has none of them."""
    author: str = ""
    excerpt: str = ""
    withdrawn: bool = False
    """Whether the answer has changed since."""
