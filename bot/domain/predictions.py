"""Another system's answers to the same messages, from a file: matched with the messages, and checked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.domain.errors import UsageError
from bot.domain.example_files.labels import LabelReader
from bot.domain.learning import Example, Score, text_key
from bot.domain.messages import clean
from bot.domain.plural import counted
from bot.domain.tasks import Task

NO_ANSWER = ""
"""A score's answer where it is missing or names no label: wrong, whatever the truth is."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """The answers under one name."""

    name: str
    scores: Sequence[Score]
    """One for each example, in order."""
    unknown_at: frozenset[int]
    """The indices of those whose answer is no label of the task."""
    graded: bool
    """Whether every answer has a probability."""

    @property
    def unknown(self) -> int:
        """The number of answers that name no label of the task."""
        return len(self.unknown_at)

    @property
    def missing(self) -> int:
        """The number of examples without an answer."""
        return sum(score.answer == NO_ANSWER for score in self.scores) - self.unknown

    def of(self, places: Sequence[int]) -> "Predictions":
        """The answers to the examples at these indices."""
        unknown = frozenset(new for new, old in enumerate(places) if old in self.unknown_at)
        return replace(self, scores=[self.scores[place] for place in places], unknown_at=unknown)


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    text: str | None
    label: str
    confidence: float | None


def read_predictions(name: str, written: str, examples: Sequence[Example], task: Task) -> Predictions:
    """Read JSON lines: `text` and `label`, or `label` alone in the examples' order; `confidence` is optional.

    Raises UsageError for any other line, and where it is not clear which example a line answers.
    """
    rows = [_row(number, line) for number, line in enumerate(written.splitlines(), start=1) if line.strip()]
    if not rows:
        raise UsageError("there are no predictions in it")
    found = _matched(rows, examples)
    labels = LabelReader(task)
    scores, unknown = [], set()
    for place, (example, row) in enumerate(zip(examples, found, strict=True)):
        label = labels.read(row.label) if row is not None else None
        if row is not None and label is None:
            unknown.add(place)
        sure = {label: row.confidence} if row is not None and label and row.confidence is not None else {}
        scores.append(Score(text_key(example.text), example.source, example.label, label or NO_ANSWER, sure))
    graded = all(row.confidence is not None for row in found if row is not None)
    return Predictions(name, scores, frozenset(unknown), graded)


def _matched(rows: Sequence[_Row], examples: Sequence[Example]) -> Sequence[_Row | None]:
    by_text = {text_key(clean(row.text)): row for row in rows if row.text is not None}
    if not by_text:
        if len(rows) != len(examples):
            raise UsageError(
                f"{counted(len(rows), 'prediction')} without a text for {counted(len(examples), 'message')}; "
                'write one a message, in the order of the file, or give each its text: {"text": "…", "label": "…"}'
            )
        return rows
    if any(row.text is None for row in rows):
        number = next(row.number for row in rows if row.text is None)
        raise UsageError(f"line {number} has no text, though others have; give every line its text, or none")
    found = [by_text.get(text_key(example.text)) for example in examples]
    if not any(found):
        raise UsageError("none of its texts is one of the messages; give each prediction the text it is for")
    return found


def _row(number: int, line: str) -> _Row:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise UsageError(f"line {number}: not JSON ({error})") from error
    if not isinstance(value, dict):
        raise UsageError(f'line {number}: not an object; write {{"text": "…", "label": "…"}}')
    text, label = value.get("text"), value.get("label")
    if label is not None and not isinstance(label, str):
        raise UsageError(f"line {number}: label is {label!r}; write the label's name, or leave it empty")
    if text is not None and not isinstance(text, str):
        raise UsageError(f"line {number}: text is {text!r}; write the message's words")
    return _Row(number, text, label or "", _confidence(number, value))


def _confidence(number: int, value: Mapping[str, object]) -> float | None:
    sure = value.get("confidence")
    if sure is None:
        return None
    if isinstance(sure, bool) or not isinstance(sure, int | float) or not 0 <= sure <= 1:
        raise UsageError(f"line {number}: confidence is {sure!r}; write a probability from 0 to 1")
    return float(sure)
