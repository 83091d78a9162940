"""Writes examples to files that are read back to the same examples."""

import csv
import io
import json
from collections.abc import Iterator, Sequence

from bot.domain.example_files.formulas import disarmed
from bot.domain.example_files.rows import OWN
from bot.domain.learning import Example, Side
from bot.domain.tasks import Task


def write_jsonl(examples: Sequence[Example]) -> Iterator[str]:
    """One object a line."""
    for example in examples:
        yield json.dumps(dict(zip(OWN, _cells(example), strict=True)), ensure_ascii=False)


def write_csv(examples: Sequence[Example]) -> Iterator[str]:
    """CSV with a header. Every cell is quoted, whatever it holds, and no cell is a formula to a spreadsheet."""
    yield ",".join(OWN)
    for example in examples:
        out = io.StringIO(newline="")
        # Only the newest of Python's CSV writers quotes a lone carriage return by itself
        csv.writer(out, lineterminator="", quoting=csv.QUOTE_ALL).writerow(map(disarmed, _cells(example)))
        yield out.getvalue()


def write_openai(examples: Sequence[Example], task: Task) -> Iterator[str]:
    """OpenAI chat fine-tuning JSONL: the question and labels as system message, the text, the label as the answer."""
    labels = "\n".join(f"{label.name}: {label.means}" for label in task.labels)
    system = f"{task.question} Answer with one of these names alone.\n{labels}"
    for example in examples:
        turns = [("system", system), ("user", example.text), ("assistant", example.label)]
        yield json.dumps({"messages": [{"role": r, "content": c} for r, c in turns]}, ensure_ascii=False)


def _cells(example: Example) -> tuple[str, ...]:
    split = "train" if example.side is Side.TRAIN else "test"
    return example.text, example.label, split, example.at.isoformat(), example.source.value
