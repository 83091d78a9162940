"""How sure a decision must be to be made unasked, so that as many of these are right as the settings promise. Pure.

Fitted on what the voices together say of texts that none of them has learned from. The share that is right is taken
not as observed, but at a lower bound: with few texts, more of them have to be right. What the texts alone show is a
one-sided Clopper-Pearson bound (Clopper and Pearson 1934, "The use of confidence or fiducial limits illustrated in the
case of the binomial"). Where the bot begins to ask follows a Bayesian bound instead: the voices' own probabilities are
the prior, a Beta distribution, and the texts the evidence. So one text more or less moves it little, and it exists
before the texts alone can show anything.

Measured on the test splits of two sets, 95 % promised (`python -m benchmarks.when_to_ask`): fitted on 120 to 200 texts
93.8 % were right unasked (92.9 % by the Clopper-Pearson bound, and by `USUAL` where that shows nothing), on 240 to 320
95.2 % (95.7), on 400 to 1,000 96.2 % (96.4); forty texts more moved the share that is asked by 6.2, 5.4 and 3.9 points
(14.1, 7.9, 4.6).
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate

from bot.domain.plural import counted
from bot.domain.tasks import Task

USUAL = 0.60
"""The calibrated probability below which the person is asked while it is not known what would keep the promise."""
_DOUBT = 0.10
"""The chance, by either bound, that a threshold keeps less than was promised."""
_OWN_WORD = 100.0
"""How many texts the voices' own probabilities are worth. They are calibrated, but on the same texts."""
_PHASED_IN = 150
"""With fewer texts the threshold lies between the usual one and the fitted one, in proportion: a handful of texts would
have nearly everybody asked."""
_SUREST = 0.98
"""The highest threshold: a bot that always asks would never learn where it is right."""
STEPS = 50
"""Number of thresholds that are tried: one every 0.02."""
_CELLS = 5
_MISREAD = 10
"""Fewer texts in a language may all be misread texts of another, so they refute nothing."""
_LEAST = 0.50
"""Below it the other labels together are likelier than the chosen one: no decision then, however often it is right."""
_TRIED = range(int(_LEAST * STEPS), STEPS)


@dataclass(frozen=True, slots=True)
class Kept:
    """A threshold, and its effect."""

    ask_below: float
    right: float
    """The share of unasked decisions that was right on the texts it was fitted on."""
    covered: float
    """The share of decisions that are made unasked."""
    n: int
    """How many texts it was fitted on."""
    shown: bool = True
    """Whether these texts alone show that it keeps the promise."""


Row = tuple[str, int, int, int, str]
"""(the label that was chosen, step of its probability, decisions, right ones, their language or nothing)."""


