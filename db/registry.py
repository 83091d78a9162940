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
from bot.domain.plural import counted
from bot.domain.posts import Post
from bot.domain.scope import Scope
from bot.domain.tasks import Task
from bot.domain.team_changes import renamed
from db.adapter_paths import AdapterPaths
from db.conversations.label_names import names_by_now
from db.conversations.live_corrections import corrections
from db.conversations.pointer import GATE, check_may_serve, known_adapter, move, move_back
from db.engine import Database, announce
from db.posts.cycle_posts import enqueue_of_cycle
from db.posts.enqueue import enqueue
from db.reading import cycles, registry_history
from db.reading.canary import supersede
from db.reading.drawn import drawn_at
from db.reading.serving import lock_registry, over, pointer, serving, told_of_champion
from db.tables import AdapterRow, CanaryRow, CycleRow, LabelCodeRow, PromotionRow, TickRow

_USUAL = AdapterPaths(Path("var/runs"))
"""The usual folder of runs, unless the settings name another."""


class PostgresRegistry:
    """The registry in PostgreSQL."""

    def __init__(self, database: Database, paths: AdapterPaths = _USUAL) -> None:
        self._database = database
        self._paths = paths
        self._codes: dict[tuple[str, str], dict[str, str]] = {}
        """By task and base. A label keeps its code, so codes are not read again once every label has one."""

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
            return await self._read(session, (await session.scalars(all_of)).all())

    async def champion(self, task: str, base: str) -> Adapter | None:
        async with self._database.autocommit() as session:
            found = await told_of_champion(session, task, base)
            if found is None:
                return None
            row, on_trial, changed = found
            (adapter,) = await self._read(session, [row]) if changed else [self._adapter(row, {})]
            return replace(adapter, on_trial=on_trial)

    async def promote(self, task: str, adapter: str, by: str, reason: str, now: datetime, *, base: str) -> None:
        async with self._database.transaction() as session:
            await lock_registry(session, task)
            check_may_serve(await known_adapter(session, task, adapter), base, now)
            await move(session, task, adapter, by, reason, now)

    async def rollback(self, task: str, by: str, now: datetime, *, base: str) -> Adapter:
        """Go back by one more promotion each time: two rollbacks in a row never end where they began."""
        async with self._database.transaction() as session:
            await lock_registry(session, task)
            here = await pointer(session, task)
            if here is None or here.previous is None:
                raise UsageError(f"no adapter of {task} served before this one; promote one by its name")
            target = await session.get_one(PromotionRow, here.previous)
            found = await known_adapter(session, task, target.adapter)
            check_may_serve(found, base, now)
            await move_back(session, here, by, f"rolled back from {here.adapter}", now)
            (adapter,) = await self._read(session, [found])
            return adapter

    async def serving(self, task: str, base: str, now: datetime) -> Serving | None:
        async with self._database.transaction() as session:
            here = await pointer(session, task)
            if here is None or here.by != GATE or here.previous is None:
                return None
            before = await session.get_one(PromotionRow, here.previous)
            both = [await known_adapter(session, task, name) for name in (here.adapter, before.adapter)]
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
            await move_back(session, here, BY, reason, now)
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
            await lock_registry(session, candidate.task)
            await _add(session, self._values(await _by_present_names(session, cycle, candidate)))
            if verdict.promoted:
                await _still_serves(session, judged)
                await _let_serve(session, judged, now)
            await enqueue_of_cycle(session, cycle.id, posts, now)
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
        wrong = TickRow.at > fresh.excluded.at + timedelta(days=1)  # recorded while a clock was wrong
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

    async def _read(self, session: AsyncSession, rows: Sequence[AdapterRow]) -> list[Adapter]:
        """The adapters of a task, with what became of their teams since each was trained."""
        if not rows:
            return []
        merges = (await names_by_now(session, rows[0].task)).of_merges
        drawn = await drawn_at(session, rows) if merges.rows else {}
        return [
            self._adapter(row, {label: merges.now(label, drawn[row.name]) for label in row.codes} if drawn else {})
            for row in rows
        ]

    def _adapter(self, row: AdapterRow, names: Mapping[str, str]) -> Adapter:
        """`names`: label -> the team that it was merged into, or itself."""
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
            {label: names[label] for label in row.codes if names.get(label, label) in row.codes.keys() - {label}},
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
            f"{counted(len(missing) - len(unused), 'label is', 'labels are')} too many"
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


async def _let_serve(session: AsyncSession, judged: Judged, now: datetime) -> None:
    """Let the candidate serve all requests, or a share of them first, beside the champion."""
    task, name, reason = judged.candidate.task, judged.candidate.name, "; ".join(judged.verdict.reasons)
    here = await pointer(session, task)
    await supersede(session, task, now)
    if judged.champion is None or here is None or not judged.canary:
        await move(session, task, name, GATE, reason, now)
        return
    trial = {"champion": judged.champion.name, "promotion": here.id, "share": judged.canary, "started_at": now}
    await session.execute(insert(CanaryRow).values(task=task, adapter=name, **trial))


async def _by_present_names(session: AsyncSession, cycle: Cycle, candidate: Adapter) -> Adapter:
    """The candidate as a change of names would have left it, had it been there: teams were renamed while it trained."""
    begun = await session.scalar(select(CycleRow.started_at).where(CycleRow.id == cycle.id))
    names = await names_by_now(session, candidate.task)
    return renamed(candidate, names.renamed_since(begun or candidate.made))


async def _still_serves(session: AsyncSession, judged: Judged) -> None:
    candidate, champion = judged.candidate, judged.champion
    serves = await serving(session, candidate.task, candidate.base)
    if (serves and serves.name) != (champion and champion.name):
        now = serves.name if serves else "none"
        raise Refused(f"another adapter serves ({now}) than {candidate.name} was judged against; train again")


def _names(task: str) -> Select[str | None]:
    """Every name an adapter has or was meant to have: the name of a failed training is not used again."""
    made = select(AdapterRow.name).where(AdapterRow.task == task)
    meant = select(CycleRow.adapter).where(CycleRow.task == task)
    return select(union(made, meant).subquery().c.name)


_registry: type[Registry] = PostgresRegistry
_record: type[LiveRecord] = PostgresRegistry
