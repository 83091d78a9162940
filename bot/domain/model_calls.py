"""What is told of every call to a model server, for whoever counts."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class CallKind(StrEnum):
    """What a model server is asked."""

    QUESTION = "question"
    """By somebody in a chat, who waits for the answer."""
    PATIENT = "patient_question"
    """By scoring, a command or the shadow, which have time."""
    LOAD = "load_adapter"
    UNLOAD = "unload_adapter"
    LIST = "list_models"


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call that ended."""

    kind: CallKind
    seconds: float
    failed: bool
    """No answer, or a refusal."""
    sent: int = 0
    """Tokens of the prompts."""
    answered: int = 0
    """Tokens of the answers."""


SawCall = Callable[[ModelCall], None]


def unseen(call: ModelCall) -> None:
    """Nobody wants to know."""
