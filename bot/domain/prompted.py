"""Models that are prompted instead of trained: their answers, and the ports to ask them."""

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
    """The question may have arrived, but its answer has not: it may be on the bill, and may be asked again."""


class MessageRefused(Refused):
    """This message gets no answer; others may."""


class Fault(StrEnum):
    """Why an answer counts as none. The values are used in notes: "12 answers are prose"."""

    PROSE = "are prose or name no label"
    CUT = "were cut off by max_tokens"
    REFUSED = "were refused for that message alone (its length, or a content filter)"


@dataclass(frozen=True, slots=True)
class Told:
    """A prompted model's answer to one message, without a word of either."""

    label: str
    """`NO_ANSWER` where it named no label."""
    probabilities: Mapping[str, float]
    """For the labels that it gave one; empty: it gives none."""
    tokens_in: int | None
    """None: the endpoint did not report it."""
    tokens_out: int | None
    milliseconds: float | None
    """None: it was asked together with others, so the time of one is not known."""
    fault: Fault | None = None
    shots: int = 0
    """How many examples fitted in the prompt."""

    @property
    def answered(self) -> bool:
        return self.label != NO_ANSWER


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply of a chat endpoint."""

    content: str
    tokens_in: int | None
    tokens_out: int | None
    probability: float | None
    """The answer's probability, from its tokens' log-probabilities; None: the endpoint gives none."""
    cut: bool
    """Whether it was cut off at `max_tokens`."""
    milliseconds: float


_LONGEST_LABEL = 200
_MARKS = " \n\t*_`\"'"
"""Characters that models put around a word to set it apart."""


def label_in(content: str, labels: LabelReader) -> str:
    """The label that the answer consists of, in any case; `NO_ANSWER` for a sentence, even if it contains a label."""
    answer = content.strip(_MARKS)
    return (labels.read(answer) if 0 < len(answer) <= _LONGEST_LABEL else None) or NO_ANSWER


class ChatModel(Protocol):
    """A chat endpoint."""

    @property
    def identity(self) -> str:
        """A string that changes whenever the same prompt may get another answer."""

    def prompt(self, task: Task, text: str, examples: Sequence[Shown]) -> str:
        """The prompt for this text."""

    async def ask(self, prompt: str) -> Reply:
        """One attempt.

        Raises Unreachable when another may succeed, Unheard where this one may be on the bill all the same,
        MessageRefused for this message alone, and Refused for every message.
        """


@dataclass(frozen=True, slots=True)
class Distributed:
    """A distribution over the labels, with the size of its prompt."""

    probabilities: Mapping[str, float]
    tokens: int
    shots: int
    """How many examples fitted in the prompt."""


Asked = tuple[str, Sequence[Shown]]
"""A message, and the examples that are shown with it."""


class PromptedBase(Protocol):
    """A base model behind a vLLM server, asked with examples instead of being trained."""

    @property
    def identity(self) -> str:
        """A string that changes whenever the same prompt may get another answer."""

    async def ask(self, task: Task, asked: Sequence[Asked]) -> list[Distributed]:
        """Exact distributions, one for each message.

        Raises NotTrained for a base that cannot be prompted, Refused where the task's labels are too many or too long
        for it, and Unreachable when the server is silent.
        """


class AnswerCache(Protocol):
    """Answers that were paid for, with time or money. It holds digests, labels and counts, and no text."""

    def known(self, key: str) -> Told | None:
        """The answer under this digest; None: there is none."""

    def keep(self, key: str, told: Told) -> None:
        """Store the answer, for this process and others, also after an interruption."""
