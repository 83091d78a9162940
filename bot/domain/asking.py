"""How sure a decision must be to be made unasked, so that as many of these are right as the settings promise. Pure.

Fitted on what the voices together said of texts that none of them had learned from. The share that is right is not
taken as it was seen there, but as its one-sided Clopper-Pearson lower bound (Clopper and Pearson 1934, "The use of
confidence or fiducial limits illustrated in the case of the binomial"): of few texts, more have to be right.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.domain.tasks import Task

USUAL = 0.60
"""The calibrated probability under which the person is asked where nothing shows what would keep the promise."""
_DOUBT = 0.10
"""The chance that a threshold keeps less than was promised, as the bound has it.

Measured on 2,000 untouched messages for nine teams, fitted on 100 / 200 / 400 / 1,000 others, a hundred draws each, at
95 %: it kept its word in 91 / 95 / 94 / 97 % of the draws and covered 85 / 87 / 91 / 94 %. With .20 it was 82 / 84 / 78
/ 84 %, covering 89 / 90 / 93 / 95 %. Where training and use differ (77 intents, balanced only in use) the mean share
was 96.2 / 95.5 % at 400 / 1,000.
"""
STEPS = 50
"""Thresholds that are looked at: every 0.02."""
_LEAST = 0.50
"""Below it, others are likelier together than the one that is chosen: then it is no decision, however often right."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A threshold, and what came of it."""

    ask_below: float
    right: float
    """Share of unasked decisions that was right where it was fitted."""
    covered: float
    """Share of decisions that is made unasked."""
    n: int
    """How many texts it was fitted on."""


@dataclass(frozen=True, slots=True)
class Record:
    """How often decisions were right, by label and by how sure they were, on texts nobody had learned from."""

    rows: tuple[tuple[str, int, int, int], ...] = ()
    """(the label that was chosen, step of its probability, decisions, right ones), a row for every step that occurs."""

    @classmethod
    def read(cls, stored: Iterable[Sequence[object]] | None) -> "Record | None":
        """What was stored of one as its rows; None where nothing was. Raises ValueError for what is no record."""
        if stored is None:
            return None
        rows = [(str(label), [int(str(one)) for one in counts]) for label, *counts in stored]
        return cls(tuple((label, step, made, right) for label, (step, made, right) in rows))

    @property
    def n(self) -> int:
        """How many decisions."""
        return sum(made for _, _, made, _ in self.rows)

    def at(self, threshold: float) -> Kept | None:
        """What would have come of asking below this; None: nothing was decided at all."""
        first = math.ceil(round(threshold * STEPS, 6))
        unasked = sum(made for _, step, made, _ in self.rows if step >= first)
        right = sum(hits for _, step, _, hits in self.rows if step >= first)
        return Kept(threshold, right / unasked if unasked else 1.0, unasked / self.n, self.n) if self.rows else None

    def keeps(self, wanted: float) -> Kept | None:
        """The lowest threshold above which at least so many are right; None: there is too little to show any."""
        return _fitted(self.rows, wanted)

    def of(self, label: str) -> "Record":
        """Those in which this label was chosen."""
        return Record(tuple(row for row in self.rows if row[0] == label))


def record(said: Iterable[Mapping[str, float]], truth: Sequence[str]) -> Record:
    """What came of deciding by these distributions, given the true labels in the same order."""
    made: Counter[tuple[str, int]] = Counter()
    right: Counter[tuple[str, int]] = Counter()
    for probabilities, label in zip(said, truth, strict=True):
        chosen = max(probabilities, key=lambda name: probabilities[name])
        key = chosen, min(int(probabilities[chosen] * STEPS), STEPS - 1)
        made[key] += 1
        right[key] += chosen == label
    return Record(tuple((label, step, count, right[label, step]) for (label, step), count in sorted(made.items())))


def ask_below(task: Task, label: str, proved: Record | None) -> float:
    """The probability that a decision on this label needs to be made unasked.

    A label with a promise of its own is held to its own record, where that is long enough to show anything.
    """
    if task.ask_below is not None:
        return task.ask_below
    kept = None if proved is None else _kept(task, label, proved)
    return USUAL if kept is None else kept.ask_below


def _kept(task: Task, label: str, proved: Record) -> Kept | None:
    wanted = task.promised(label)
    own = proved.of(label).keeps(wanted) if wanted != task.unasked_right else None
    return own or proved.keeps(wanted)


def serving(task: Task, proved: Record | None) -> Kept | None:
    """The threshold that serves the task's promise, and what it costs; None: nothing shows what it costs."""
    if proved is None:
        return None
    return proved.at(task.ask_below) if task.ask_below is not None else proved.keeps(task.unasked_right)


def in_words(task: Task, proved: Record | None) -> str:
    """When people are asked, and what comes of it, for leads."""
    kept, wanted = serving(task, proved), task.unasked_right
    if kept is None and task.ask_below is None:
        seen = 0 if proved is None else proved.n
        return f"asks below {USUAL:.2f}, as usual: {seen} messages to go by cannot show {wanted:.0%} right unasked"
    whose = f"as the promise of {wanted:.0%} needs" if task.ask_below is None else "as the settings say"
    if kept is None:
        return f"asks below {task.ask_below:.2f}, {whose}"
    own = [f"{one.name} below {ask_below(task, one.name, proved):.2f}" for one in task.labels if one.unasked_right]
    return (
        f"asks below {kept.ask_below:.2f}, {whose}: {kept.right:.0%} right, {kept.covered:.0%} covered, "
        f"of {kept.n} messages{''.join(f'; {one}' for one in own)}"
    )


@lru_cache(maxsize=512)
def _fitted(rows: tuple[tuple[str, int, int, int], ...], wanted: float) -> Kept | None:
    made, right = [0] * STEPS, [0] * STEPS
    for _, step, count, hits in rows:
        made[step] += count
        right[step] += hits
    for step in range(int(_LEAST * STEPS), STEPS):
        unasked, hits = sum(made[step:]), sum(right[step:])
        if unasked and _lower_bound(hits, unasked) >= wanted:
            return Kept(step / STEPS, hits / unasked, unasked / sum(made), sum(made))
    return None


def _lower_bound(hits: int, of: int) -> float:
    """What the true share is at least, but for a chance of `_DOUBT`."""
    from scipy.special import betaincinv  # half of what a command that decides nothing would load

    return float(betaincinv(hits, of - hits + 1, _DOUBT)) if hits else 0.0
