"""The voice that reads words: TF-IDF of words, pairs of words and letter groups under a linear SVM."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from bot.domain.mixture import USUAL, WORDS
from inference.prompt import readable
from inference.voices.linear import Linear, fit
from inference.voices.voice import FittedVoice, Floats, Lessons, Questions, Stored, Voice
from inference.voices.word_features import Features, table

_MOST_WORDS, _MOST_LETTERS = 20_000, 40_000
"""The most features kept, most frequent first. On CLINC150 and banking77 these caps cost no point, and a model of 150
labels stays under 40 MB."""


_WORD = r"""[^\s!"&'()*,./:;<=>?@\[\\\]^`{|}~¡§«·»¿‐‑–—‘’“”„…‹›،؛؟۔।॥、。〈〉《》「」『』【】〜・！（），：；？]+"""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The features of one vectorizer, in the order of their columns, and how rare each is."""

    features: tuple[str, ...]
    rarity: Floats
    """Inverse document frequency."""


@dataclass(frozen=True, slots=True)
class WordsModel:
    """See `voice.FittedVoice`."""

    words: Vocabulary
    letters: Vocabulary
    linear: Linear
    _readers: tuple[Features, ...] = field(init=False, repr=False, compare=False)
    """Built once: their vocabularies have tens of thousands of entries."""
    _lettered: NDArray[np.bool_] = field(init=False, repr=False, compare=False)
    """Which features contain a letter: knowing a full stop or a number is not knowing a word."""

    def __post_init__(self) -> None:
        parts = ((_words(), self.words), (_letters(), self.letters))
        readers = tuple(Features.of(reader, known.features, known.rarity) for reader, known in parts)
        object.__setattr__(self, "_readers", readers)
        every = (*self.words.features, *self.letters.features)
        lettered = np.array([any(map(str.isalpha, name)) for name in every], np.bool_)
        object.__setattr__(self, "_lettered", lettered)

    @property
    def labels(self) -> tuple[str, ...]:
        return self.linear.labels

    def log_probabilities(self, questions: Questions) -> Floats:
        """See `voice.FittedVoice`. It has no answer for a text in which it knows no feature with a letter."""
        features = table([readable(text) for text in questions.texts], self._readers)
        said = self.linear.log_probabilities(features)
        rows = zip(features.indptr[:-1], features.indptr[1:], strict=True)
        said[[not self._lettered[features.indices[start:end]].any() for start, end in rows]] = np.nan
        return said

    def stored(self) -> Stored:
        """See `voice.FittedVoice`."""
        linear = self.linear.stored()
        rarity = {"words.rarity": self.words.rarity, "letters.rarity": self.letters.rarity}
        features = {"words": self.words.features, "letters": self.letters.features}
        return Stored({**linear.arrays, **rarity}, {**linear.names, **features})


@dataclass(frozen=True, slots=True)
class WordsVoice:
    """See `voice.Voice`."""

    name: str = WORDS
    usual: float = USUAL[WORDS]

    def fit(self, lessons: Lessons) -> tuple[FittedVoice, Floats] | None:
        """See `voice.Voice`."""
        if len(set(lessons.labels)) < 2 or not any(any(c.isalnum() for c in text) for text in lessons.texts):
            return None
        words, letters = _words(), _letters()
        texts = [readable(text) for text in lessons.texts]
        features = _stacked([words.fit_transform(texts), letters.fit_transform(texts)])
        linear, unseen = fit(lambda: LinearSVC(random_state=0), features, lessons.labels)
        return WordsModel(_of(words), _of(letters), linear), unseen

    def restored(self, stored: Stored) -> FittedVoice:
        """See `voice.Voice`."""
        words, letters = (
            Vocabulary(tuple(stored.names[part]), np.asarray(stored.arrays[f"{part}.rarity"], dtype=np.float32))
            for part in ("words", "letters")
        )
        linear = Linear.restored(stored)
        if not len(words.rarity) + len(letters.rarity) == linear.weights.shape[1]:
            raise ValueError("its features and its weights do not match")
        return WordsModel(words, letters, linear)


def _words() -> TfidfVectorizer:
    # Everything between spaces and punctuation is a word: "C++" is not "C", -20 is not 20, and a vowel sign of Hindi,
    # which is no letter, splits no word. In scripts without spaces between words, letter groups serve instead
    return TfidfVectorizer(
        ngram_range=(1, 2),
        sublinear_tf=True,
        max_features=_MOST_WORDS,
        token_pattern=_WORD,
        dtype=np.float32,
    )


def _letters() -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, max_features=_MOST_LETTERS, dtype=np.float32
    )


def _of(vectorizer: TfidfVectorizer) -> Vocabulary:
    return Vocabulary(tuple(vectorizer.get_feature_names_out()), np.asarray(vectorizer.idf_, dtype=np.float32))


def _stacked(parts: Sequence[csr_matrix]) -> csr_matrix:
    return csr_matrix(hstack(parts), dtype=np.float32)  # type: ignore[no-untyped-call]


_: type[Voice] = WordsVoice
