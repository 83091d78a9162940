"""Looks at corrections a second time, when later ones and the voices have something to say about them."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.errors import Unreachable
from bot.domain.failures import reason_of
from bot.domain.mixture import pooled
from bot.domain.model_ports import ExampleVoices, Said
from bot.domain.second_look import LEAST_EXAMPLES, Ruling, SecondLooks, verdicts
from bot.domain.tasks import Task
from bot.lifecycle import origin

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SecondLook:
    """Holds back corrections that look wrong by now, and frees those that were held back and look right.

    Only where the task's settings want neighbours to be heard and a second lead is about. What is held back waits for a
    second lead, as if the guards had held it back at once.
    """

    tasks: Sequence[Task]
    looks: SecondLooks
    voices: ExampleVoices
    embedder: str
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Look at every task whose settings want it; always 0, since it takes a while until there is more to see."""
        for task in self.tasks:
            if not task.learning.guards.neighbours:
                continue
            try:
                await self.look(task)
            except Unreachable:
                raise
            except Exception as error:  # noqa: BLE001 - of this task alone; said here, and tried again at the next look
                about = {"task": task.name, "problem": reason_of(error), "at": origin(error)}
                log.error("second look at corrections failed", extra=about)
        return 0

    async def look(self, task: Task) -> int:
        """Look now; how many corrections were held back or freed. None before the voices are fitted."""
        if self.voices.fitted_on(task.name) is None:
            return 0
        counts = self.voices.counts(task.name)
        known = await self.looks.rulings(task.name, self.now())
        rulings = [one for one in known if counts.get(one.label, 0) >= LEAST_EXAMPLES]
        if not rulings:
            return 0
        said = await self._unlearned(task, rulings)
        right = self._right(task)
        found = await asyncio.to_thread(lambda: verdicts(rulings, self._pooled(task, rulings, said), right))
        changed = await self.looks.settle(task.name, found, self.now())
        if changed:
            changes = {"held": len(found.hold), "freed": len(found.free)}
            log.info("corrections looked at again", extra={"task": task.name, "looked": len(rulings), **changes})
        return changed

    def _right(self, task: Task) -> float:
        """The share of their lessons that the voices together tell rightly, each hidden from them; 0.5: not known."""
        proved = self.voices.proved(task.name)
        kept = None if proved is None else proved.at(0.0)
        return 0.5 if kept is None else kept.right

    async def _unlearned(self, task: Task, rulings: Sequence[Ruling]) -> Mapping[int, Said]:
        """Example -> what each voice says of it, not having learned from its text."""
        seen = await asyncio.to_thread(
            self.voices.unseen, task.name, {ruling.key for ruling in rulings if not ruling.held}
        )
        new = [ruling for ruling in rulings if ruling.key not in seen]
        loud = self.voices.without_adapter(task.name)
        vectors = await self.looks.vectors(self.embedder, [one.example for one in new])
        texts, rows = [one.text for one in new], [vectors.get(one.example) for one in new]
        said = await self.voices.say(task.name, texts, rows, list(loud))
        told = {one.example: row for one, row in zip(new, said, strict=True)}
        return {one.example: seen[one.key] for one in rulings if one.key in seen} | told

    def _pooled(
        self, task: Task, rulings: Sequence[Ruling], said: Mapping[int, Said]
    ) -> Mapping[int, Mapping[str, float]]:
        weights = self.voices.without_adapter(task.name)
        mixed = {one.example: pooled(said[one.example], weights, task.names) for one in rulings}
        return {example: row for example, row in mixed.items() if row is not None}
