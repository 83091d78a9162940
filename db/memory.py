"""Examples by nearness: an exact search, so that a correction is found the moment it is stored.

A process that asks once asks the table. One that asks all day holds the vectors (`hold`), and asks the table only for
what changed since, what is known of the very text, and how near the few candidates exactly are.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.guards import Guards
from bot.domain.learning import Side, Source, text_key
from bot.domain.ledger import Change
from bot.domain.memory_vote import NEIGHBOURS, Neighbour, Neighbours
from bot.domain.model_ports import Memory, Vector
from bot.domain.tasks import Task
from db.conversations.failures import backs_off, is_set_aside
from db.conversations.held_back import guard_late, unguarded
from db.engine import Database, announce
from db.reading.example_pairs import Pair, compared
from db.reading.held_examples import CORRECTED, TRUSTED, HeldExamples, SameText
from db.reading.load_examples import load
from db.reading.mappers import basis_of
from db.reading.own_taps import own_taps, vouched
from db.reading.similarity import has_comparable_vector, similarity
from db.reading.unsettled import Ruled, rulings_of, unsettled
from db.shared_clock import SHARED
from db.tables import ExampleRow

log = logging.getLogger(__name__)

_PROPOSED = 16
"""How many candidates the coarse measure proposes: the exactly nearest examples are among them."""
_CATCH_UP_SECONDS = 30.0


class PostgresMemory:
    """The memory in PostgreSQL with pgvector. `embedder` names the model of the vectors that `nearest` is given."""

    def __init__(
        self,
        database: Database,
        embedder: str,
        guards: Mapping[str, Guards] | None = None,
        now: Callable[[], datetime] = SHARED.now,
    ) -> None:
        """`guards` are those of each task, for corrections whose vector comes late; a task without an entry gets the
        default ones."""
        self._database = database
        self._embedder = embedder
        self._guards = guards or {}
        self._now = now
        self._held: dict[str, HeldExamples] = {}

    async def digest(self) -> str:
        """A digest that stays the same as long as nothing is learned, withdrawn or embedded, in any task."""
        async with self._database.transaction() as session:
            count, changed = (await session.execute(select(func.count(), func.max(ExampleRow.changed)))).one()
        return f"{count} {changed}"

    async def hold(self, task: Task) -> None:
        """Hold the task's vectors in this process until cancelled, one byte a dimension. Raises Unreachable."""
        try:
            held = await self.load(task)
            log.info(
                "memory loaded into this process",
                extra={"task": task.name, "bytes": held.corrections.size + held.anchors.size},
            )
            while True:
                await asyncio.sleep(_CATCH_UP_SECONDS)  # so that the next question has little to catch up on
                async with held.lock, self._database.transaction() as session:
                    await held.catch_up(session, [])
        finally:
            self._held.pop(task.name, None)

    async def load(self, task: Task) -> HeldExamples:
        """Load the task's vectors and hold them from now on. Raises Unreachable."""
        held = await load(self._database, task, self._embedder)
        self._held[task.name] = held
        return held

    async def nearest(self, task: Task, vector: Vector, text: str, leave_out_itself: bool = False) -> Neighbours:
        (found,) = await self.nearest_many(task, [vector], [text], leave_out_itself)
        return found

    async def nearest_many(
        self,
        task: Task,
        vectors: Sequence[Vector],
        texts: Sequence[str],
        leave_out_itself: bool = False,
        askers: Sequence[str] = (),
    ) -> list[Neighbours]:
        if not texts:
            return []
        held = self._held.get(task.name)
        async with self._database.autocommit() as session:
            if held is None or held.task.names != task.names:
                asked = zip(vectors, texts, strict=True)
                found, tapped = [await self._from_table(session, task, *one, leave_out_itself) for one in asked], True
            else:
                found, tapped = await self._from_held(session, held, vectors, texts, leave_out_itself)
            if leave_out_itself or not askers or not tapped:
                return found
            own = await own_taps(session, task, [text_key(text) for text in texts], askers)
            return [_with_own(one, own.get(n)) for n, one in enumerate(found)]

    async def _from_held(
        self,
        session: AsyncSession,
        held: HeldExamples,
        vectors: Sequence[Vector],
        texts: Sequence[str],
        leave_out_itself: bool,
    ) -> tuple[list[Neighbours], bool]:
        """The neighbours of each text, and whether anybody ever chose a team for one of the very texts."""
        keys = [text_key(text) for text in texts]
        async with held.lock:
            same = await held.catch_up(session, sorted(set(keys)))
            known = [same[key].ids if key in same else frozenset[int]() for key in keys]
            wanted = np.array(vectors, np.float32)
            tables = (held.corrections, held.anchors)
            corrected, trusted = await asyncio.to_thread(
                lambda: [table.nearest(wanted, _PROPOSED, known) for table in tables]
            )
        pairs = [*_pairs(corrected, True), *_pairs(trusted, False)]
        if not leave_out_itself:
            told = [same.get(key, SameText()) for key in keys]
            pairs += [*_pairs([of.corrected for of in told], True), *_pairs([of.trusted for of in told], False)]
        found = await compared(session, self._embedder, vectors, keys, list(dict.fromkeys(pairs)))
        near = [
            Neighbours(
                _in_order(found.get((n, True), ())),
                _in_order(found.get((n, False), ())),
                () if leave_out_itself else same.get(key, SameText()).unsettled,
            )
            for n, key in enumerate(keys)
        ]
        return near, any(of.tapped for of in same.values())

    async def _from_table(
        self, session: AsyncSession, task: Task, vector: Vector, text: str, leave_out_itself: bool
    ) -> Neighbours:
        key = text_key(text)
        others = [ExampleRow.text_key != key] if leave_out_itself else []
        ranked = _ranked(vector, key, self._embedder)
        votes = or_(ExampleRow.retired_by.is_(None), ExampleRow.text_key == key)
        corrected = ranked.where(ExampleRow.id.in_(_newest(task)), votes, *others).add_columns(literal(True))
        anchors = ranked.where(_anchor(task), *others).add_columns(literal(False))
        # One statement for both, since most of the cost of a short statement is the round trip
        both = union_all(*(select(one.subquery()) for one in (corrected, anchors)))
        rows = (await session.execute(both)).all()
        ruled = [] if leave_out_itself else (await session.execute(rulings_of(task.name, key))).all()
        return Neighbours(
            corrections=_in_order(_neighbour(*row) for *row, was_corrected in rows if was_corrected),
            anchors=_in_order(_neighbour(*row) for *row, was_corrected in rows if not was_corrected),
            unsettled=unsettled([Ruled(*row) for row in ruled], task.names),
        )

    async def unembedded(self, embedder: str, limit: int) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        async with self._database.transaction() as session:
            # Each on its own reads along an index; one joint query would read all examples that have a vector
            for wanted in _UNEMBEDDED:
                rows = await session.execute(wanted, {"embedder": embedder, "limit": limit - len(found)})
                found += [(example, text) for example, text in rows]
                if len(found) == limit:
                    break
        return found

    async def count_unembedded(self, embedder: str) -> int:
        waiting = or_(*_without_vector(embedder))
        standing = ExampleRow.withdrawn_at.is_(None), ~is_set_aside("embed", ExampleRow.id)
        wanted = select(func.count(ExampleRow.id)).where(waiting, *standing)
        async with self._database.transaction() as session:
            return (await session.execute(wanted)).scalar_one()

    async def remember(self, embedder: str, vectors: Mapping[int, Vector]) -> None:
        if not vectors:
            return
        async with self._database.transaction() as session:
            # Only rows that nobody else has locked, so that this never waits for an import or an erasure while they
            # wait for it. A row left out has no vector yet, or just got one from another process: the next look shows
            # which
            late, judged = await unguarded(session, list(vectors))
            wanted = [one for one in vectors if one not in late or one in judged]
            free = select(ExampleRow.id).where(ExampleRow.id.in_(wanted)).order_by(ExampleRow.id)
            mine = (await session.scalars(free.with_for_update(skip_locked=True))).all()
            if not mine:
                return
            rows = [{"id": one, "vector": list(vectors[one]), "embedder": embedder} for one in mine]
            await session.execute(update(ExampleRow), rows)
            held = await guard_late(session, [one for one in mine if one in late], self._guards, self._now())
            if held:
                log.info("corrections held back once their vectors were there", extra={"corrections": len(held)})
            await announce(session, Change.EXAMPLE)


