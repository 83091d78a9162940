"""Whether a weights file holds only finite numbers, checked without the torch stack, in any of the usual precisions."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

_EXPONENTS: Mapping[str, tuple[type[np.unsignedinteger], int]] = {
    "F64": (np.uint64, 0x7FF0_0000_0000_0000),
    "F32": (np.uint32, 0x7F80_0000),
    "F16": (np.uint16, 0x7C00),
    "BF16": (np.uint16, 0x7F80),
}
"""Bits of the exponent; if all are set, IEEE 754 (and likewise bfloat16) means infinity or NaN."""


def first_not_finite(file: Path) -> str | None:
    """The name of the first tensor of a safetensors file with an infinite weight or a NaN; None: there is none.

    The caller has checked the file: its header and lengths are right.
    """
    with file.open("rb") as opened:
        (length,) = struct.unpack("<Q", opened.read(8))
        header: dict[str, dict[str, object]] = json.loads(opened.read(length))
    for name, entry in header.items():
        kind = _EXPONENTS.get(str(entry.get("dtype")))
        if kind is not None and _any_set(file, 8 + length, entry["data_offsets"], *kind):
            return name
    return None


def _any_set(file: Path, start: int, offsets: object, width: type[np.unsignedinteger], exponent: int) -> bool:
    if not isinstance(offsets, list) or offsets[0] == offsets[1]:
        return False
    count = (offsets[1] - offsets[0]) // np.dtype(width).itemsize
    bits = np.fromfile(file, dtype=width, count=count, offset=start + offsets[0])
    return bool(((bits & width(exponent)) == width(exponent)).any())
