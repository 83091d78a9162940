"""The red lines: simple systems that anybody could build in an afternoon, on the same rows in the same run."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from benchmarks.bench.encoders import Encoder, Floats, minilm, use
from benchmarks.bench.figures import Answers

NEIGHBOURS, NEAREST = 30, 5
_SHARPNESS = 0.05
"""Neighbours weigh exp((s - s_max) / 0.05)."""
_TIMED = 200
ENGLISH, EVERYWHERE = ("majority", "svc", "minilm_lr", "minilm_knn"), ("use_lr", "use_knn")
TITLES = {
    "majority": "always the commonest label",
    "svc": "TF-IDF (words 1-2, characters 2-5) + linear SVC",
    "minilm_lr": "MiniLM + logistic regression",
    "minilm_knn": "MiniLM + kNN (k 30)",
    "use_lr": "USE multilingual + logistic regression",
    "use_knn": "USE multilingual + kNN (k 30)",
}


class Peer(Protocol):
    """A system that learns once and answers texts."""

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None: ...

    def answer(self, texts: Sequence[str]) -> Answers: ...


@dataclass(frozen=True, slots=True)
class Measured:
    """A peer's answers, and how long it took."""

    answers: Answers
    fit_seconds: float
    latencies: tuple[float, ...]
    """Milliseconds for each of the first texts, asked one by one."""


def measure(peer: Peer, learned: Sequence[tuple[str, str]], asked: Sequence[str]) -> Measured:
    """Learn, answer everything, then answer the first texts again, one by one."""
    began = time.perf_counter()
    peer.fit([text for text, _ in learned], [label for _, label in learned])
    fitted = time.perf_counter() - began
    answers = peer.answer(asked)
    latencies = []
    for text in asked[:_TIMED]:
        began = time.perf_counter()
        peer.answer([text])
        latencies.append((time.perf_counter() - began) * 1000)
    return Measured(answers, fitted, tuple(latencies))


class Majority:
    """Always answers the commonest label."""

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        self._label = Counter(labels).most_common(1)[0][0]

    def answer(self, texts: Sequence[str]) -> Answers:
        return Answers((self._label,) * len(texts))


class Svc:
    """Words, pairs of words and letter groups under a linear SVM."""

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
        self._model = make_pipeline(make_union(words, letters), LinearSVC(random_state=0)).fit(texts, labels)

    def answer(self, texts: Sequence[str]) -> Answers:
        margins = np.asarray(self._model.decision_function(texts))
        if margins.ndim == 1:
            margins = np.column_stack([-margins, margins])
        best = margins.max(axis=1)
        return Answers(_named(self._model.classes_, margins), _floats(best), strange=_floats(-best))


@dataclass
class Regression:
    """Multinomial logistic regression on vectors."""

    encoder: Encoder

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        self._model = LogisticRegression(C=30.0, max_iter=300).fit(self.encoder(texts), labels)

    def answer(self, texts: Sequence[str]) -> Answers:
        likely = self._model.predict_proba(self.encoder(texts))
        entropy = -np.sum(likely * np.log(np.maximum(likely, 1e-12)), axis=1)
        return Answers(_named(self._model.classes_, likely), _floats(likely.max(axis=1)), True, _floats(entropy))


@dataclass
class Nearest:
    """The k nearest vectors vote, nearer ones with more weight."""

    encoder: Encoder

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        self._model = KNeighborsClassifier(
            min(NEIGHBOURS, len(texts)),
            metric="cosine",
            algorithm="brute",
            weights=lambda away: np.exp((away.min(axis=1, keepdims=True) - away) / _SHARPNESS),
        ).fit(self.encoder(texts), labels)

    def answer(self, texts: Sequence[str]) -> Answers:
        vectors = self.encoder(texts)
        likely = self._model.predict_proba(vectors)
        away, _ = self._model.kneighbors(vectors, min(NEAREST, self._model.n_neighbors))
        return Answers(
            _named(self._model.classes_, likely), _floats(likely.max(axis=1)), True, _floats(away.mean(axis=1))
        )


Peers = Mapping[str, Callable[[], Peer]]


def peers() -> Peers:
    """Every peer by its arm's name. Peers on the same vectors share these across sets."""
    english, everywhere = Encoder(minilm), Encoder(use)
    return {
        "majority": Majority,
        "svc": Svc,
        "minilm_lr": lambda: Regression(english),
        "minilm_knn": lambda: Nearest(english),
        "use_lr": lambda: Regression(everywhere),
        "use_knn": lambda: Nearest(everywhere),
    }


def _named(classes: Sequence[str], scores: Floats) -> tuple[str, ...]:
    return tuple(str(classes[place]) for place in scores.argmax(axis=1))


def _floats(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
