"""A small training run of sentences for three teams."""

from datetime import UTC, datetime
from pathlib import Path

from bot.domain.learning import Example, Side, Source
from bot.domain.model_ports import TrainingRun
from bot.domain.tasks import Label, Task

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SAID = {
    "billing": ("my card was charged", "where is my refund", "the invoice is wrong", "charged my money", "refund card"),
    "shipping": ("my parcel is late", "courier lost it", "delivery tracking", "where is the parcel", "late courier"),
    "access": ("my password is locked", "login code", "account locked", "cannot login", "new password for account"),
}
TASK = Task(
    name="routing",
    question="Which team should handle this message?",
    labels=tuple(Label(name, f"Everything about {name}") for name in SAID),
    fallback="billing",
)


def a_run(
    folder: Path, base: Path, alphabet: tuple[str, ...] = ("<label_000>", "<label_001>", "<label_002>")
) -> TrainingRun:
    """Fifteen examples of three teams, to be trained in `folder`."""
    said = [(text, label) for label, texts in SAID.items() for text in texts]
    examples = tuple(Example(text, label, Source.SEED, Side.TRAIN, NOW) for text, label in said)
    return TrainingRun(folder, base, TASK, dict(zip(SAID, alphabet, strict=True)), examples)
