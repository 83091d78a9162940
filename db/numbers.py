"""Vectors as parameters, in PostgreSQL's own form: writing and parsing digits takes longer than the query itself.

All vectors of a statement are one array of `real`, of which each row takes its slice.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import postgres
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_REAL = postgres.types["float4"]
_ELEMENT = np.dtype([("bytes", ">i4"), ("number", ">f4")])


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers for a parameter `real[]`, at full precision."""

    all: npt.NDArray[np.float32]

    @classmethod
    def of(cls, rows: Sequence[Sequence[float]] | npt.NDArray[np.float32]) -> "Numbers":
        """The numbers of all rows, one row behind the other; the rows may differ in width."""
        parts = [np.asarray(row, np.float32) for row in rows]
        return cls(np.concatenate(parts) if parts else np.empty(0, np.float32))


class _InBinary(Dumper):
    format = Format.BINARY
    oid = _REAL.array_oid

    def dump(self, obj: Numbers) -> Buffer | None:
        elements = np.empty(len(obj.all), _ELEMENT)
        elements["bytes"], elements["number"] = _ELEMENT["number"].itemsize, obj.all
        dimensions = struct.pack(">ii", len(obj.all), 1) if len(obj.all) else b""  # the length, and the first index
        return struct.pack(">iiI", bool(dimensions), 0, _REAL.oid) + dimensions + elements.tobytes()


psycopg.adapters.register_dumper(Numbers, _InBinary)
