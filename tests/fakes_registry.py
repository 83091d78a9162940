"""What the learner reads and writes, in memory. `tests/integration/db/test_registry.py` checks its promises."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain import model_ports
from bot.domain.errors import ClaimLost, Refused, UsageError
from bot.domain.learning import Adapter, Cycle, Example, Judged, Outcome, Phase, RegistryEvent, Source
from bot.domain.plural import counted
from bot.domain.posts import Post
from bot.domain.tasks import Task

_OPEN = (Phase.REQUESTED, Phase.TRAINING, Phase.SCORING)


@dataclass
class FakeRegistry:
    """A registry for one process."""

    posts: list[Post] = field(default_factory=list)
    """Posts that conclusions add."""
    made: dict[str, Adapter] = field(default_factory=dict)
    moves: list[tuple[str, int | None]] = field(default_factory=list)
    """The pointer's history: (adapter, position of the move to which a rollback returns)."""
    known: list[Cycle] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    given: dict[str, dict[str, str]] = field(default_factory=dict)
    claims: int = 0
    events: list[RegistryEvent] = field(default_factory=list)

    # --- codes ---

    async def codes(self, task: Task, base: str, alphabet: Sequence[str]) -> dict[str, str]:
        given = self.given.setdefault(base, {})
        missing = [name for name in task.names if name not in given]
        unused = [code for code in alphabet if code not in given.values()]
        if len(unused) < len(missing):
            raise UsageError(f"{counted(len(missing) - len(unused), 'label is', 'labels are')} too many")
        given |= dict(zip(missing, unused, strict=False))
        return {name: given[name] for name in task.names}

    async def adopt_codes(self, task: str, base: str, codes: Mapping[str, str]) -> bool:
        if self.given.get(base):
            return False
        self.given[base] = dict(codes)
        return True

    # --- adapters ---

    async def add_adapter(self, adapter: Adapter) -> None:
        self.made.setdefault(adapter.name, adapter)

    async def adapters(self, task: str) -> list[Adapter]:
        return sorted(self.made.values(), key=lambda adapter: (adapter.made, adapter.name))

    async def champion(self, task: str, base: str) -> Adapter | None:
        found = self.made[self.moves[-1][0]] if self.moves else None
        return found if found is not None and found.base == base else None

    async def promote(self, task: str, adapter: str, by: str, reason: str, now: datetime, *, base: str) -> None:
        if self._move(self._fitting(adapter, base)):
            self.events.append(RegistryEvent(now, adapter, Outcome.SERVES, by, reason))

    async def rollback(self, task: str, by: str, now: datetime, *, base: str) -> Adapter:
        previous = self.moves[-1][1] if self.moves else None
        if previous is None:
            raise UsageError(f"no adapter of {task} served before this one; promote one by its name")
        adapter, before = self.moves[previous]
        found = self._fitting(adapter, base)
        left = self.moves[-1][0]
        self.moves.append((adapter, before))
        self.events.append(RegistryEvent(now, adapter, Outcome.ROLLED_BACK, by, f"rolled back from {left}"))
        return found

    def _fitting(self, name: str, base: str) -> Adapter:
        if name not in self.made:
            raise UsageError(f"no adapter is called {name}")
        if self.made[name].base != base:
            trained = self.made[name].base
            raise UsageError(f"{name} was trained for the base model {trained}, and {base} is served")
        return self.made[name]

    def _move(self, adapter: Adapter) -> bool:
        if self.moves and self.moves[-1][0] == adapter.name:
            return False
        self.moves.append((adapter.name, len(self.moves) - 1 if self.moves else None))
        return True

    async def next_name(self, task: str) -> str:
        names = [*self.made, *(cycle.adapter or "" for cycle in self.known)]
        numbers = [int(found[1]) for name in names if (found := re.fullmatch(rf"{task}-(\d+)", name))]
        return f"{task}-{max(numbers, default=0) + 1}"

    # --- cycles ---

    async def request_cycle(self, task: str, by: str, key: str, now: datetime) -> bool:
        if key in self.keys or any(cycle.phase is Phase.REQUESTED for cycle in self.known):
            return False
        self.keys.add(key)
        self.known.append(Cycle(len(self.known), task, by, Phase.REQUESTED, 0.0))
        return True

    @asynccontextmanager
    async def claim_cycle(self, now: datetime) -> AsyncIterator[Cycle | None]:
        waiting = next((cycle for cycle in self.known if cycle.phase in _OPEN), None)
        if waiting is not None:
            self.claims += 1
            waiting = self.known[waiting.id] = replace(waiting, claim=f"claim {self.claims}")
        yield waiting

    async def update_cycle(self, cycle: Cycle, phase: Phase, progress: float, adapter: str | None = None) -> None:
        held = self._held(cycle)
        self.known[cycle.id] = replace(held, phase=phase, progress=progress, adapter=adapter or held.adapter)

    async def conclude_cycle(self, cycle: Cycle, judged: Judged, posts: Sequence[Post], now: datetime) -> None:
        held, candidate, verdict = self._held(cycle), judged.candidate, judged.verdict
        if verdict.promoted and await self.champion(cycle.task, candidate.base) != judged.champion:
            raise Refused("another adapter serves than the candidate was judged against; train again")
        self.known[cycle.id] = replace(held, phase=Phase.DONE, verdict=verdict, adapter=candidate.name)
        await self.add_adapter(candidate)
        if verdict.promoted and not judged.canary:
            self._move(candidate)
        what = Outcome.SERVES if verdict.promoted else Outcome.REFUSED
        champion = judged.champion.name if judged.champion else None
        why, asked_by = "; ".join(verdict.reasons), held.requested_by
        self.events.append(RegistryEvent(now, candidate.name, what, "gate", why, asked_by, champion, verdict.figures))
        self.posts += posts

    async def fail_cycle(self, cycle: Cycle, problem: str, now: datetime) -> None:
        self.known[cycle.id] = replace(self._held(cycle), phase=Phase.FAILED, problem=problem)

    def _held(self, cycle: Cycle) -> Cycle:
        """The present row. Raises ClaimLost if another process has claimed it since, or if it ended."""
        known = self.known[cycle.id]
        if known.claim != cycle.claim or known.phase not in _OPEN:
            raise ClaimLost("the cycle is held by another process, or concluded")
        return known

    async def cycles(self, task: str, limit: int) -> list[Cycle]:
        return self.known[::-1][:limit]

    async def history(self, task: str, limit: int) -> list[RegistryEvent]:
        return self.events[::-1][:limit]

    async def looks(self, task: str, since: datetime) -> int:
        return sum(cycle.verdict is not None and "p_value" in cycle.verdict.figures for cycle in self.known)


