"""Models that are prompted instead of trained: what they answer, and what asks them. Ports, too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.domain.errors import Refused, Unreachable
from bot.domain.example_files.labels import LabelReader
from bot.domain.few_shot import Shown
from bot.domain.predictions import NO_ANSWER
from bot.domain.tasks import Task


class Unheard(Unreachable):
    """The question may have arrived, its answer has not: it may be on the bill, and may be asked again."""


class MessageRefused(Refused):
    """This message is not answered; others may be."""


class Fault(StrEnum):
    """Why an answer counts as none. The words stand in notes: "12 answers are prose"."""

    PROSE = "are prose or name no label"
    CUT = "were cut off by max_tokens"
    REFUSED = "were refused for that message alone (its length, or a content filter)"


@dataclass(frozen=True, slots=True)
class Told:
    """What a prompted model answered to one message, without a word of either."""

    label: str
    """`NO_ANSWER` where it named none."""
    probabilities: Mapping[str, float]
    """Of the labels that it gave one; empty: it tells none."""
    tokens_in: int | None
    """None: it did not say."""
    tokens_out: int | None
    milliseconds: float | None
    """None: it was asked together with others, so nobody can tell."""
    fault: Fault | None = None
    shots: int = 0
    """How many examples had room."""

    @property
    def answered(self) -> bool:
        return self.label != NO_ANSWER


@dataclass(frozen=True, slots=True)
class Reply:
    """What a chat endpoint sent back."""

    content: str
    tokens_in: int | None
    tokens_out: int | None
    probability: float | None
    """Of this very answer, by its tokens' log-probabilities; None: it tells none."""
    cut: bool
    """Whether it ran into `max_tokens`."""
    milliseconds: float


_LONGEST_LABEL = 200
_MARKS = " \n\t*_`\"'"
"""What models put around a word that is meant to stand alone."""


def label_in(content: str, labels: LabelReader) -> str:
    """The label that an answer is, in whatever case; `NO_ANSWER` for a sentence, though a label be in it."""
    answer = content.strip(_MARKS)
    return (labels.read(answer) if 0 < len(answer) <= _LONGEST_LABEL else None) or NO_ANSWER


class ChatModel(Protocol):
    """A chat endpoint."""

    @property
    def identity(self) -> str:
        """Changes whenever the same prompt may be answered otherwise."""

    def prompt(self, task: Task, text: str, examples: Sequence[Shown]) -> str:
        """What it is asked."""

    async def ask(self, prompt: str) -> Reply:
        """One attempt.

        Raises Unreachable when another may succeed, Unheard where this one may be on the bill all the same,
        MessageRefused for this message alone, and Refused for every message.
        """


@dataclass(frozen=True, slots=True)
class Distributed:
    """A distribution over the labels, and what it took."""

    probabilities: Mapping[str, float]
    tokens: int
    shots: int
    """How many examples had room."""


Asked = tuple[str, Sequence[Shown]]
"""A message, and the examples that are shown with it."""


class PromptedBase(Protocol):
    """A base model behind a vLLM server, asked with examples instead of being trained."""

    @property
    def identity(self) -> str:
        """Changes whenever the same prompt may be answered otherwise."""

    async def ask(self, task: Task, asked: Sequence[Asked]) -> list[Distributed]:
        """Exact distributions, one a message.

        Raises NotTrained for a base that cannot be prompted, Refused where the task's labels are too many or too long
        for it, Unreachable when the server is silent.
        """


class AnswerCache(Protocol):
    """Answers that were paid for, with time or money. It knows digests, labels and counts, and no text."""

    def known(self, key: str) -> Told | None:
        """The answer under this digest; None: there is none."""

    def keep(self, key: str, told: Told) -> None:
        """Another process, or this one after an interruption, finds it from now on."""
