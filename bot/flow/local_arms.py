"""Asks an untrained base model through the server that serves it: exact distributions over the labels."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.domain.errors import Unreachable
from bot.domain.few_shot import Shown, Variant
from bot.domain.learning import Example, text_key
from bot.domain.prompted import AnswerCache, Distributed, PromptedBase, Told
from bot.domain.prompted_arms import Asking, PromptedArm
from bot.flow.hosted_arms import digest

_TIMED = 40
"""Messages that are asked one by one, to measure how long one takes."""
_BATCH = 32


@dataclass(frozen=True, slots=True)
class LocalArms:
    """Asks one base, one way of prompting after another."""

    base: PromptedBase
    name: str
    cache: AnswerCache

    async def ask(self, asking: Asking, ways: Sequence[Variant], told: Callable[[int], None]) -> list[PromptedArm]:
        """One arm for each way. What was asked before an interruption is not asked again. Raises Refused."""
        return [await self._arm(asking, way, told) for way in ways]

    async def _arm(self, asking: Asking, way: Variant, done: Callable[[int], None]) -> PromptedArm:
        known: dict[str, Told] = {}
        try:
            for batch in _batches(asking.drawn):
                known |= await self._answers(asking, way, batch)
                done(len(batch))
        except Unreachable as error:
            stopped = f"{error} after {len(known)} of {len(asking.judging)}"
            return PromptedArm(self.name, way, known, f"{stopped}; compared on these" if known else stopped)
        return PromptedArm(self.name, way, known)

    async def _answers(self, asking: Asking, way: Variant, batch: Sequence[Example]) -> dict[str, Told]:
        asked = {text_key(e.text): (e.text, asking.shown.of(way, text_key(e.text))) for e in batch}
        keys = {key: self._digest(asking, *one) for key, one in asked.items()}
        kept = {key: self.cache.known(keys[key]) for key in asked}
        found = {key: told for key, told in kept.items() if told is not None}
        new = [key for key in asked if key not in found]
        if new:
            began = time.perf_counter()
            said = await self.base.ask(asking.task, [asked[key] for key in new])
            taken = (time.perf_counter() - began) * 1000 if len(batch) == 1 else None
            for key, one in zip(new, said, strict=True):
                found[key] = _told(one, taken)
                self.cache.keep(keys[key], found[key])
        return {key: found[key] for key in asked}

    def _digest(self, asking: Asking, text: str, examples: Sequence[Shown]) -> str:
        labels = [(label.name, label.means) for label in asking.task.labels]
        return digest(self.base.identity, json.dumps([asking.task.question, labels, text, list(examples)]))


def _told(one: Distributed, milliseconds: float | None) -> Told:
    best = max(one.probabilities, key=lambda label: one.probabilities[label])
    return Told(best, one.probabilities, one.tokens, 1, milliseconds, None, one.shots)


def _batches(examples: Sequence[Example]) -> list[Sequence[Example]]:
    """Single messages first, then batches."""
    alone: list[Sequence[Example]] = [[example] for example in examples[:_TIMED]]
    return alone + [examples[start : start + _BATCH] for start in range(_TIMED, len(examples), _BATCH)]
