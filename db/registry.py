"""Adapters, the pointer to the one that serves, and the codes of labels."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Select, case, func, select, union
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.alpha_spending import YEAR
from bot.domain.asking import Record
from bot.domain.automatic_rollback import BY, SETTLED, LiveRecord, Serving
from bot.domain.errors import Refused, UsageError
from bot.domain.learning import Adapter, Cycle, Judged, Phase, RegistryEvent
from bot.domain.ledger import Change
from bot.domain.mixture import Mixture
from bot.domain.model_ports import Registry
from bot.domain.posts import Post
from bot.domain.scope import Scope
from bot.domain.tasks import Task
from db.adapter_paths import AdapterPaths
from db.conversations.live_corrections import corrections
from db.conversations.taken_up import take_up_again
from db.engine import Database, announce
from db.posts.enqueue import enqueue
from db.reading import cycles, registry_history
from db.reading.serving import NOBODY, lock_registry, over, pointer, serving
from db.tables import AdapterRow, CycleRow, LabelCodeRow, PromotionRow, TickRow

GATE = "gate"
"""Who promoted what learning let serve."""
_USUAL = AdapterPaths(Path("var/runs"))
"""Where the settings have them unless they say otherwise."""


class PostgresRegistry:
    """The registry in PostgreSQL."""

    def __init__(self, database: Database, paths: AdapterPaths = _USUAL) -> None:
        self._database = database
        self._paths = paths
        self._codes: dict[tuple[str, str], dict[str, str]] = {}
        """By task and base. Given for life, they need no second look once every label has one."""

    async def codes(self, task: Task, base: str, alphabet: Sequence[str]) -> dict[str, str]:
        known = self._codes.get((task.name, base), {})
        if not set(task.names) <= known.keys():
            known = self._codes[task.name, base] = await self._read_codes(task, base, alphabet)
        return {label: known[label] for label in task.names}

    async def _read_codes(self, task: Task, base: str, alphabet: Sequence[str]) -> dict[str, str]:
        async with self._database.transaction() as session:
            given = await _given(session, task.name, base)
            if all(label in given for label in task.names):
                return given
            await lock_registry(session, task.name)
            return await _complete(session, task, base, alphabet)

    async def adopt_codes(self, task: str, base: str, codes: Mapping[str, str]) -> bool:
        async with self._database.transaction() as session:
            await lock_registry(session, task)
            if await _given(session, task, base):
                return False
            await _give(session, task, base, codes)
            await announce(session, Change.MODEL)
            return True

    async def add_adapter(self, adapter: Adapter) -> None:
        async with self._database.transaction() as session:
            await _add(session, self._values(adapter))

    async def adapters(self, task: str) -> list[Adapter]:
        all_of = select(AdapterRow).where(AdapterRow.task == task).order_by(AdapterRow.made_at, AdapterRow.name)
        async with self._database.transaction() as session:
            return [self._adapter(row) for row in await session.scalars(all_of)]

    async def champion(self, task: str, base: str) -> Adapter | None:
        async with self._database.transaction() as session:
            found = await serving(session, task, base)
        return None if found is None else self._adapter(found)

    async def promote(self, task: str, adapter: str, by: str, reason: str, now: datetime, *, base: str) -> None:
        async with self._database.transaction() as session:
            await lock_registry(session, task)
            _check_may_serve(await _known(session, task, adapter), base, now)
            await _move(session, task, adapter, by, reason, now)

    async def rollback(self, task: str, by: str, now: datetime, *, base: str) -> Adapter:
        """Each rollback goes one promotion further back: two in a row never end where they began."""
        async with self._database.transaction() as session:
            await lock_registry(session, task)
            here = await pointer(session, task)
            if here is None or here.previous is None:
                raise UsageError(f"no adapter of {task} served before this one; promote one by its name")
            target = await session.get_one(PromotionRow, here.previous)
            found = await _known(session, task, target.adapter)
            _check_may_serve(found, base, now)
            await _back(session, here, by, f"rolled back from {here.adapter}", now)
            return self._adapter(found)

    async def serving(self, task: str, base: str, now: datetime) -> Serving | None:
        async with self._database.transaction() as session:
            here = await pointer(session, task)
            if here is None or here.by != GATE or here.previous is None:
                return None
            before = await session.get_one(PromotionRow, here.previous)
            both = [await _known(session, task, name) for name in (here.adapter, before.adapter)]
            if any(adapter.base != base or over(adapter, now) for adapter in both):
                return None
            counted = [
                await corrections(session, task, here.adapter, here.at, now - SETTLED),
                await corrections(session, task, before.adapter, here.at - YEAR, here.at),
            ]
            return Serving(task, here.id, here.adapter, counted[0], before.adapter, counted[1])

    async def withdraw(self, serving: Serving, reason: str, posts: Sequence[Post], now: datetime) -> bool:
        async with self._database.transaction() as session:
            await lock_registry(session, serving.task)
            here = await pointer(session, serving.task)
            if here is None or here.id != serving.promotion or here.previous is None:
                return False
            await _back(session, here, BY, reason, now)
            await enqueue(session, None, posts, now)
            await announce(session, Change.OWED)
            return True

    async def next_name(self, task: str) -> str:
        async with self._database.transaction() as session:
            taken = [name for name in await session.scalars(_names(task)) if name is not None]
        numbers = [int(found[1]) for name in taken if (found := re.fullmatch(rf"{re.escape(task)}-(\d+)", name))]
        return f"{task}-{max(numbers, default=0) + 1}"

    async def request_cycle(self, task: str, by: str, key: str, now: datetime) -> bool:
        async with self._database.transaction() as session:
            return await cycles.request(session, task, by, key, now)

    def claim_cycle(self, now: datetime) -> AbstractAsyncContextManager[Cycle | None]:
        return cycles.claim(self._database, now)

    async def update_cycle(self, cycle: Cycle, phase: Phase, progress: float, adapter: str | None = None) -> None:
        async with self._database.transaction() as session:
            await cycles.update_progress(session, cycle, phase, progress, adapter)

    async def conclude_cycle(self, cycle: Cycle, judged: Judged, posts: Sequence[Post], now: datetime) -> None:
        candidate, verdict = judged.candidate, judged.verdict
        async with self._database.transaction() as session:
            await cycles.conclude(session, cycle, judged, now)
            await _add(session, self._values(candidate))
            if verdict.promoted:
                await lock_registry(session, candidate.task)
                await _still_serves(session, judged)
                await _move(session, candidate.task, candidate.name, GATE, "; ".join(verdict.reasons), now)
            await enqueue(session, None, posts, now)
            await announce(session, Change.OWED)

    async def fail_cycle(self, cycle: Cycle, problem: str, now: datetime) -> None:
        async with self._database.transaction() as session:
            await cycles.fail(session, cycle, problem, now)

    async def cycles(self, task: str, limit: int) -> list[Cycle]:
        async with self._database.transaction() as session:
            return await cycles.newest(session, task, limit)

    async def history(self, task: str, limit: int) -> list[RegistryEvent]:
        async with self._database.transaction() as session:
            return await registry_history.history(session, task, limit)

    async def looks(self, task: str, since: datetime) -> int:
        async with self._database.transaction() as session:
            return await cycles.looks(session, task, since)

    async def last_tick(self, task: str) -> datetime | None:
        async with self._database.transaction() as session:
            return await session.scalar(select(TickRow.at).where(TickRow.task == task))

    async def record_tick(self, task: str, at: datetime) -> None:
        fresh = insert(TickRow).values(task=task, at=at)
        wrong = TickRow.at > fresh.excluded.at + timedelta(days=1)  # recorded by a clock that was
        latest = case((wrong, fresh.excluded.at), else_=func.greatest(TickRow.at, fresh.excluded.at))
        async with self._database.transaction() as session:
            await session.execute(fresh.on_conflict_do_update(index_elements=["task"], set_={"at": latest}))

    def _values(self, adapter: Adapter) -> dict[str, object]:
        return {
            "task": adapter.task,
            "name": adapter.name,
            "path": self._paths.stored(adapter.path),
            "base": adapter.base,
            "codes": dict(adapter.codes),
            "temperature": adapter.temperature,
            "made_at": adapter.made,
            "digest": adapter.digest,
            "mixture": dict(adapter.mixture.weights),
            "proved": None if adapter.mixture.proved is None else adapter.mixture.proved.rows,
            "scope": None if adapter.mixture.scope is None else adapter.mixture.scope.stored(),
        }

    def _adapter(self, row: AdapterRow) -> Adapter:
        path = self._paths.found(row.path)
        usual = Mixture(proved=Record.read(row.proved), scope=Scope.read(row.scope))
        mixture = replace(usual, weights=row.mixture) if row.mixture else usual
        return Adapter(
            row.name,
            row.task,
            path,
            row.base,
            row.codes,
            row.temperature,
            row.made_at,
            mixture,
            row.digest,
            row.retires_at,
        )


# --- codes ---


async def _given(session: AsyncSession, task: str, base: str) -> dict[str, str]:
    given = select(LabelCodeRow.label, LabelCodeRow.code)
    found = await session.execute(given.where(LabelCodeRow.task == task, LabelCodeRow.base == base))
    return dict(found.all())


async def _complete(session: AsyncSession, task: Task, base: str, alphabet: Sequence[str]) -> dict[str, str]:
    given = await _given(session, task.name, base)
    missing = [label for label in task.names if label not in given]
    used = set(given.values())
    unused = [code for code in alphabet if code not in used]
    if len(unused) < len(missing):
        raise UsageError(
            f"tasks.{task.name}: {base} has codes for {len(alphabet)} labels, retired ones included; "
            f"{len(missing) - len(unused)} labels are too many"
        )
    new = dict(zip(missing, unused, strict=False))
    await _give(session, task.name, base, new)
    return given | new


async def _give(session: AsyncSession, task: str, base: str, codes: Mapping[str, str]) -> None:
    rows = [{"base": base, "task": task, "label": label, "code": code} for label, code in codes.items()]
    if rows:
        await session.execute(insert(LabelCodeRow).values(rows))


# --- adapters ---


async def _add(session: AsyncSession, values: Mapping[str, object]) -> None:
    fresh = insert(AdapterRow).values(values).on_conflict_do_nothing().returning(AdapterRow.name)
    if (await session.execute(fresh)).first() is not None:
        await announce(session, Change.MODEL)


async def _move(session: AsyncSession, task: str, adapter: str, by: str, reason: str, now: datetime) -> None:
    """Put the pointer on the adapter; nothing when it is there."""
    here = await pointer(session, task)
    if here is not None and here.adapter == adapter:
        return
    previous = here.id if here is not None and here.adapter != NOBODY else None
    move = {"task": task, "adapter": adapter, "by": by, "reason": reason, "at": now, "previous": previous}
    await session.execute(insert(PromotionRow).values(move))
    await take_up_again(session, task, adapter)


async def _back(session: AsyncSession, here: PromotionRow, by: str, reason: str, now: datetime) -> None:
    """Put the pointer on what served before; from there the next step back leads further back."""
    target = await session.get_one(PromotionRow, here.previous)
    move = {"adapter": target.adapter, "previous": target.previous, "reason": reason}
    await session.execute(insert(PromotionRow).values(task=here.task, by=by, at=now, **move))
    await take_up_again(session, here.task, target.adapter)


async def _still_serves(session: AsyncSession, judged: Judged) -> None:
    candidate, champion = judged.candidate, judged.champion
    serves = await serving(session, candidate.task, candidate.base)
    if (serves and serves.name) != (champion and champion.name):
        now = serves.name if serves else "none"
        raise Refused(f"another adapter serves ({now}) than {candidate.name} was judged against; train again")


def _check_may_serve(adapter: AdapterRow, base: str, now: datetime) -> None:
    """Raises UsageError when the base that is served cannot use the adapter, or when its time is over."""
    if over(adapter, now):
        raise UsageError(
            f"{adapter.name} had learned from texts of somebody who was forgotten, and may not serve since "
            f"{adapter.retires_at:%Y-%m-%d}; `switchboard train` makes one without them"
        )
    if adapter.base != base:
        raise UsageError(
            f"{adapter.name} was trained for the base model {adapter.base}, and {base} is served: it would not answer "
            f"a single message; set model.base to {adapter.base}, or train one for {base} with `switchboard train`"
        )


async def _known(session: AsyncSession, task: str, name: str) -> AdapterRow:
    found = await session.get(AdapterRow, (task, name))
    if found is None:
        raise UsageError(f"no adapter of {task} is called {name}; `switchboard models` lists them")
    return found


def _names(task: str) -> Select[str | None]:
    """Every name an adapter has or was meant to have: that of a training that failed is not used again."""
    made = select(AdapterRow.name).where(AdapterRow.task == task)
    meant = select(CycleRow.adapter).where(CycleRow.task == task)
    return select(union(made, meant).subquery().c.name)


_registry: type[Registry] = PostgresRegistry
_record: type[LiveRecord] = PostgresRegistry
