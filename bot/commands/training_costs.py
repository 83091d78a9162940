"""Adds the last training's cost per decision to the rows of a comparison that use the adapter."""

from dataclasses import replace
from datetime import datetime

from bot.commands.comparison import Comparison
from bot.domain.comparison import SERVED
from bot.domain.mixture import ADAPTER
from bot.domain.training_cost import TrainedAdapter, amortised, in_words
from bot.domain.worth import money


def with_training(made: Comparison, trained: TrainedAdapter | None, gpu: bool, now: datetime) -> Comparison:
    """The comparison with the training's cost; unchanged where that or the price of an hour is unknown."""
    hourly = made.book.own_gpu_per_hour if gpu else made.book.own_cpu_per_hour
    if trained is None or hourly is None or trained.name != made.adapter:
        return made
    found = amortised(trained, hourly, now)
    note = in_words(trained, found, money(trained.seconds / 3_600 * hourly, made.book.currency))
    per_1000 = found.per_1000 if found else None
    rows = [replace(row, training_per_1000=per_1000) if row.arm in (ADAPTER, SERVED) else row for row in made.rows]
    return replace(made, rows=rows, notes=[*made.notes, note])
