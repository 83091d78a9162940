"""Vectors held in memory, one byte a dimension, and a search that compares every one, so that none is missed.

A byte is coarse, so this only proposes: the caller takes a few more than needed and compares those exactly. A million
vectors of 384 dimensions take 400 MB; of two encoders' 896 dimensions, 900.
"""

import os
from collections.abc import Collection, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bot.domain.embedders import Likeness

Floats: TypeAlias = npt.NDArray[np.float32]
_BLOCK = 65_536
"""Rows of one product: its result stays in the processor's cache."""
_FEW = 8_192
"""Below this many rows a plain product is as fast, and needs nothing but numpy."""
_GROW = 1_024
_ALONE, _TOGETHER = 2, 8
"""torch's product is quick for one question and for multiples of eight: so many are asked one after the other, and so
many together. For the two forms of one question among ten thousand rows the first takes a fifth to nine tenths of the
time, depending on what else wants the caches."""
_CORES = os.cpu_count() or 1
_COSINE = Likeness()
_LAST, _BOTH, _FIRST = 0, 1, 2
"""Which parts of a vector are there: only the last, both, or only the first."""


class VectorTable:
    """Vectors by id. All have the width of the first; vectors of another width are not comparable, and are left out."""

    def __init__(self, likeness: Likeness = _COSINE) -> None:
        self._likeness = likeness
        self._codes = np.empty((0, 0), np.int8)
        self._scales = np.empty(0, np.float32)
        self._kinds = np.empty(0, np.int8)
        """Which parts each vector has, as `_kinds` computes."""
        self._ids = np.empty(0, np.int64)
        self._places: dict[int, int] = {}
        self._plain: Floats | None = None
        """The codes of a small table in the form the product needs, until a vector changes."""

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, one: int) -> bool:
        return one in self._places

    @property
    def size(self) -> int:
        """Bytes, without the index of places."""
        return self._codes.nbytes + self._scales.nbytes + self._ids.nbytes

    def put(self, ids: Sequence[int], vectors: Floats) -> None:
        """Add these vectors, or replace those with the same ids."""
        if not len(self):
            self._codes = np.zeros((len(self._ids), vectors.shape[1]), np.int8)
        if vectors.shape[1] != self._codes.shape[1]:
            return
        self._make_room(len(self) + len(ids))
        places = [self._places.setdefault(one, len(self._places)) for one in ids]
        codes, scales = _coded(vectors)
        self._codes[places], self._scales[places], self._ids[places] = codes, scales, ids
        self._kinds[places] = _kinds(vectors, self._likeness.own)
        self._plain = None

    def drop(self, one: int) -> None:
        """Remove the vector; the last one takes its place."""
        place = self._places.pop(one, None)
        if place is None:
            return
        last = len(self._places)
        if place != last:
            for column in (self._codes, self._scales, self._kinds, self._ids):
                column[place] = column[last]
            self._places[int(self._ids[place])] = place
        self._codes[last] = 0
        self._plain = None

    def nearest(self, wanted: Floats, most: int, hidden: Sequence[Collection[int]]) -> list[list[int]]:
        """The ids nearest to each wanted vector, without those hidden from it; nearest first."""
        if not len(self) or wanted.shape[1] != self._codes.shape[1]:
            return [[] for _ in wanted]
        away = [[self._places[one] for one in ids if one in self._places] for ids in hidden]
        blocks = [self._best(start, wanted, most, away) for start in range(0, len(self), _BLOCK)]
        places, scores = (np.concatenate(parts, axis=1) for parts in zip(*blocks, strict=True))
        order = np.argsort(-scores, axis=1)[:, :most]
        return [
            [int(self._ids[place[n]]) for n in row if np.isfinite(score[n])]
            for row, place, score in zip(order, places, scores, strict=True)
        ]

    def _best(
        self, start: int, wanted: Floats, most: int, away: Sequence[Sequence[int]]
    ) -> tuple[npt.NDArray[np.int64], Floats]:
        """For one block and each wanted vector: the best places and their scores, in no order."""
        end = min(start + _BLOCK, len(self))
        scores = self._scores(slice(start, end), wanted)
        for row, places in zip(scores, away, strict=True):
            row[[place - start for place in places if start <= place < end]] = -np.inf
        kept = min(most, end - start)
        best = np.argpartition(scores, end - start - kept, axis=1)[:, -kept:]
        return best + start, np.take_along_axis(scores, best, axis=1)

    def _scores(self, rows: slice, wanted: Floats) -> Floats:
        """Similarities as exact as bytes allow, one row for each wanted vector."""
        forms, kinds = self._likeness.forms(wanted), self._kinds[rows]
        every = ((_LAST, forms.last), (_BOTH, forms.both), (_FIRST, forms.first))
        usual, *rest = ((kind, form) for kind, form in every if np.any(kinds == kind))
        # A question without the first part has one form for all that have the last
        asked = [usual, *((kind, form) for kind, form in rest if not np.array_equal(form, usual[1]))]
        # One product for all forms: most of the time goes into reading every vector
        products = self._products(rows, np.concatenate([form for _, form in asked]))
        scores, *others = np.split(products, len(asked))
        for (kind, _), product in zip(asked[1:], others, strict=True):
            scores = np.where(kinds == kind, product, scores)
        return scores * self._scales[None, rows]

    def _products(self, rows: slice, wanted: Floats) -> Floats:
        if len(self) >= _FEW:
            return _coded_products(self._codes[rows], wanted)
        if self._plain is None:
            self._plain = self._codes[: len(self)].astype(np.float32)
        return np.asarray(wanted @ self._plain[rows].T, np.float32)

    def _make_room(self, rows: int) -> None:
        if rows <= len(self._ids):
            return
        more = max(rows, len(self._ids) + max(_GROW, len(self._ids) // 4)) - len(self._ids)
        self._codes = np.concatenate([self._codes, np.zeros((more, self._codes.shape[1]), np.int8)])
        self._scales = np.concatenate([self._scales, np.zeros(more, np.float32)])
        self._kinds = np.concatenate([self._kinds, np.zeros(more, np.int8)])
        self._ids = np.concatenate([self._ids, np.zeros(more, np.int64)])


def _kinds(vectors: Floats, own: int) -> npt.NDArray[np.int8]:
    if not own:
        return np.full(len(vectors), _LAST, np.int8)
    first, last = vectors[:, :own].any(axis=1), vectors[:, own:].any(axis=1)
    return np.where(first, np.where(last, _BOTH, _FIRST), _LAST).astype(np.int8)


def _coded(vectors: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Each vector as bytes, and the value of one step of its bytes."""
    scales = np.maximum(np.abs(vectors).max(axis=1), np.float32(1e-12)) / np.float32(127)
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def _coded_products(codes: npt.NDArray[np.int8], wanted: Floats) -> Floats:
    """Each wanted vector's product with every row, up to a factor that keeps the order of the rows."""
    try:
        import torch  # a large library, which only a large memory needs
    except ImportError:
        return _plain_products(codes, wanted)
    # Set each time, since it holds only for the calling thread. Two threads wait for each other while the process does
    # other work, and so take seven times as long for ten thousand rows
    torch.set_num_threads(1 if len(codes) < _BLOCK else _CORES)
    questions, scales = _coded(wanted)
    known, asked = torch.from_numpy(codes), torch.from_numpy(questions)
    if len(questions) <= _ALONE:
        found = np.stack([torch._int_mm(known, one[:, None]).numpy()[:, 0] for one in asked])
    else:
        padded = torch.nn.functional.pad(asked, (0, 0, 0, -len(asked) % _TOGETHER))
        found = torch._int_mm(known, padded.T.contiguous()).numpy().T[: len(wanted)]
    return np.ascontiguousarray(found, dtype=np.float32) * scales[:, None]


def _plain_products(codes: npt.NDArray[np.int8], wanted: Floats) -> Floats:
    """The same without torch: exact, but several times slower."""
    questions, scales = _coded(wanted)
    return np.asarray((questions.astype(np.float32) @ codes.astype(np.float32).T) * scales[:, None], np.float32)
