"""Several ways of deciding ("arms") on the same messages: what each is worth, and how far each is from what serves."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.domain.languages import FLOOR, UNDETERMINED, by_language
from bot.domain.learning import Example, Score, Side, text_key
from bot.domain.near_duplicates import near_groups
from bot.domain.paired_tests import Paired, at_least, paired
from bot.domain.predictions import NO_ANSWER
from bot.domain.score_metrics import accuracy, coverage_at, ece, macro_f1

MAJORITY, SERVED, WITHOUT = "majority", "mixture", "mixture without adapter"
_DRAWS, _SEED, _ERROR = 20_000, 11, 0.05


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of deciding, and its answer to each message."""

    name: str
    scores: Sequence[Score]
    """In the order of the messages; where it had no answer, `NO_ANSWER`."""
    graded: bool = True
    """Whether answers come with a probability."""
    milliseconds: Sequence[float] = ()
    """The time of single decisions; empty: not known."""
    per_1000: float | None = None
    """The cost of 1,000 decisions; None: there is no price."""
    tokens: tuple[float, float] | None = None
    """Tokens sent and received for one message, on average; None: it uses none, or they were not counted."""
    stopped: str = ""
    """Why it was not asked about every message; empty: it was."""
    handed_on: float | None = None
    """The share of the messages that a cascade hands on; None: it is no cascade."""
    asked: frozenset[str] = frozenset()
    """Content hashes of the messages for which it would ask the person."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better than what serves, as a share of the messages."""

    gain: float
    low: float
    high: float
    """The 95 % interval's ends, by the paired bootstrap."""
    p_value: float
    """Exact, two-sided McNemar: the chance of so uneven a split if both were equally good."""
    pairs: Paired

    @property
    def margin(self) -> float:
        """Half of the interval's width."""
        return (self.high - self.low) / 2

    @property
    def better(self) -> bool:
        """Whether it is proven better, both by the interval and by the exact test."""
        return self.low > 0 and self.p_value <= _ERROR

    @property
    def worse(self) -> bool:
        return self.high < 0 and self.p_value <= _ERROR

    def no_worse(self, margin: float) -> bool:
        """Whether it is proven to lose less than the margin: by a test, as the interval may have no width."""
        return not self.worse and self.pairs.usually_no_worse_p_value(margin) <= _ERROR / 2


@dataclass(frozen=True, slots=True)
class Recall:
    """The answers to the messages of one label."""

    right: float
    """The share that got this label."""
    n: int


@dataclass(frozen=True, slots=True)
class OutOfScope:
    """The answers to messages that belong to no team (labelled with the fallback), and to the others."""

    n: int
    kept: float
    """The share that no team would get unasked: the answer is the fallback, or the person is asked."""
    others_kept: float
    """The same share of the other messages, where it is a cost."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of an arm's answers."""

    arm: str
    accuracy: float
    macro_f1: float
    languages: Mapping[str, float]
    """Language -> accuracy, for languages with enough messages."""
    ece: float | None
    coverage_at_95: float | None
    unanswered: int
    """Messages without an answer; they count as wrong."""
    p50: float | None
    p95: float | None
    per_1000: float | None
    minutes_per_1000: float | None
    """Working minutes that its mistakes cost, over 1,000 messages."""
    difference: Difference | None
    """None: this is what serves."""
    n: int = 0
    """The messages that it was asked about, which it is compared on."""
    recalls: Mapping[str, "Recall"] = field(default_factory=dict)
    """Label -> recall."""
    out_of_scope: "OutOfScope | None" = None
    """None: no message of the file is labelled with the fallback."""
    tokens: tuple[float, float] | None = None
    """Tokens sent and received for one message."""
    stopped: str = ""
    """Why it was not asked about every message; empty: it was."""
    handed_on: float | None = None
    """The share that a cascade hands on; None: it is no cascade."""
    training_per_1000: float | None = None
    """The cost of its last training, spread over its decisions; None: nothing is trained, or it is not known."""


def difference(served: Sequence[Score], other: Sequence[Score]) -> Difference:
    """How much better the other is on the same messages, in the same order. Raises ValueError when they differ."""
    pairs = paired(served, other)
    low, high = bootstrap_interval(pairs)
    return Difference((pairs.gained - pairs.lost) / max(1, pairs.n), low, high, mcnemar(pairs), pairs)