def _without_vector(embedder: str | BindParameter[str]) -> tuple[ColumnElement[bool], ...]:
    """The conditions for an example without a vector, and for one with a vector by another embedder."""
    return ExampleRow.embedder.is_(None), ExampleRow.embedder < embedder, ExampleRow.embedder > embedder


def _unembedded() -> tuple[Select[int, str], ...]:
    """The queries for examples without a vector, and for those with another embedder's vector, in an index's order."""
    ready = ~backs_off("embed", ExampleRow.id, func.now()), ~is_set_aside("embed", ExampleRow.id)
    told = bindparam("embedder", type_=ExampleRow.embedder.type)
    found = select(ExampleRow.id, ExampleRow.text).where(ExampleRow.withdrawn_at.is_(None), *ready)
    none, *others = [found.where(kind).limit(bindparam("limit", type_=Integer())) for kind in _without_vector(told)]
    return none.order_by(ExampleRow.id), *(one.order_by(ExampleRow.embedder, ExampleRow.id) for one in others)


_UNEMBEDDED = _unembedded()
"""Built once, so that they are compiled once: they run every second."""


def _pairs(ids: Iterable[Iterable[int]], corrected: bool) -> list[Pair]:
    """One pair for each example found, with the number of its text."""
    return [(n, one, corrected) for n, of in enumerate(ids) for one in of]


