"""Rows drawn from a set: for the gate, and for a quick run."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.bench.trial import OUT_OF_SCOPE, Row, Trial

_JUDGED = 400
"""The most rows on which the gate judges a first model, spread over the labels; nothing learns from them."""
_QUICK_LABELS, _QUICK_LEARNED, _QUICK_ASKED = 3, 40, 30


def quick(trial: Trial, rng: random.Random) -> Trial:
    """The same set with three labels and a few hundred rows: tells whether everything works, not how well."""
    common = {label for label, _ in Counter(row.label for row in trial.learned).most_common(_QUICK_LABELS)}
    if trial.shipped:
        asked = rng.sample(trial.asked, min(60, len(trial.asked)))
        return replace(trial, name=f"{trial.name}_quick", asked=tuple(asked))
    kept = common | {OUT_OF_SCOPE}

    def few(rows: Sequence[Row], each: int) -> tuple[Row, ...]:
        return tuple(_each([row for row in rows if row.label in kept], each, rng))

    learned, judged = few(trial.learned, _QUICK_LEARNED), few(trial.judged, 10)
    name = f"{trial.name}_quick"
    return replace(trial, name=name, learned=learned, judged=judged, asked=few(trial.asked, _QUICK_ASKED))


def spread(rows: Sequence[Row], rng: random.Random, most: int = _JUDGED) -> list[Row]:
    """At most so many of the rows, equally many of each label but at least two."""
    return _each(rows, max(2, most // len({row.label for row in rows})), rng)


def _each(rows: Sequence[Row], each: int, rng: random.Random) -> list[Row]:
    by_label: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_label[row.label].append(row)
    return [row for label in sorted(by_label) for row in rng.sample(by_label[label], min(each, len(by_label[label])))]


def with_gate(trial: Trial, rng: random.Random) -> Trial:
    """Move a tenth of the rows to learn from to the rows that the gate judges by."""
    rows = list(trial.learned)
    rng.shuffle(rows)
    apart = max(len(rows) // 10, 1)
    return replace(trial, learned=tuple(rows[apart:]), judged=tuple(rows[:apart]), peers_learn_judged=True)