@dataclass(frozen=True, slots=True)
class Record:
    """How often decisions were right, by label, by how sure they were and by language, on texts that no voice had
    learned from; a row for each combination that occurs."""

    rows: tuple[Row, ...] = ()

    @classmethod
    def read(cls, stored: Iterable[Sequence[object]] | None) -> "Record | None":
        """A record from its stored rows; None where none was stored. Raises ValueError for anything else.

        Rows stored before languages were counted have four cells.
        """
        return None if stored is None else cls(tuple(_row(cells) for cells in stored))

    @property
    def n(self) -> int:
        """The number of decisions."""
        return sum(made for _, _, made, *_ in self.rows)

    def at(self, threshold: float) -> Kept | None:
        """The effect of asking below this; None: there are no decisions."""
        unasked, right = self._from(_first_step(threshold))
        return Kept(threshold, right / unasked if unasked else 1.0, unasked / self.n, self.n) if self.rows else None

    def shows(self, threshold: float, wanted: float) -> bool:
        """Whether these decisions alone show that so many are right above the threshold."""
        unasked, right = self._from(_first_step(threshold))
        return unasked > 0 and _lower_bound(right, unasked) >= wanted

    def keeps(self, wanted: float) -> Kept | None:
        """The lowest threshold that these decisions alone show to keep so many right; None: too few to show any."""
        return _fitted(self.rows, wanted)

    def needs(self, wanted: float) -> Kept | None:
        """The threshold to ask below, by the voices' own probabilities and these decisions; None: there are none."""
        return _needed_by(self.rows, wanted)

    def of(self, label: str) -> "Record":
        """The decisions that chose this label."""
        return Record(tuple(row for row in self.rows if row[0] == label))

    def written_in(self, language: str | None) -> "Record":
        """The decisions on texts in this language; none where it is not known."""
        return Record(tuple(row for row in self.rows if language and row[4] == language))

    def not_refuted(self, threshold: float, wanted: float) -> float:
        """The lowest threshold, from this one on, that these decisions do not prove to keep less than `wanted`."""
        steps = range(_first_step(threshold), STEPS)
        return next((max(step / STEPS, threshold) for step in steps if not self._refutes(step, wanted)), 1.0)

    def _refutes(self, first: int, wanted: float) -> bool:
        made, right = self._from(first)
        return made >= _MISREAD and _upper_bound(right, made) < wanted

    def _from(self, first: int) -> tuple[int, int]:
        """The number of decisions at least so sure, and how many of them were right."""
        made, right, _ = _from_each_step(self.rows)[first]
        return made, right


def record(
    said: Iterable[Mapping[str, float]], truth: Sequence[str], languages: Sequence[str | None] | None = None
) -> Record:
    """The record of deciding by these distributions, given the true labels and the texts' languages in the same order
    (None: no language is known)."""
    made: Counter[tuple[str, int, str]] = Counter()
    right: Counter[tuple[str, int, str]] = Counter()
    for probabilities, label, language in zip(said, truth, languages or [None] * len(truth), strict=True):
        chosen = max(probabilities, key=lambda name: probabilities[name])
        key = chosen, min(int(probabilities[chosen] * STEPS), STEPS - 1), language or ""
        made[key] += 1
        right[key] += chosen == label
    return Record(tuple((label, step, made[key], right[key], of) for key in sorted(made) for label, step, of in [key]))


def ask_below(task: Task, label: str, proved: Record | None, language: str | None = None) -> float:
    """The probability that a decision on this label, of a text in this language, needs to be made unasked.

    A label with a promise of its own is held to its own record, where that is long enough to show anything. A language
    that proves to keep the promise at a lower probability than all together has that one. One whose record refutes the
    common threshold has the lowest beyond it that the record does not refute.
    """
    if task.ask_below is not None:
        return task.ask_below
    wanted = task.promised(label)
    return USUAL if proved is None else _needed(proved, wanted, label if wanted != task.unasked_right else "", language)


@lru_cache(maxsize=4096)
def _needed(proved: Record, wanted: float, promised: str, language: str | None) -> float:
    """`promised`: the label whose own promise this is; empty: it is the task's."""
    own = proved.of(promised).keeps(wanted) if promised else None
    kept = own or proved.needs(wanted)
    spoken, usual = proved.written_in(language), USUAL if kept is None else kept.ask_below
    alone = spoken.keeps(wanted) if own is None else None
    if alone is not None and alone.ask_below < usual:
        return alone.ask_below
    return spoken.not_refuted(usual, wanted)


def serving(task: Task, proved: Record | None) -> Kept | None:
    """The threshold in use for the task's promise, with its effect; None: its effect is not known."""
    if proved is None:
        return None
    return proved.at(task.ask_below) if task.ask_below is not None else proved.needs(task.unasked_right)


