"""The names that others give to the sides of a data set."""

from bot.domain.learning import Side

_TRAINING = frozenset({"train", "training", "trn", "learn"})
_STEERING = frozenset({"valid", "validation", "val", "dev", "devel", "development"})
_TESTING = frozenset({"test", "testing", "tst", "eval", "evaluation", "heldout", "holdout"})
KNOWN = "train, valid, test, held-out"


def side_named(written: str) -> Side | None:
    """The side; None for an unknown name."""
    name = _plain(written)
    if name in _TRAINING:
        return Side.TRAIN
    return Side.HELD_OUT if name in _TESTING | _STEERING else None


def is_testing(written: str) -> bool:
    """Whether the row is meant for the final test, and not for steering."""
    return _plain(written) in _TESTING


def _plain(written: str) -> str:
    return "".join(sign for sign in written.lower() if sign.isalnum())
