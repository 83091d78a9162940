"""The finished arms of a set as figures: every arm's, paired with the product's, as a whole and by part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.bench import product
from benchmarks.bench.aims import ACCURACY, AREA, CALIBRATION, LET_IN, Aim
from benchmarks.bench.figures import Answers, Figures, Paired, figures, mcnemar, out_of_scope, quantile
from benchmarks.bench.peers import TITLES
from benchmarks.bench.trial import OUT_OF_SCOPE, Trial

Result = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Arm:
    """One system on one set."""

    name: str
    is_peer: bool
    whole: Figures
    """Figures over the texts that belong to a label."""
    by_part: Mapping[str, Figures]
    paired: Paired | None
    """How often only the product was right (gained) and only this arm (lost); None: it is the product."""
    out_of_scope: tuple[float, float] | None
    """AUROC and FPR at 95 %."""
    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class Asking:
    """The shares of texts for which the person would be asked, or somebody of the fallback team would look."""

    known: float
    """Among the texts that belong to a label."""
    strangers: float | None
    """Among those that belong to none; None: there are none."""
    right: float | None
    """The share of right answers among the other texts that belong to a label; None: everybody would be asked."""


@dataclass(frozen=True, slots=True)
class Told:
    """A set, and everything that was measured on it."""

    trial: Trial
    arms: Sequence[Arm] = ()
    results: Mapping[str, Result] = field(default_factory=dict)
    problem: str = ""
    """Why some or all of it was not measured."""
    asking: Asking | None = None
    """None: the product was not measured."""

    @property
    def whole(self) -> Arm | None:
        """The product's arm; None: it was not measured."""
        return next((arm for arm in self.arms if arm.name == product.WHOLE), None)

    @property
    def best_peer(self) -> Arm | None:
        return max((arm for arm in self.arms if arm.is_peer), key=lambda arm: arm.whole.accuracy, default=None)

    def found(self, aim: Aim) -> float | None:
        """The figure that an aim is about; None: it was not measured."""
        if self.whole is None:
            return None
        of = self.whole.by_part.get(aim.part) if aim.part else self.whole.whole
        area, let_in = self.whole.out_of_scope or (None, None)
        accuracy, calibration = (of.accuracy, of.ece) if of else (None, None)
        return {ACCURACY: accuracy, CALIBRATION: calibration, AREA: area, LET_IN: let_in}[aim.figure]


def told(trial: Trial, results: Mapping[str, Result], problem: str = "") -> Told:
    """The set with all figures from its results."""
    answered: dict[str, Answers] = {}
    times: dict[str, Sequence[float]] = {}
    asking = None
    if (ours := results.get(product.WHOLE)) is not None:
        rows = ours["rows"]
        assert isinstance(rows, list)
        answered |= product.arms(rows)
        times[product.WHOLE] = product.latencies(rows)
        asking = _asking(trial, answered[product.WHOLE], product.asked_first(rows))
    for name in TITLES:
        if (theirs := results.get(name)) is not None:
            answered[name] = _answers(theirs["answers"])
            latencies = theirs["latencies"]
            times[name] = latencies if isinstance(latencies, list) else ()
    whole = answered.get(product.WHOLE)
    arms = [_arm(trial, name, answers, whole, times.get(name, ())) for name, answers in answered.items()]
    return Told(trial, arms, results, problem, asking)


def _asking(trial: Trial, whole: Answers, asked_first: Sequence[bool]) -> Asking:
    rows = list(zip(trial.asked, whole.given, asked_first, strict=True))
    known = [asked for row, _, asked in rows if row.label != OUT_OF_SCOPE]
    strangers = [asked for row, _, asked in rows if row.label == OUT_OF_SCOPE]
    right = [row.label == given for row, given, asked in rows if not asked and row.label != OUT_OF_SCOPE]
    return Asking(_mean(known) or 0.0, _mean(strangers), _mean(right))


def _mean(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _arm(trial: Trial, name: str, answers: Answers, whole: Answers | None, times: Sequence[float]) -> Arm:
    is_stranger = [row.label == OUT_OF_SCOPE for row in trial.asked]
    known = [place for place, stranger in enumerate(is_stranger) if not stranger]
    truth = [row.label for row in trial.asked]
    right = [truth[place] for place in known]
    ours = None if whole is None or name == product.WHOLE else _of(whole, known).given
    return Arm(
        name,
        name in TITLES,
        figures(right, _of(answers, known)),
        {part: _part(trial, part, answers) for part in trial.parts} if len(trial.parts) > 1 else {},
        None if ours is None else mcnemar(right, ours, _of(answers, known).given),
        out_of_scope(answers.strange, is_stranger) if trial.has_strangers and answers.strange else None,
        quantile(times, 0.5),
        quantile(times, 0.95),
    )


def _part(trial: Trial, part: str, answers: Answers) -> Figures:
    places = [n for n, row in enumerate(trial.asked) if row.part == part and row.label != OUT_OF_SCOPE]
    return figures([trial.asked[place].label for place in places], _of(answers, places))


def _of(answers: Answers, places: Sequence[int]) -> Answers:
    def some(values: Sequence[float]) -> tuple[float, ...]:
        return tuple(values[place] for place in places) if values else ()

    given = tuple(answers.given[place] for place in places)
    return Answers(given, some(answers.sure), answers.calibrated, some(answers.strange))


def _answers(stored: object) -> Answers:
    assert isinstance(stored, dict)
    return Answers(tuple(stored["given"]), tuple(stored["sure"]), bool(stored["calibrated"]), tuple(stored["strange"]))
