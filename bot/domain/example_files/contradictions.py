"""One text with two labels, or on two sides, within a file: which lines contradict, and which of them counts."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.learning import Example, text_key

Numbered = tuple[int, Example]
"""An example and the line in which it begins."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Lines that contradict each other about one text, in order; `counts` is the number of the line that counts."""

    lines: tuple[Numbered, ...]
    counts: int

    def __str__(self) -> str:
        said = ", ".join(f"line {number} says {one.label} ({one.side.value})" for number, one in self.lines)
        return f"one text, two answers: {said}; line {self.counts} counts"


def settled(numbered: Sequence[Numbered]) -> tuple[list[Example], list[Contradiction]]:
    """(one example a text: the latest, and of equal times the last in the file; the contradictions)."""
    by_text: dict[str, list[Numbered]] = {}
    for number, example in numbered:
        by_text.setdefault(text_key(example.text), []).append((number, example))
    kept: list[Example] = []
    found: list[Contradiction] = []
    for same in by_text.values():
        number, counts = max(same, key=lambda one: (one[1].at, one[0]))
        kept.append(counts)
        if len({(example.label, example.side) for _, example in same}) > 1:
            found.append(Contradiction(tuple(same), number))
    return kept, found
