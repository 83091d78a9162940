"""What a file is made of before anybody knows what it means: rows of named fields, and lines that are none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that holds no example, and why."""

    number: int
    problem: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.problem}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A line that is left out because somebody asked for it, in the file or by a flag."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """Named fields as they stand in the file."""

    number: int
    """The line it begins in, from 1."""
    fields: Mapping[str, object]
    verbatim: bool = False
    """Its text is what somebody wrote (our own export, a chat line), so that no markup is looked for in it."""


Line = Row | BadLine | LeftOut
Recognised = Callable[[str], bool]
"""Whether this would be understood as a label."""
OWN = ("text", "label", "split", "at", "source")
"""The columns of our own export."""


def own(fields: Mapping[str, object]) -> bool:
    """Whether we wrote this row."""
    return set(OWN) <= fields.keys()
