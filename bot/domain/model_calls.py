"""What is reported of every call to a model server, for metrics."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class CallKind(StrEnum):
    """What a model server is asked for."""

    QUESTION = "question"
    """A question of somebody in a chat, who waits for the answer."""
    PATIENT = "patient_question"
    """A question of scoring, a command or the shadow, which have time."""
    LOAD = "load_adapter"
    UNLOAD = "unload_adapter"
    LIST = "list_models"


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call that ended."""

    kind: CallKind
    seconds: float
    failed: bool
    """Whether there was no answer, or a refusal."""
    sent: int = 0
    """Tokens of the prompts."""
    answered: int = 0
    """Tokens of the answers."""


SawCall = Callable[[ModelCall], None]


def unseen(call: ModelCall) -> None:
    """Ignore the call: the default where nothing counts calls."""
