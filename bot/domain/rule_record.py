"""How a rule fared: how often it applied, and what leads said of what it decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

_SEVERAL, _OFTEN = 3, 0.2
"""So many corrections, and so large a share of what it decided: then a rule costs leads more than it saves them."""


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """What became of a rule's decisions."""

    applied: int = 0
    corrected: int = 0
    """A lead moved the request elsewhere, and stands by it."""
    confirmed: int = 0

    @property
    def often_corrected(self) -> bool:
        return self.corrected >= _SEVERAL and self.corrected >= _OFTEN * self.applied


class RuleRecords(Protocol):
    """What rules did, by their names: those that the settings have no more, too."""

    async def rule_records(self) -> Mapping[str, RuleRecord]: ...
