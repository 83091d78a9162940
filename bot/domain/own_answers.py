"""Answers of our own voices to the messages of a comparison, kept so that an interrupted one can go on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.domain.decisions import Decision


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """A decision on one message, without a word of it."""

    label: str
    probabilities: Mapping[str, float]
    asks: bool
    """Whether it would ask the person."""
    language: str | None = None
    heard: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    """Voice -> the label that it finds likeliest, with its probability."""


class OwnAnswers(Protocol):
    """Keeps answers, each under a digest of the message and of everything that had a say in the answer."""

    def known(self, key: str) -> OwnAnswer | None:
        """The answer; None: it was not asked before."""

    def keep(self, key: str, answer: OwnAnswer) -> None:
        """Keep the answer."""


def of_decision(made: Decision) -> OwnAnswer:
    """The part of a decision that is compared."""
    heard = {one.voice: (one.label, one.probability) for one in made.voices}
    return OwnAnswer(made.label, made.probabilities, bool(made.candidates), made.language, heard)


@dataclass(frozen=True, slots=True)
class Unkept:
    """Keeps them as long as the comparison lasts."""

    answers: dict[str, OwnAnswer] = field(default_factory=dict)

    def known(self, key: str) -> OwnAnswer | None:
        """See `OwnAnswers`."""
        return self.answers.get(key)

    def keep(self, key: str, answer: OwnAnswer) -> None:
        """See `OwnAnswers`."""
        self.answers[key] = answer


_: type[OwnAnswers] = Unkept
