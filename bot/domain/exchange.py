"""Examples in and out of files: JSONL, CSV, OpenAI chat fine-tuning JSONL. Pure: lines in, rows and complaints out."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.learning import Example, Side, Source, side_of
from bot.domain.messages import clean
from bot.domain.tasks import Task

_SIDES = {"train": Side.TRAIN, "valid": Side.HELD_OUT, "test": Side.HELD_OUT, Side.HELD_OUT.value: Side.HELD_OUT}


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that holds no example, and why."""

    number: int
    problem: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.problem}"


Row = dict[str, str]


def read_examples(lines: Iterable[str], task: Task, now: datetime) -> Iterator[Example | BadLine]:
    """One example or complaint a line, in order. The format is seen from the first line that is not blank."""
    for number, row in read_rows(lines):
        yield row if isinstance(row, BadLine) else to_example(number, row, task, now)


def read_rows(lines: Iterable[str]) -> Iterator[tuple[int, Row | BadLine]]:
    """(line number from 1, the line's fields as text), blank lines left out."""
    numbered = enumerate(lines, start=1)
    number, first = next(((n, line.lstrip("\ufeff")) for n, line in numbered if line.strip()), (0, ""))
    if first.lstrip().startswith("{"):
        yield number, _from_json(number, first)
        yield from ((n, _from_json(n, line)) for n, line in numbered if line.strip())
    elif first:
        yield from _from_csv(number, first, numbered)


def write_jsonl(examples: Sequence[Example]) -> Iterator[str]:
    """Lines that `read_examples` reads back to the same examples."""
    for e in examples:
        row = {"text": e.text, "label": e.label, "split": _split(e), "at": e.at.isoformat(), "source": e.source.value}
        yield json.dumps(row, ensure_ascii=False)


def write_csv(examples: Sequence[Example]) -> Iterator[str]:
    """The same as CSV with a header; texts with line breaks are quoted."""
    for row in [("text", "label", "split", "at", "source")] + [
        (e.text, e.label, _split(e), e.at.isoformat(), e.source.value) for e in examples
    ]:
        out = io.StringIO()
        csv.writer(out, lineterminator="").writerow(row)
        yield out.getvalue()


def write_openai(examples: Sequence[Example], task: Task) -> Iterator[str]:
    """OpenAI chat fine-tuning JSONL: the question and labels as system message, the text, the label as the answer."""
    labels = "\n".join(f"{label.name}: {label.means}" for label in task.labels)
    system = f"{task.question} Answer with one of these names alone.\n{labels}"
    for e in examples:
        turns = [("system", system), ("user", e.text), ("assistant", e.label)]
        yield json.dumps({"messages": [{"role": r, "content": c} for r, c in turns]}, ensure_ascii=False)


def _split(example: Example) -> str:
    return "train" if example.side is Side.TRAIN else "test"


def _from_json(number: int, line: str) -> Row | BadLine:
    try:
        value = json.loads(line)
    except ValueError as error:
        return BadLine(number, f"not JSON ({error.args[0]})")
    if not isinstance(value, dict):
        return BadLine(number, 'not an object; write {"text": "…", "label": "…"}')
    if isinstance(value.get("messages"), list):
        return _from_chat(number, value["messages"])
    wrong = [key for key in ("text", "label", "split", "at", "source") if not isinstance(value.get(key, ""), str)]
    if wrong:
        return BadLine(number, f"{wrong[0]} must be text in quotes")
    return {key: text for key, text in value.items() if isinstance(text, str)}


def _from_chat(number: int, turns: list[object]) -> Row | BadLine:
    said = {
        turn["role"]: turn["content"]
        for turn in turns
        if isinstance(turn, dict) and "role" in turn and "content" in turn
    }
    if not isinstance(said.get("user"), str) or not isinstance(said.get("assistant"), str):
        return BadLine(number, "a chat line needs a user and an assistant message, both text")
    return {"text": said["user"], "label": said["assistant"].strip()}


def _from_csv(first: int, header: str, rest: Iterator[tuple[int, str]]) -> Iterator[tuple[int, Row | BadLine]]:
    names = [name.strip() for name in next(csv.reader([header]))]
    if "text" not in names:
        yield first, BadLine(first, 'neither JSON lines nor a CSV header with a column "text"')
        return
    position = first

    def lines() -> Iterator[str]:
        nonlocal position
        for number, line in rest:
            position = number
            yield line

    reader = csv.reader(lines(), strict=True)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield position, BadLine(position, f"not CSV ({error})")
            continue
        if len(fields) == len(names):
            yield position, dict(zip(names, fields, strict=True))
        elif fields:
            yield position, BadLine(position, f"{len(fields)} fields where the header has {len(names)}")


def to_example(number: int, row: Row, task: Task, now: datetime) -> Example | BadLine:
    """A line's fields as an example; `now` stands in for a missing time, the content hash for a missing split."""
    text, label = clean(row.get("text", "")), row.get("label", "").strip()
    if not text:
        return BadLine(number, "text is missing or empty")
    if label not in task.names:
        return BadLine(
            number, f"unknown label {label!r}; labels are {', '.join(task.names)}" if label else "label is missing"
        )
    split = row.get("split", "").strip()
    if split and split not in _SIDES:
        return BadLine(number, f"unknown split {split!r}; splits are {', '.join(_SIDES)}")
    try:
        at = datetime.fromisoformat(row["at"]) if row.get("at") else now
    except ValueError:
        return BadLine(number, f"at must be an ISO 8601 time, not {row['at']!r}")
    side = _SIDES[split] if split else side_of(text)
    return Example(text, label, Source.IMPORT, side, at if at.tzinfo else at.replace(tzinfo=now.tzinfo))
