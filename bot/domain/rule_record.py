"""How a rule fared: how often it applied, and what leads said about its decisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

_SEVERAL, _OFTEN = 3, 0.2
"""With so many corrections, and so large a share of its decisions, a rule costs leads more than it saves them."""


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """How a rule's decisions fared."""

    applied: int = 0
    corrected: int = 0
    """How many requests a lead moved elsewhere, and still stands by it."""
    confirmed: int = 0

    @property
    def often_corrected(self) -> bool:
        return self.corrected >= _SEVERAL and self.corrected >= _OFTEN * self.applied


class RuleRecords(Protocol):
    """The records of rules, by name, also of those that the settings no longer have."""

    async def rule_records(self) -> Mapping[str, RuleRecord]: ...
