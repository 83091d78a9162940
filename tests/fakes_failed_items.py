"""Failed items that are kept in a dictionary."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain import ports
from bot.domain.failures import MOST_ATTEMPTS, FailedItem, Failure, ItemKey
from bot.domain.messages import Fact


@dataclass
class FakeFailedItems:
    """Counts failures by item and sets items aside as the real one does; it never claims an item again by itself."""

    attempts: dict[ItemKey, int] = field(default_factory=dict)
    aside: dict[ItemKey, FailedItem] = field(default_factory=dict)
    recorded: list[Failure] = field(default_factory=list)
    again: list[tuple[ItemKey, Fact]] = field(default_factory=list)
    """Parked facts that are to be tried again."""
    facts: list[Fact] = field(default_factory=list)
    """Parked facts."""

    async def failed(self, failure: Failure, now: datetime) -> bool:
        self.recorded.append(failure)
        key = failure.key
        self.attempts[key] = self.attempts.get(key, 0) + (0 if failure.later else 1)
        if not failure.final and self.attempts[key] < MOST_ATTEMPTS:
            return False
        number, tries = len(self.aside) + 1, self.attempts.pop(key)
        self.aside[key] = FailedItem(number, key.step, key.item, key.conversation, failure.reason, tries, now, now)
        return True

    async def succeeded(self, key: ItemKey) -> None:
        self.attempts.pop(key, None)
        self.aside.pop(key, None)
        self.again = [(one, fact) for one, fact in self.again if one != key]

    async def park(self, fact: Fact, reason: str, now: datetime) -> None:
        self.facts.append(fact)
        await self.failed(Failure(ItemKey("intake", f"fact {len(self.facts)}"), reason, final=True), now)

    async def parked(self) -> list[tuple[ItemKey, Fact]]:
        return list(self.again)

    async def set_aside(self) -> list[FailedItem]:
        return list(self.aside.values())

    async def counts(self) -> Mapping[str, int]:
        return Counter(item.step for item in self.aside.values())

    async def retry(self, failed: int, now: datetime) -> bool:
        return self._remove(failed)

    async def drop(self, failed: int, now: datetime) -> bool:
        return self._remove(failed)

    def _remove(self, failed: int) -> bool:
        before = len(self.aside)
        self.aside = {key: item for key, item in self.aside.items() if item.id != failed}
        return len(self.aside) < before

    async def reread(self, now: datetime) -> int:
        return 0


_: type[ports.FailedItems] = FakeFailedItems
