"""The voice that reads words: TF-IDF of words, pairs of words and letter groups under a linear SVM."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from inference.voices.linear import Floats, Linear, fit

NAME = "words"
_MOST_WORDS, _MOST_LETTERS = 20_000, 40_000
"""Features kept, most frequent first. On CLINC150 and banking77 no point is lost by these caps, and a model of 150
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
    """A fitted voice. Equal inputs give equal answers in every process."""

    words: Vocabulary
    letters: Vocabulary
    linear: Linear

    def log_probabilities(self, texts: Sequence[str]) -> Floats:
        """Texts × labels, each row the logarithms of a distribution; labels in the order of `linear.labels`.

        A row of NaN: it knows no piece of the text that has a letter in it, so that it cannot have read it.
        """
        vectorizers = (_with(_words(), self.words), _with(_letters(), self.letters))
        features = _stacked([v.transform(texts) for v in vectorizers])
        said = self.linear.log_probabilities(features)
        said[[not self._reads(row.indices) for row in features]] = np.nan
        return said

    def _reads(self, columns: Iterable[int]) -> bool:
        """Whether one of these features has a letter in it: a known full stop or number is no known word."""
        known, letters = self.words.features, self.letters.features
        names = (known[at] if at < len(known) else letters[at - len(known)] for at in columns)
        return any(any(map(str.isalpha, name)) for name in names)


def fit_words(texts: Sequence[str], labels: Sequence[str]) -> tuple[WordsModel, Floats]:
    """(the voice, what it says of each text without having learned from it). Needs two labels and one word."""
    words, letters = _words(), _letters()
    features = _stacked([words.fit_transform(texts), letters.fit_transform(texts)])
    linear, unseen = fit(lambda: LinearSVC(random_state=0), features, labels)
    return WordsModel(_of(words), _of(letters), linear), unseen


def _words() -> TfidfVectorizer:
    # Whatever stands between spaces and punctuation is a word: "C++" is no "C", -20 is not 20, and a vowel sign of
    # Hindi, which is no letter, tears no word apart. Where nothing is written between words, letter groups read them
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


def _with(vectorizer: TfidfVectorizer, known: Vocabulary) -> TfidfVectorizer:
    vectorizer.vocabulary = {feature: column for column, feature in enumerate(known.features)}
    vectorizer.idf_ = known.rarity
    return vectorizer


def _stacked(parts: Sequence[csr_matrix]) -> csr_matrix:
    return csr_matrix(hstack(parts), dtype=np.float32)  # type: ignore[no-untyped-call]
