"""A text says whether there is enough to learn from."""

from bot.domain.enough import too_little
from bot.domain.learning import Example, Side, Source
from tests.samples import NOW, TASK


def some(label: str, train: int, held_out: int) -> list[Example]:
    sides = [Side.TRAIN] * train + [Side.HELD_OUT] * held_out
    return [Example(f"{label} {n}", label, Source.IMPORT, side, NOW) for n, side in enumerate(sides)]


def test_ten_examples_are_too_little_in_every_respect() -> None:
    said = list(too_little(TASK, some("it", 8, 2)))
    assert said == [
        "few examples to learn from: billing (0), delivery (0), it (8), triage (0); 60 a label are a good start",
        "8 examples leave none to steer by: when to stop and how sure to be are guessed",
        "2 held-out examples to judge by; from 30 on a figure means something",
    ]


def test_enough_is_not_mentioned() -> None:
    plenty = [one for name in TASK.names for one in some(name, 100, 20)]
    assert list(too_little(TASK, plenty)) == []


def test_one_poor_label_is_named_alone() -> None:
    examples = [one for name in TASK.names for one in some(name, 19 if name == "it" else 200, 20)]
    assert list(too_little(TASK, examples)) == ["few examples to learn from: it (19); 60 a label are a good start"]