def in_words(task: Task, proved: Record | None) -> str:
    """When people are asked, and with what effect, in words for leads."""
    kept, wanted = serving(task, proved), task.unasked_right
    if kept is None and task.ask_below is None:
        seen = counted(0 if proved is None else proved.n, "message")
        return f"asks below {USUAL:.2f}, as usual: {seen} to go by cannot show {wanted:.0%} right unasked"
    if kept is None:
        return f"asks below {task.ask_below:.2f}, as the settings say"
    whose = f"as the promise of {wanted:.0%} needs" if kept.shown else f"not yet shown to keep {wanted:.0%} right"
    if task.ask_below is not None:
        whose = "as the settings say"
    own = [f"{one.name} below {ask_below(task, one.name, proved):.2f}" for one in task.labels if one.unasked_right]
    own += [f"{code} below {needed:.2f}" for code, needed in _by_language(task, proved) if needed != kept.ask_below]
    return (
        f"asks below {kept.ask_below:.2f}, {whose}: {kept.right:.0%} right, {kept.covered:.0%} covered, "
        f"of {counted(kept.n, 'message')}{''.join(f'; {one}' for one in own)}"
    )


def _by_language(task: Task, proved: Record | None) -> list[tuple[str, float]]:
    """The languages of the record, by their codes, and the probability that a decision in each needs."""
    spoken = sorted({row[4] for row in proved.rows if row[4]} if proved else ())
    return [(code, ask_below(task, "", proved, code)) for code in spoken]


def _first_step(threshold: float) -> int:
    return math.ceil(round(threshold * STEPS, 6))


def _row(cells: Sequence[object]) -> Row:
    label, step, made, right, language = cells if len(cells) == _CELLS else (*cells, "")
    return str(label), int(str(step)), int(str(made)), int(str(right)), str(language)


@lru_cache(maxsize=512)
def _from_each_step(rows: tuple[Row, ...]) -> tuple[tuple[int, int, float], ...]:
    """For each step and for one beyond the last, of the decisions at least so sure: how many, how many of them were
    right, and the sum of their probabilities."""
    made, right = [0] * (STEPS + 1), [0] * (STEPS + 1)
    for _, step, count, hits, _ in rows:
        made[step] += count
        right[step] += hits
    sure = [(step + 0.5) / STEPS * count for step, count in enumerate(made)]
    sums = [tuple(accumulate(reversed(column))) for column in (made, right, sure)]
    return tuple(reversed(list(zip(*sums, strict=True))))


@lru_cache(maxsize=512)
def _fitted(rows: tuple[Row, ...], wanted: float) -> Kept | None:
    proved = Record(rows)
    return next((proved.at(step / STEPS) for step in _TRIED if proved.shows(step / STEPS, wanted)), None)


@lru_cache(maxsize=512)
def _needed_by(rows: tuple[Row, ...], wanted: float) -> Kept | None:
    proved, seen = Record(rows), _from_each_step(rows)
    fitted = next((step / STEPS for step in _TRIED if _expects(*seen[step], wanted)), 1.0)
    trusted = min(proved.n / _PHASED_IN, 1.0)
    threshold = round((USUAL + (min(fitted, _SUREST) - USUAL) * trusted) * STEPS) / STEPS
    kept = proved.at(threshold)
    return kept and replace(kept, shown=proved.shows(threshold, wanted))


def _expects(made: int, right: int, sure: float, wanted: float) -> bool:
    """Whether so many are right, by the decisions and by what the voices say of themselves (`sure`: the sum)."""
    say = sure / made if made else 0.0
    return made > 0 and _quantile(right + _OWN_WORD * say, made - right + _OWN_WORD * (1 - say), _DOUBT) >= wanted


def _lower_bound(hits: int, of: int) -> float:
    """The lower bound of the true share, wrong with a chance of `_DOUBT`."""
    return _quantile(hits, of - hits + 1, _DOUBT) if hits else 0.0


def _upper_bound(hits: int, of: int) -> float:
    """The upper bound of the true share, wrong with a chance of `_DOUBT`."""
    return _quantile(hits + 1, of - hits, 1 - _DOUBT) if hits < of else 1.0


def _quantile(hits: float, misses: float, chance: float) -> float:
    """The quantile of a Beta distribution."""
    from scipy.special import betaincinv  # half of what a command that decides nothing would load

    return float(betaincinv(hits, misses, chance))
