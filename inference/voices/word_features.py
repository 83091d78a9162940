"""The TF-IDF of a text without what scikit-learn checks anew for every call, which is most of one short text's time.

The features are cut out of the text by scikit-learn's own analyzer; counting and weighing them is the same arithmetic
in the same order, so that a text has the very numbers that its voice has learned by (a test compares them).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from inference.voices.voice import Array, Floats


@dataclass(frozen=True, slots=True)
class Features:
    """What one vectorizer reads: how it cuts a text, the column of each feature, and how rare each is."""

    cut: Callable[[str], Iterable[str]]
    columns: Mapping[str, int]
    rarity: Floats

    @classmethod
    def of(cls, vectorizer: TfidfVectorizer, known: Sequence[str], rarity: Floats) -> "Features":
        """Those of a vectorizer whose numbers are logarithmic and whose rows have length 1."""
        return cls(vectorizer.build_analyzer(), {feature: place for place, feature in enumerate(known)}, rarity)

    def weighed(self, text: str) -> tuple[Array, Floats]:
        """(the columns of what it knows of the text, in order, the numbers in them)."""
        get = self.columns.get
        counted = Counter(place for piece in self.cut(text) if (place := get(piece)) is not None)
        if not counted:
            return np.empty(0, np.int32), np.empty(0, np.float32)
        places = np.array(sorted(counted), np.int32)
        numbers = np.array([counted[place] for place in places.tolist()], np.float32)
        numbers = (np.log(numbers) + np.float32(1)) * self.rarity[places]
        length = np.sqrt(np.square(numbers, dtype=np.float64).sum())
        return places, (numbers / length).astype(np.float32)


def table(texts: Sequence[str], readers: Sequence[Features]) -> csr_matrix:
    """Texts × the features of all readers, one reader's columns behind the other's."""
    starts = np.cumsum([0, *(len(reader.columns) for reader in readers)])
    parts = [[reader.weighed(text) for reader in readers] for text in texts]
    places = [places + start for row in parts for (places, _), start in zip(row, starts[:-1], strict=True)]
    numbers = [numbers for row in parts for _, numbers in row]
    ends = np.cumsum([0, *(sum(len(places) for places, _ in row) for row in parts)])
    if not texts:
        return csr_matrix((0, int(starts[-1])), dtype=np.float32)  # type: ignore[no-untyped-call]
    columns = np.concatenate(places).astype(np.int32)
    shape = (len(texts), int(starts[-1]))
    filled = np.concatenate(numbers), columns, ends.astype(np.int32)
    return csr_matrix(filled, shape=shape)  # type: ignore[no-untyped-call]
