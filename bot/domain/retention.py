"""How long what is no longer needed is kept, and what goes when: decided here, done in `db/retention.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

FOR_EVER = timedelta(0)


@dataclass(frozen=True, slots=True)
class Retention:
    """Days that each kind is kept; `FOR_EVER` keeps it."""

    vectors: timedelta = timedelta(days=7)
    """Vectors of closed conversations: a correction that comes later has one made anew."""
    rewordings: timedelta = timedelta(days=30)
    """Earlier wordings of what we said; the last one stays."""
    words: timedelta = FOR_EVER
    """Messages, notes, posts and reactions of closed conversations. Who had them and what was decided stays."""
    examples: timedelta = FOR_EVER
    """What was learned from conversations; imported examples stay."""
    runs: timedelta = FOR_EVER
    """Folders of adapters that never served."""
    logs: timedelta = timedelta(days=90)
    """Logs of trainings, and of the model server's earlier starts."""

    def due(self, now: datetime) -> Mapping[str, datetime]:
        """Kind -> what is older than this goes; kinds that are kept for ever are not in it."""
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
    """What grows, and can be taken away."""

    async def count(self, kind: str, before: datetime) -> int:
        """How much of this kind is older. Changes nothing."""

    async def remove(self, kind: str, before: datetime, now: datetime) -> int:
        """Take a batch of it away, in one transaction; how much. 0: nothing is left."""


KINDS = ("vectors", "rewordings", "words", "examples")
"""Those in the database; `runs` and `logs` are files."""
