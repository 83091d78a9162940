"""Everything that is held about one person: of what kinds, how much of each, where, and the words in it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.messages import Person
from bot.domain.posts import Card, Content, Continuation, FollowUp, Offer, Reply, Sent
from bot.domain.rich_text import plain


class Held(StrEnum):
    """What is held."""

    CONVERSATION = "conversation"
    """That they opened: which team, when, and what was classified."""
    MESSAGE = "message"
    NOTE = "note"
    """That they wrote under a card."""
    POST = "post"
    """What we said about their conversations, to them and to teams, in every wording."""
    CITED = "cited"
    """Messages and notes of others that cite or mention them."""
    REACTION = "reaction"
    PRESS = "press"
    EXAMPLE = "example"
    """Labelled texts made of their conversations."""
    RULING = "ruling"
    """Corrections that they made as a lead."""
    TAKEN = "taken"
    """Conversations of others that they took."""
    PREFERENCE = "preference"
    FAILED = "failed"
    """Facts of theirs that could not be stored."""


@dataclass(frozen=True, slots=True)
class PersonalRecord:
    """One thing that is held."""

    kind: Held
    id: int
    where: str
    """The platform and chat, or the task, that it belongs to."""
    at: datetime | None
    label: str | None
    """The team or label that it was given, the emoji, or the button."""
    text: str
    """The words in it; empty: none, or none any more."""
    conversation: int | None = None


@dataclass(frozen=True, slots=True)
class PersonalRecords:
    """What is held about somebody."""

    person: Person
    names: Sequence[str]
    """What they are called in it."""
    records: Sequence[PersonalRecord]
    adapters: Sequence[str]
    """That may have learned from a text of theirs."""

    def counts(self) -> Mapping[tuple[Held, str], tuple[int, int]]:
        """(kind, where) -> (how many, how many of them hold words), in the order of the kinds."""
        every = Counter((one.kind, one.where) for one in self.records)
        worded = Counter((one.kind, one.where) for one in self.records if one.text)
        kinds = list(Held)
        return {key: (every[key], worded[key]) for key in sorted(every, key=lambda key: (kinds.index(key[0]), key[1]))}


class PersonalRecordsReader(Protocol):
    """Finds what is held."""

    async def held_about(self, person: Person) -> PersonalRecords:
        """Everything, oldest first within a kind. Others' words that cite them are theirs, and are left out."""


def words_of(said: Content) -> str:
    """What a post of ours quotes of somebody."""
    if isinstance(said, Card):
        return "\n".join([plain(said.excerpt), *(plain(what) for _, what in said.history)])
    return plain(said.text) if isinstance(said, FollowUp | Reply | Continuation | Offer | Sent) else ""
