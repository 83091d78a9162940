"""What the further questions add to what we say: answers on a card, and word of them in other rooms."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.messages import MessageRef, Place


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """On a card: what was answered to a further question about its conversation, and what follows from that."""

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
    """What follows from it now: `consequences.Follows`."""
    minutes: int = 0
    """Of the shorter clock, if one follows."""
    tell: tuple[Place, ...] = ()
    """Rooms that hear of it once the card stands."""
    also_to: tuple[Place, ...] = ()
    """Rooms that get a copy of the card once it stands."""
    disputed: bool = False
    """Leads say different things; nothing is learned until they agree."""
    held: str = ""
    """Why what a lead said teaches nobody until a second one agrees, a `guards.Held`; empty: it teaches."""
    team: str = ""
    """The team that it is a topic of: on another team's card it says nothing. Empty: it is no topic."""
    part_of: str = ""
    """The question that several labels may answer at once; empty: it is the one answer to its question."""
    absent: bool = False
    """It is none of those: nothing to show, but leads may add it."""
    suggests: bool = False
    """It is something that could be offered to whoever wrote: for the team's eyes."""
    means: str = ""
    """Of a suggestion the sentence of the settings."""
    solved: float = 0.0
    """Of a suggestion the share of similar requests, solved before, on whose cards it stood; 0: there were none."""


def on_a_card_of(team: str, answers: Iterable[QuestionAnswer]) -> tuple[QuestionAnswer, ...]:
    """What of these a card of that team shows: no topics of others."""
    return tuple(one for one in answers if one.team in ("", team))


def present(answers: Iterable[QuestionAnswer]) -> tuple[QuestionAnswer, ...]:
    """Those that there is something to show of."""
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
    """Where its card stands; None: nowhere yet."""
    copies: bool = False
    """It is a copy of the card, with the person's words; otherwise there are none of them in it."""
    author: str = ""
    excerpt: str = ""
    withdrawn: bool = False
    """The answer is another by now."""