def _standing(task: Task) -> ColumnElement[bool]:
    """The examples that count: neither withdrawn nor quarantined, and of a label that the task still has."""
    return and_(
        ExampleRow.task == task.name,
        ExampleRow.withdrawn_at.is_(None),
        ~ExampleRow.quarantined,
        ExampleRow.label.in_(task.names),
    )


def _newest(task: Task) -> Select[int]:
    """For each text the newest correction, else the newest tap, as training has it (`learning.settle`).

    Ids alone: sorting whole rows would sort vectors.
    """
    by_a_tap = ExampleRow.source == Source.TAP
    return (
        select(ExampleRow.id)
        .where(_standing(task), ExampleRow.source.in_(CORRECTED), or_(~by_a_tap, vouched()))
        .ext(distinct_on(ExampleRow.text_key))
        .order_by(ExampleRow.text_key, by_a_tap, ExampleRow.at.desc(), ExampleRow.id.desc())
    )


def _anchor(task: Task) -> ColumnElement[bool]:
    trusted = or_(ExampleRow.source.in_(TRUSTED), ExampleRow.retired_by.is_not(None))
    return and_(_standing(task), trusted, ExampleRow.side == Side.TRAIN)


def _ranked(vector: Vector, key: str, embedder: str) -> Select[int, str, float, bool, str, str, float]:
    """The nearest examples, those of the very text first: they need no vector."""
    same = ExampleRow.text_key == key
    near = similarity(vector, embedder)
    told = ExampleRow.text, ExampleRow.source, ExampleRow.weight
    found = select(ExampleRow.id, ExampleRow.label, near, same, *told).where(or_(has_comparable_vector(embedder), same))
    return found.order_by(same.desc(), near.desc(), ExampleRow.id).limit(NEIGHBOURS)


def _with_own(found: Neighbours, tap: Neighbour | None) -> Neighbours:
    """The neighbours with what the person chose for this very text, unless a lead corrected the text.

    Who chose is not asked again because of a correction that waits.
    """
    if tap is None or any(one.same_text for one in found.corrections):
        return found
    return replace(found, corrections=_in_order((tap, *found.corrections)), unsettled=())


def _in_order(found: Iterable[Neighbour]) -> tuple[Neighbour, ...]:
    """The nearest examples in order, since a union promises none."""
    return tuple(sorted(found, key=lambda n: (not n.same_text, -n.similarity, n.example))[:NEIGHBOURS])


def _neighbour(
    example: int, label: str, similarity: float, same_text: bool, text: str, source: str, weight: float
) -> Neighbour:
    return Neighbour(example, label, similarity, same_text, text, basis_of(source), weight)


_: type[Memory] = PostgresMemory
