"""Everything that is held about one person: which kinds, how much of each, where, and the words in it."""

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
    """A kind of record."""

    CONVERSATION = "conversation"
    """A conversation that they opened: which team, when, and the text that was classified."""
    MESSAGE = "message"
    NOTE = "note"
    """A note that they wrote under a card."""
    POST = "post"
    """What we said about their conversations, to them and to teams, in every wording."""
    CITED = "cited"
    """Others' messages and notes that cite or mention them."""
    REACTION = "reaction"
    PRESS = "press"
    EXAMPLE = "example"
    """Labelled texts from their conversations."""
    RULING = "ruling"
    """Corrections that they made as a lead."""
    TAKEN = "taken"
    """Others' conversations that they took."""
    PREFERENCE = "preference"
    FAILED = "failed"
    """Facts of theirs that could not be stored."""


@dataclass(frozen=True, slots=True)
class PersonalRecord:
    """One record."""

    kind: Held
    id: int
    where: str
    """The platform and chat, or the task, that it belongs to."""
    at: datetime | None
    label: str | None
    """The team or label that it got, the emoji, or the button."""
    text: str
    """The words in it; empty: none, or no longer any."""
    conversation: int | None = None


@dataclass(frozen=True, slots=True)
class PersonalRecords:
    """All records about somebody."""

    person: Person
    names: Sequence[str]
    """The names that they have in the records."""
    records: Sequence[PersonalRecord]
    adapters: Sequence[str]
    """Adapters that may have learned from a text of theirs."""

    def counts(self) -> Mapping[tuple[Held, str], tuple[int, int]]:
        """(kind, where) -> (how many, how many of them hold words), in the order of the kinds."""
        every = Counter((one.kind, one.where) for one in self.records)
        worded = Counter((one.kind, one.where) for one in self.records if one.text)
        kinds = list(Held)
        return {key: (every[key], worded[key]) for key in sorted(every, key=lambda key: (kinds.index(key[0]), key[1]))}


class PersonalRecordsReader(Protocol):
    """Finds records about a person."""

    async def held_about(self, person: Person) -> PersonalRecords:
        """All records, oldest first within a kind. Words of others that cite them belong to those and are left out."""


def words_of(said: Content) -> str:
    """The words that a post of ours quotes of somebody."""
    if isinstance(said, Card):
        return "\n".join([plain(said.excerpt), *(plain(what) for _, what in said.history)])
    return plain(said.text) if isinstance(said, FollowUp | Reply | Continuation | Offer | Sent) else ""
