"""Figures from answers: how often they are right, how sure they may be, and whether two systems differ."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score, roc_curve

from bot.domain import score_metrics
from bot.domain.learning import Score, Source


@dataclass(frozen=True, slots=True)
class Answers:
    """One system's answers, in the order of the questions."""

    given: tuple[str, ...]
    sure: tuple[float, ...] = ()
    """How sure it is of each answer: any number that grows with certainty; empty: not known."""
    calibrated: bool = False
    """Whether these numbers are meant as probabilities."""
    strange: tuple[float, ...] = ()
    """How far each text is from everything known; empty: not known."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One system's figures on one set or a part of it; None: not measurable."""

    n: int
    accuracy: float
    macro_f1: float
    ece: float | None
    coverage: float | None
    """The share of texts that can be decided, surest first, so that 95 % of them are right."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Two systems on the same texts: how often only one of them was right."""

    gained: int
    lost: int
    p: float


def figures(truth: Sequence[str], answers: Answers) -> Figures:
    """The figures of these answers. Raises ValueError when a text has no answer."""
    rows = zip(truth, answers.given, answers.sure or [0.0] * len(truth), strict=True)
    scores = [Score("", Source.IMPORT, right, given, {given: sure}) for right, given, sure in rows]
    return Figures(
        len(truth),
        float(accuracy_score(truth, answers.given)),
        float(f1_score(truth, answers.given, labels=sorted(set(truth)), average="macro", zero_division=0.0)),
        score_metrics.ece(scores) if answers.calibrated else None,
        score_metrics.coverage_at(scores) if answers.sure else None,
    )


def mcnemar(truth: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> Paired:
    """McNemar's exact two-sided test: how likely so uneven a split is among the texts that only one of the two has
    right."""
    rows = list(zip(truth, ours, theirs, strict=True))
    gained = sum(right == one != other for right, one, other in rows)
    lost = sum(right == other != one for right, one, other in rows)
    if gained + lost == 0:
        return Paired(0, 0, 1.0)
    test = stats.binomtest(gained, gained + lost, 0.5)  # type: ignore[attr-defined]
    return Paired(gained, lost, float(test.pvalue))


def out_of_scope(strange: Sequence[float], is_stranger: Sequence[bool]) -> tuple[float, float]:
    """(area under the ROC curve, share of strangers let in where 95 % of the others are let in)."""
    area = float(roc_auc_score(is_stranger, strange))
    let_in_strangers, let_in_others, _ = roc_curve(
        np.logical_not(is_stranger), -np.asarray(strange), drop_intermediate=False
    )
    return area, float(let_in_strangers[np.argmax(let_in_others >= 0.95)])


def rank_sum(*signs: Sequence[float]) -> list[float]:
    """Several signs of strangeness combined: the sum of the ranks that each gives the texts."""
    return [float(total) for total in np.sum([stats.rankdata(sign) for sign in signs], axis=0)]


def quantile(values: Sequence[float], share: float) -> float | None:
    """The quantile; None for no values."""
    return float(np.quantile(values, share)) if len(values) else None
