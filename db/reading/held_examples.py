"""A task's part of the memory, held in this process and kept equal to the table."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.embedders import comparable, known_of
from bot.domain.learning import Side, Source
from bot.domain.tasks import Task
from db.reading.own_taps import VOUCHED
from db.reading.unsettled import Ruled, unsettled
from db.reading.vector_table import Floats, VectorTable

CORRECTED = (Source.CORRECTION, Source.TAP)
TRUSTED = (Source.SEED, Source.SETTINGS, Source.IMPORT, Source.CONFIRMATION)

_TOUCHED: TextClause = text(
    """
    WITH touched AS (
        SELECT text_key FROM examples WHERE changed >= :since AND task = :task
        UNION SELECT unnest(CAST(:keys AS text[]))
    )
    SELECT said.*, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon
    FROM (SELECT) AS always LEFT JOIN (
        SELECT id, text_key, label, source, side, at, quarantined OR withdrawn_at IS NOT NULL AS gone,
            retired_by IS NOT NULL AS retired, $VOUCHED AS counts, changed >= :since AS fresh,
            lead, quarantined AS waits, withdrawn_at IS NULL
                AND (source = 'correction' OR source = 'confirmation' AND quarantined) AS ruled,
            embedder, CASE WHEN embedder = ANY(:embedders) AND withdrawn_at IS NULL AND NOT quarantined
                AND (changed >= :since OR source IN ('correction', 'tap')) THEN vector END AS vector
        FROM examples
        WHERE task = :task AND text_key IN (SELECT text_key FROM touched)
            AND (withdrawn_at IS NULL OR changed >= :since)
    ) AS said ON true
""".replace("$VOUCHED", VOUCHED)
)
"""The changed examples, all other examples of the same texts, and those of the texts in question; and the snapshot they
are of, in a row without an example where there are none."""


@dataclass(frozen=True, slots=True)
class SameText:
    """The examples of one very text, by id, as corrected or trusted."""

    corrected: tuple[int, ...] = ()
    trusted: tuple[int, ...] = ()
    tapped: bool = False
    """Whether a person chose a team for these very words; whose choice it is decides who gets it."""
    unsettled: tuple[str, ...] = ()
    """See `unsettled.unsettled`."""

    @property
    def ids(self) -> frozenset[int]:
        return frozenset(self.corrected + self.trusted)


@dataclass(slots=True)
class HeldExamples:
    """Corrections and anchors of one task. Not safe for concurrent use: hold `lock`."""

    task: Task
    embedder: str
    since: int
    """Rows written by this transaction or later ones may be unknown here."""
    corrections: VectorTable = field(init=False)
    anchors: VectorTable = field(init=False)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _keys: dict[int, str] = field(default_factory=dict)
    """The text key of every correction: when one is gone, an older one that it hid counts again."""

    def __post_init__(self) -> None:
        likeness = known_of(self.embedder).likeness
        self.corrections, self.anchors = VectorTable(likeness), VectorTable(likeness)

    def add(self, ids: Sequence[int], embedder: str, vectors: Floats, corrected: bool) -> None:
        """Add vectors read from the table; all by one embedder."""
        likeness = known_of(self.embedder).likeness
        (self.corrections if corrected else self.anchors).put(ids, likeness.widened(embedder, vectors))

    def know(self, keys: Mapping[int, str]) -> None:
        """Add corrections, with or without a vector, with the keys of their texts."""
        self._keys |= keys

    async def catch_up(self, session: AsyncSession, keys: Sequence[str]) -> Mapping[str, SameText]:
        """Take in everything committed by now; return the examples of these very texts."""
        horizon, rows = await self._read(session, keys)
        seen = {row.text_key for row in rows}
        uncovered = {self._keys[row.id] for row in rows if row.fresh and row.id in self._keys} - seen
        if uncovered:
            _, besides = await self._read(session, sorted(uncovered))
            rows = [*rows, *(row for row in besides if row.text_key in uncovered)]
        known = {key: self._told(of) for key, of in _by_text(rows).items()}
        self.since = horizon
        return {key: known[key] for key in keys if key in known}

    async def _read(self, session: AsyncSession, keys: Sequence[str]) -> tuple[int, Sequence[Row[tuple[object, ...]]]]:
        """(the oldest transaction that may still write anything not read here, the rows)."""
        embedders = list(comparable(self.embedder))
        asked = {"since": self.since, "task": self.task.name, "embedders": embedders, "keys": list(keys)}
        rows = (await session.execute(_TOUCHED, asked)).all()
        return rows[0].horizon, [row for row in rows if row.id is not None]

    def _told(self, rows: Sequence[Row[tuple[object, ...]]]) -> SameText:
        """Take in all examples of one text."""
        names = frozenset(self.task.names)
        standing = [row for row in rows if not row.gone and row.label in names]
        said = [row for row in standing if row.source in CORRECTED and row.counts]
        newest = max(said, key=lambda row: (row.source != Source.TAP, row.at, row.id), default=None)
        corrected = () if newest is None else (newest.id,)
        settled = [row for row in standing if row.source in TRUSTED or row.retired]
        trusted = tuple(row.id for row in settled if row.side == Side.TRAIN)
        for row in rows:
            self._put(self.corrections, row, row.id in corrected and not row.retired)
            self._put(self.anchors, row, row.id in trusted)
            if row.source in CORRECTED and not row.gone:
                self._keys[row.id] = row.text_key
            elif row.gone:
                self._keys.pop(row.id, None)
        ruled = [Ruled(row.id, row.label, row.lead, row.at, row.waits) for row in rows if row.ruled]
        tapped = any(row.source == Source.TAP for row in standing)
        return SameText(corrected, trusted, tapped, unsettled(ruled, names))

    def _put(self, table: VectorTable, row: Row[tuple[object, ...]], belongs: bool) -> None:
        if not belongs:
            table.drop(row.id)
        elif row.fresh or row.id not in table:
            table.drop(row.id)
            if row.vector is not None:
                self.add([row.id], row.embedder, parsed([row.vector]), table is self.corrections)


def parsed(vectors: Iterable[str]) -> Floats:
    """Vectors parsed from the form PostgreSQL writes."""
    return np.array([np.fromstring(one[1:-1], np.float32, sep=",") for one in vectors], np.float32)


def _by_text(rows: Iterable[Row[tuple[object, ...]]]) -> Mapping[str, list[Row[tuple[object, ...]]]]:
    found = defaultdict(list)
    for row in rows:
        found[row.text_key].append(row)
    return found
