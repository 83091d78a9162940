"""Reads and writes files of texts for the commands: import, export, and the texts to route or to judge by."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from bot.console import counting, say, table
from bot.domain.errors import UsageError
from bot.domain.example_files.contradictions import Contradiction, settled
from bot.domain.example_files.reading import ReadOptions, Text, listed, read_examples, read_texts
from bot.domain.example_files.rows import BadLine, LeftOut
from bot.domain.example_files.writing import write_csv, write_jsonl, write_openai
from bot.domain.learning import Example
from bot.domain.plural import counted
from bot.domain.tasks import Task
from bot.files import read_whole, writing
from bot.flow.embed import EmbeddingBackfill
from bot.json_lines import escaped
from bot.store import Store

T = TypeVar("T")
AT_ONCE = 5_000
"""Examples stored in one transaction, so that other writers do not wait long."""
_NAMED = 20
_SHOWN = 5
_WIDE = 70


@dataclass(frozen=True, slots=True)
class Ready:
    """What a file would add: one example for each text."""

    path: Path
    examples: Sequence[Example]
    rows: int
    bad: int


# --- reading files ---


def ready_to_import(path: Path, task: Task, options: ReadOptions, skip_bad: bool, strict: bool) -> Ready:
    """The examples of a file; what else it holds is reported on stderr.

    Raises UsageError when a line is bad and `skip_bad` is false, and when a text has two labels and `strict` is true.
    """
    contents = _read(path, lambda data: read_examples(data, task, datetime.now(UTC), options))
    _say_all(path, contents.said)
    _name(path, contents.bad)
    if contents.bad and not skip_bad:
        many = counted(len(contents.bad), "bad line")
        raise UsageError(f"{many}, nothing was imported; mend them, or keep the rest with --skip-bad")
    if not contents.examples and not contents.bad and not contents.left_out:
        raise UsageError(f"{path} holds no rows; nothing was imported")
    _say_left_out(path, contents.left_out)
    examples, contradictions = settled(contents.examples)
    _say_contradictions(path, contradictions, strict)
    kept = [replace(example, origin=path.name if path.is_file() else "") for example in examples]
    return Ready(path, kept, len(contents.examples), len(contents.bad))


def preview(ready: Ready) -> None:
    """Print what would be stored, and that nothing was."""
    counts = Counter((example.label, example.side.value) for example in ready.examples)
    rows = [(label, side, str(count)) for (label, side), count in sorted(counts.items())]
    table(
        f"{ready.path} would add up to {counted(len(ready.examples), 'example')}", ("label", "side", "examples"), rows
    )
    for example in ready.examples[:_SHOWN]:
        text = " ".join(example.text.split())
        say(f"  {example.label}: {text if len(text) <= _WIDE else text[: _WIDE - 1] + '…'}")
    say("nothing was stored; leave out --dry-run to import it")


async def import_examples(store: Store, embedding_backfill: EmbeddingBackfill, task: Task, ready: Ready) -> None:
    """Store the examples and embed them for the memory. Repeating an interrupted import continues it."""
    new = 0
    with counting("storing", len(ready.examples)) as done:
        for start in range(0, len(ready.examples), AT_ONCE):
            batch = ready.examples[start : start + AT_ONCE]
            new += await store.examples.add_examples(task.name, batch)
            done(len(batch))
    known = f"{len(ready.examples) - new} known before"
    say(f"{counted(new, 'new example')}, {known}, {counted(ready.bad, 'bad line')} left out")
    if repeated := ready.rows - len(ready.examples):
        say(f"{counted(repeated, 'row repeats', 'rows repeat')} a text of the same file; each text counts once")
    with counting("remembering", await store.memory.count_unembedded(store.embedder.name)) as done:
        await embedding_backfill.all(done)


def texts_to_route(path: Path, task: Task, options: ReadOptions) -> Sequence[Text | BadLine]:
    """Every text of a file, with any label or none. Raises UsageError when there is none."""
    texts, said = _read(path, lambda data: read_texts(data, task, options))
    if not texts:
        raise UsageError(f"{path} holds no texts; nothing was routed")
    _say_all(path, said)
    return texts


def labelled(path: Path, task: Task, options: ReadOptions, skip_bad: bool) -> Sequence[Example]:
    """A file's examples to judge by: its test rows, or else all. Raises UsageError."""
    contents = _read(path, lambda data: read_examples(data, task, datetime.now(UTC), options))
    _say_all(path, contents.said)
    if contents.bad and not skip_bad:
        raise UsageError("\n".join(f"{path}: {complaint}" for complaint in contents.bad[:_NAMED]))
    _name(path, contents.bad)
    _say_left_out(path, contents.left_out)
    _say_contradictions(path, settled(contents.examples)[1], strict=False)
    tests = [example for number, example in contents.examples if number in contents.testing]
    if not contents.examples:
        raise UsageError(f"{path} holds no examples; nothing was judged")
    return tests or [example for _, example in contents.examples]


def _read(path: Path, read: Callable[[bytes], T]) -> T:
    data = read_whole(path)
    if not data.strip():
        raise UsageError(f"{path} is empty")
    try:
        return read(data)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def _name(path: Path, bad: Sequence[BadLine]) -> None:
    _say_all(path, map(str, bad[:_NAMED]))
    if len(bad) > _NAMED:
        say(f"{path}: … and {len(bad) - _NAMED} more")


def _say_left_out(path: Path, left_out: Sequence[LeftOut]) -> None:
    by_reason: dict[str, list[int]] = {}
    for one in left_out:
        by_reason.setdefault(one.reason, []).append(one.number)
    for reason, lines in by_reason.items():
        say(f"{path}: {counted(len(lines), 'row is', 'rows are')} left out, {listed(lines)}: {reason}")


def _say_contradictions(path: Path, found: Sequence[Contradiction], strict: bool) -> None:
    """Report contradictions. Raises UsageError for them if `strict`."""
    _say_all(path, map(str, found[:_NAMED]))
    if len(found) > _NAMED:
        say(f"{path}: … and {len(found) - _NAMED} more")
    two_answers = counted(len(found), "text has two answers", "texts have two answers")
    if found and strict:
        raise UsageError(f"{path}: {two_answers}; nothing was imported, because of --strict")
    if found:
        say(f"{path}: {two_answers}; --strict refuses such a file")


def _say_all(path: Path, sentences: Iterable[str]) -> None:
    for sentence in sentences:
        say(f"{path}: {sentence}")


# --- writing files ---


async def export_examples(store: Store, task: Task, form: str, path: Path | None) -> None:
    """Write every example that may be learned from to a file, or to standard output. Raises UsageError."""
    examples = await store.examples.examples(task.name)
    writers = {
        "jsonl": map(escaped, write_jsonl(examples)),
        "csv": write_csv(examples),
        "openai": map(escaped, write_openai(examples, task)),
    }
    with writing(path, mark=form == "csv") as out:
        out.writelines(f"{line}\n" for line in writers[form])
    say(counted(len(examples), "example"))