@dataclass
class FakeExamples:
    """A fixed set of examples."""

    kept: list[Example] = field(default_factory=list)
    failure: Exception | None = None

    async def add_examples(self, task: str, examples: Sequence[Example]) -> int:
        known = {(e.text, e.label, e.source) for e in self.kept}
        new = [e for e in examples if (e.text, e.label, e.source) not in known]
        said = {e.text for e in new}
        self.kept = [e for e in self.kept if e.conversation is not None or e.text not in said] + new
        return len(new)

    async def sync_settings(self, task: str, wanted: Sequence[Example], now: datetime) -> int:
        stood = [e for e in self.kept if e.source is Source.SETTINGS]
        says = {(e.text, e.label) for e in wanted}
        gone = [e for e in stood if (e.text, e.label) not in says]
        known = {(e.text, e.label) for e in stood}
        new = [replace(e, at=now) for e in wanted if (e.text, e.label) not in known]
        self.kept = [e for e in self.kept if e not in gone] + new
        return len(gone) + len(new)

    async def examples(self, task: str) -> list[Example]:
        if self.failure is not None:
            raise self.failure
        return list(self.kept)

    async def waiting_corrections(self, task: str) -> int:
        return sum(example.source is Source.CORRECTION for example in self.kept)


_registry: type[model_ports.Registry] = FakeRegistry
_examples: type[model_ports.Examples] = FakeExamples