def bootstrap_interval(pairs: Paired) -> tuple[float, float]:
    """95 % percentile interval of the difference, messages drawn again with replacement.

    A draw of n messages has as many gained and lost ones as a multinomial draw, so those are drawn. Efron and
    Tibshirani 1993, "An Introduction to the Bootstrap". The same pairs give the same interval.
    """
    if pairs.n == 0:
        return 0.0, 0.0
    shares = [pairs.gained / pairs.n, pairs.lost / pairs.n]
    drawn = np.random.default_rng(_SEED).multinomial(pairs.n, [*shares, max(0.0, 1 - sum(shares))], _DRAWS)
    low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / pairs.n, [_ERROR / 2, 1 - _ERROR / 2])
    return float(low), float(high)


def mcnemar(pairs: Paired) -> float:
    """The p-value of McNemar's test, exact and two-sided."""
    discordant = pairs.gained + pairs.lost
    return min(1.0, 2 * at_least(max(pairs.gained, pairs.lost), discordant, 0.5)) if discordant else 1.0


def figures(arm: Arm, served: Arm, minutes_per_misroute: float | None, fallback: str | None = None) -> Figures:
    """All figures of an arm, compared on the messages that it was asked about.

    `fallback` is the label of what belongs to no team.
    """
    right = accuracy(arm.scores)
    asked = {score.text_key for score in arm.scores}
    beside = [score for score in served.scores if score.text_key in asked]
    return Figures(
        arm.name,
        right,
        macro_f1(arm.scores),
        _languages(arm.scores, served.scores),
        ece(arm.scores) if arm.graded else None,
        coverage_at(arm.scores) if arm.graded else None,
        sum(score.answer == NO_ANSWER for score in arm.scores),
        quantile(arm.milliseconds, 0.50),
        quantile(arm.milliseconds, 0.95),
        arm.per_1000,
        None if minutes_per_misroute is None else (1 - right) * 1000 * minutes_per_misroute,
        None if arm.name == served.name else difference(beside, arm.scores),
        len(arm.scores),
        _recalls(arm.scores),
        None if fallback is None else _out_of_scope(arm, fallback),
        arm.tokens,
        arm.stopped,
        arm.handed_on,
    )


def _recalls(scores: Sequence[Score]) -> Mapping[str, Recall]:
    rows: dict[str, list[bool]] = {}
    for score in scores:
        rows.setdefault(score.truth, []).append(score.right)
    return {label: Recall(sum(right) / len(right), len(right)) for label, right in sorted(rows.items())}


def _out_of_scope(arm: Arm, fallback: str) -> OutOfScope | None:
    kept = {score.text_key for score in arm.scores if score.answer == fallback or score.text_key in arm.asked}
    outside = [score.text_key in kept for score in arm.scores if score.truth == fallback]
    inside = [score.text_key in kept for score in arm.scores if score.truth != fallback]
    if not outside:
        return None
    return OutOfScope(len(outside), sum(outside) / len(outside), sum(inside) / max(1, len(inside)))


def _languages(scores: Sequence[Score], spoken: Sequence[Score]) -> Mapping[str, float]:
    """Accuracy by language; `spoken` are scores that name the languages: a file of predictions has none."""
    own = {score.text_key: score for score in scores}
    return {
        language: sum(own[score.text_key].right for score in of) / len(of)
        for language, of in by_language([score for score in spoken if score.text_key in own]).items()
        if language != UNDETERMINED and len(of) >= FLOOR
    }


def majority(training: Sequence[Example], examples: Sequence[Example]) -> Arm | None:
    """Always the most frequent label of the training examples; None: there are none."""
    counts = Counter(example.label for example in training)
    if not counts:
        return None
    common = max(sorted(counts), key=lambda label: counts[label])
    scores = [Score(text_key(e.text), e.source, e.label, common, {}) for e in examples]
    return Arm(MAJORITY, scores, graded=False, per_1000=0.0)


def training_side(examples: Sequence[Example], names: Collection[str]) -> list[Example]:
    """The examples that are learned from."""
    return [e for e in examples if e.side is Side.TRAIN and e.label in names]


def unseen(examples: Sequence[Example], training: Sequence[Example]) -> tuple[list[Example], int, int]:
    """(the messages that judge, each once; how many nearly repeat a training text; how many repeat another message)."""
    once = list({text_key(e.text): e for e in reversed(examples)}.values())[::-1]
    groups = near_groups([e.text for e in (*training, *once)]).near
    learned = set(groups[: len(training)])
    judging = [e for e, group in zip(once, groups[len(training) :], strict=True) if group not in learned]
    return judging, len(once) - len(judging), len(examples) - len(once)


def quantile(values: Sequence[float], share: float) -> float | None:
    """The nearest-rank quantile; None for no values."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else None
