"""Reading a task's vectors from the table, as fast as they come."""

from collections.abc import Sequence

import numpy as np
import psycopg

from bot.domain.embedders import comparable
from bot.domain.learning import Side
from bot.domain.tasks import Task
from db.engine import Database, translated
from db.reading.held_examples import CORRECTED, TRUSTED, HeldExamples
from db.reading.own_taps import VOUCHED
from db.reading.vector_table import Floats

_AT_ONCE = 2_000
_HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_CORRECTIONS = """
    SELECT id, text_key, embedder, CASE WHEN embedder = ANY(%(embedders)s) AND retired_by IS NULL THEN vector END
    FROM (
        SELECT DISTINCT ON (text_key) id, text_key, embedder, vector, retired_by FROM examples
        WHERE task = %(task)s AND withdrawn_at IS NULL AND NOT quarantined
            AND label = ANY(%(labels)s) AND source = ANY(%(corrected)s) AND $VOUCHED
        ORDER BY text_key, source = 'tap', at DESC, id DESC
    ) newest
""".replace("$VOUCHED", VOUCHED)
_ANCHORS = """
    SELECT id, text_key, embedder, vector FROM examples
    WHERE task = %(task)s AND withdrawn_at IS NULL AND NOT quarantined AND embedder = ANY(%(embedders)s)
        AND label = ANY(%(labels)s) AND (source = ANY(%(trusted)s) OR retired_by IS NOT NULL)
        AND side = %(train)s AND vector IS NOT NULL
"""
_Rows = Sequence[tuple[int, str, str, bytes | None]]


async def load(database: Database, task: Task, embedder: str) -> HeldExamples:
    """Load every example that counts now. Later writes are caught up with afterwards. Raises Unreachable."""
    asked: dict[str, object] = {
        "task": task.name,
        "embedders": list(comparable(embedder)),
        "labels": list(task.names),
        "corrected": [str(source) for source in CORRECTED],
        "trusted": [str(source) for source in TRUSTED],
        "train": str(Side.TRAIN),
    }
    connection = await database.dedicated()
    with translated():
        async with connection:
            cursor = await connection.execute(_HORIZON)
            (since,) = await cursor.fetchone() or (0,)
            held = HeldExamples(task, embedder, since)
            await _add(connection, held, _CORRECTIONS, asked, corrected=True)
            await _add(connection, held, _ANCHORS, asked, corrected=False)
    return held


async def _add(
    connection: psycopg.AsyncConnection, held: HeldExamples, query: str, asked: dict[str, object], corrected: bool
) -> None:
    async with connection.transaction(), connection.cursor("examples", binary=True) as cursor:
        await cursor.execute(query.encode(), asked)
        while rows := await cursor.fetchmany(_AT_ONCE):
            _take(held, rows, corrected)


def _take(held: HeldExamples, rows: _Rows, corrected: bool) -> None:
    if corrected:
        held.know({one: key for one, key, _, _ in rows})
    kinds = {(embedder, len(vector)) for _, _, embedder, vector in rows if vector is not None}
    for kind in sorted(kinds):
        of = [(one, vector) for one, _, by, vector in rows if vector is not None and (by, len(vector)) == kind]
        held.add([one for one, _ in of], kind[0], _floats([vector for _, vector in of]), corrected)


def _floats(vectors: Sequence[bytes]) -> Floats:
    """Vectors from the form PostgreSQL sends: the number of dimensions, two empty bytes, the numbers, big-endian."""
    raw = np.frombuffer(b"".join(vectors), np.uint8).reshape(len(vectors), -1)
    return np.ascontiguousarray(raw[:, 4:]).view(">f4").astype(np.float32)
