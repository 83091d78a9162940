"""How long data is kept that is no longer needed, and what is removed when; `db/retention.py` removes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

FOR_EVER = timedelta(0)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each kind is kept; `FOR_EVER` removes none."""

    vectors: timedelta = timedelta(days=7)
    """Vectors of closed conversations: for a later correction a new one is computed."""
    rewordings: timedelta = timedelta(days=30)
    """Earlier wordings of our posts; the last one stays."""
    words: timedelta = FOR_EVER
    """Messages, notes, posts and reactions of closed conversations. Their team and decisions stay."""
    examples: timedelta = FOR_EVER
    """Examples from conversations; imported examples stay."""
    runs: timedelta = FOR_EVER
    """Folders of adapters that never served."""
    logs: timedelta = timedelta(days=90)
    """Logs of trainings, and of the model server's earlier starts."""

    def due(self, now: datetime) -> Mapping[str, datetime]:
        """Kind -> the time before which it is removed; kinds that are kept for ever are left out."""
        kept = {
            "vectors": self.vectors,
            "rewordings": self.rewordings,
            "words": self.words,
            "examples": self.examples,
            "runs": self.runs,
            "logs": self.logs,
        }
        return {kind: now - days for kind, days in kept.items() if days != FOR_EVER}


class Retained(Protocol):
    """A store of data that grows, and can be removed."""

    async def count(self, kind: str, before: datetime) -> int:
        """How much of this kind is older. Changes nothing."""

    async def remove(self, kind: str, before: datetime, now: datetime) -> int:
        """Remove a batch of it, in one transaction; how much. 0: nothing is left."""


KINDS = ("vectors", "rewordings", "words", "examples")
"""The kinds in the database; `runs` and `logs` are files."""
