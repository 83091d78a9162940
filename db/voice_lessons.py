"""What the voices beside the model are fitted on, read from the examples."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.learning import FRESH, Example, Side, Source, replayed, settle, text_key
from bot.domain.model_ports import Lesson, Vector, VoiceLessons
from bot.domain.tasks import Task
from db.engine import Database
from db.reading.own_taps import teaches_everybody
from db.tables import ExampleRow, LabelChangeRow

_AT_ONCE = 2_000
_STANDING = and_(ExampleRow.withdrawn_at.is_(None), ~ExampleRow.quarantined)


class PostgresVoiceLessons:
    """The `model_ports.VoiceLessons` port in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stamp(self, task: Task, embedder: str) -> str:
        newest = func.coalesce(func.max(ExampleRow.id), 0)
        standing = func.count().filter(_STANDING)
        read = func.count().filter(and_(_STANDING, ExampleRow.embedder == embedder))
        wanted = select(newest, func.count(), standing, read).where(ExampleRow.task == task.name)
        async with self._database.transaction() as session:
            counted = (await session.execute(wanted)).one()
            relabelled = await session.scalar(select(func.count()).where(LabelChangeRow.task == task.name)) or ""
        labels = hashlib.sha256(json.dumps(sorted(task.names)).encode()).hexdigest()[:12]
        return "-".join(map(str, counted)) + f"-{embedder}-{labels}{relabelled}"

    async def lessons(self, task: Task, embedder: str, limit: int) -> list[Lesson]:
        columns = ExampleRow.text, ExampleRow.label, ExampleRow.source, ExampleRow.at  # vectors of many are gigabytes
        wanted = (
            select(*columns)
            .where(
                ExampleRow.task == task.name, ExampleRow.label.in_(task.names), ExampleRow.side == Side.TRAIN, _STANDING
            )
            .where(teaches_everybody())
        )
        async with self._database.transaction() as session:
            rows = (await session.execute(wanted.order_by(ExampleRow.id))).all()
            chosen = await asyncio.to_thread(
                _chosen, [(text, label, source, at) for text, label, source, at in rows], limit
            )
            vectors = await self._vectors(session, task, embedder, list(chosen))
        return [Lesson(key, one.text, one.label, vectors.get(key), one.source in FRESH) for key, one in chosen.items()]

    async def _vectors(
        self, session: AsyncSession, task: Task, embedder: str, keys: Sequence[str]
    ) -> dict[str, Vector]:
        found: dict[str, Vector] = {}
        standing = and_(ExampleRow.task == task.name, ExampleRow.embedder == embedder, _STANDING)
        for start in range(0, len(keys), _AT_ONCE):
            some = ExampleRow.text_key.in_(keys[start : start + _AT_ONCE])
            rows = await session.execute(select(ExampleRow.text_key, ExampleRow.vector).where(standing, some))
            found |= {key: vector for key, vector in rows if vector is not None}
        return found


def _chosen(rows: Sequence[tuple[str, str, str, datetime]], limit: int) -> dict[str, Example]:
    """Content hash -> the example that counts for that text; `limit` of them at most."""
    known = settle([Example(text, label, Source(source), Side.TRAIN, at) for text, label, source, at in rows])
    return {text_key(example.text): example for example in replayed(known, limit)}


_: type[VoiceLessons] = PostgresVoiceLessons
