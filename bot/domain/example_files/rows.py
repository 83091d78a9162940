"""The parts of a file before they are interpreted: rows of named fields, and lines that are none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line without an example, and why."""

    number: int
    problem: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.problem}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A line that is left out on request, by the file or by a flag."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """Named fields as they are in the file."""

    number: int
    """The line in which it begins, from 1."""
    fields: Mapping[str, object]
    verbatim: bool = False
    """Whether its text is just what somebody wrote (our own export, a chat line) and not searched for markup."""


Line = Row | BadLine | LeftOut
Recognised = Callable[[str], bool]
"""Whether this would be recognised as a label."""
UNREADABLE_REST = "not JSON from here on; the rest of the file cannot be read"
OWN = ("text", "label", "split", "at", "source")
"""The columns of our own export."""


def own(fields: Mapping[str, object]) -> bool:
    """Whether this row is from our own export."""
    return set(OWN) <= fields.keys()
