"""A training run's folder: what goes in, what comes out, and how to tell a finished run from half of one.

task.json        the base model, the task, and the code of every label
examples.jsonl   the texts to learn from; removed when the cycle ends, or a person whose words it holds is forgotten
log              the training's output for people
checkpoint.safetensors  the state of an unfinished training; removed when it is done, and with examples.jsonl
adapter/         the LoRA, renamed into place once complete on disk
done.json        written last: figures, and checksums of inputs and results
"""

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from bot.domain.errors import Refused
from bot.domain.learning import Example, Side, Source, keep_apart
from bot.domain.model_ports import TrainingRun
from bot.domain.personal_data import masked
from bot.domain.tasks import Label, Learning, Task
from bot.domain.unlearning import TrainingTexts, rehearsal_of

WEIGHTS = "adapter_model.safetensors"
LOG = "log"
TEXTS = "examples.jsonl"
_NOT_OURS = (LookupError, TypeError, AttributeError, OverflowError)
"""The errors that JSON of an unexpected shape causes."""
CHECKPOINT = "checkpoint.safetensors"
_INPUTS = ("task.json", TEXTS)
_UNFINISHED = ".tmp"


@dataclass(frozen=True, slots=True)
class Done:
    """The figures of a finished training."""

    base: str
    inputs: str
    """sha256 of the training's inputs."""
    sha256: str
    """sha256 of the adapter's weights."""
    steps: int
    seconds: float
    loss: float
    """Cross-entropy in nats over the labels, mean of the last tenth of the steps."""
    trained_on: int
    """How many examples it learned from."""
    validated_on: int
    """Examples of the train side that were kept apart to choose the checkpoint; 0 if there were too few."""
    validation_accuracy: float | None
    """None when nothing was kept apart."""


def adapter_of(folder: Path) -> Path:
    """Where the run's adapter is, or will be."""
    return folder / "adapter"


def write_run(run: TrainingRun, mask: bool = False) -> None:
    """Write what the training needs into the folder; the same run gives the same bytes. Raises OSError.

    With `mask`, e-mail addresses, phone, card and account numbers, and national ids are made unreadable in it. Which
    label each text teaches, and which of them steer, is decided before, by the original texts.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    replace_file(run.folder / "task.json", json.dumps(_what_is_asked(run), indent=1, ensure_ascii=False) + "\n")
    drawn = {id(one): (part, at) for part, ones in enumerate(keep_apart(run.examples)) for at, one in enumerate(ones)}
    rows = [_row(example, *drawn[id(example)], mask) for example in run.examples]
    replace_file(run.folder / TEXTS, "".join(f"{json.dumps(row)}\n" for row in rows))


def _row(example: Example, part: int, at: int, mask: bool) -> dict[str, object]:
    """The example with its place; without its content hash, by which masked numbers could be guessed."""
    drawn = {"steers": bool(part), "place": at, "text": masked(example.text) if mask else example.text}
    return asdict(example) | {"at": example.at.isoformat()} | drawn


def read_run(folder: Path) -> TrainingRun:
    """Read what `write_run` wrote. Raises OSError or ValueError when it is missing or not readable."""
    try:
        return _run(folder)
    except _NOT_OURS as error:
        raise ValueError(f"{folder}: not a training's folder") from error


def _run(folder: Path) -> TrainingRun:
    asked = json.loads((folder / "task.json").read_text("utf-8"))
    labels = tuple(Label(n["name"], n["means"], tuple(n["examples"])) for n in asked["labels"])
    learning = Learning(preference=asked.get("preference", 0.0))
    task = Task(asked["name"], asked["question"], labels, asked["fallback"], learning=learning)
    rows = (folder / TEXTS).read_text("utf-8").split("\n")[:-1]
    examples = tuple(_example(json.loads(row)) for row in rows)
    return TrainingRun(folder, Path(asked["base"]), task, asked["codes"], examples)


def read_parts(folder: Path) -> tuple[list[Example], list[Example]]:
    """(to learn from, to steer by) as `keep_apart` divided what `write_run` wrote. Raises OSError, ValueError."""
    rows = [json.loads(row) for row in (folder / TEXTS).read_text("utf-8").split("\n")[:-1]]
    try:
        rows.sort(key=lambda row: int(row["place"]))
        return [_example(row) for row in rows if not row["steers"]], [_example(row) for row in rows if row["steers"]]
    except _NOT_OURS as error:
        raise ValueError(f"{folder / TEXTS}: not a training's examples") from error


class RunFolders:
    """The run folders of this machine; see `unlearning.TrainingTexts`."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs

    async def remove(self, adapters: Collection[str]) -> None:
        """See `unlearning.TrainingTexts`. A finished training no longer needs its texts; done.json keeps their
        digest."""
        await asyncio.to_thread(self._remove, [name for one in adapters for name in (one, rehearsal_of(one))])

    async def discard(self, adapter: str) -> None:
        """See `unlearning.TrainingTexts`."""
        try:
            await asyncio.to_thread(shutil.rmtree, self._runs / adapter)
        except FileNotFoundError:
            return
        except OSError as error:
            raise Refused(f"{self._runs / adapter} cannot be removed: {error.strerror}") from error

    def _remove(self, runs: Collection[str]) -> None:
        # Half-written files, too; and the checkpoint of an unfinished training, which learned from the texts
        holding = [f"{name}{ending}" for name in (TEXTS, CHECKPOINT) for ending in ("", _UNFINISHED)]
        for left in (self._runs / run / name for run in runs for name in holding):
            try:
                left.unlink(missing_ok=True)
            except OSError as error:
                raise Refused(f"{left} holds what people wrote and cannot be removed: {error.strerror}") from error


def inputs_of(folder: Path) -> str:
    """sha256 over the training's input files."""
    digest = hashlib.sha256()
    for name in _INPUTS:
        digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return digest.hexdigest()


def finish(folder: Path, done: Done) -> None:
    """Write done.json: the run counts as finished from now on. The adapter must be in place."""
    replace_file(folder / "done.json", json.dumps(asdict(done), indent=1) + "\n")


def finished(folder: Path) -> Done | None:
    """The figures of a run that ended well; None if it did not, or if its files have changed since."""
    try:
        done = Done(**json.loads((folder / "done.json").read_text("utf-8")))
        whole = done.sha256 == sha256_of(adapter_of(folder) / WEIGHTS) and done.inputs == inputs_of(folder)
    except (OSError, ValueError, TypeError):
        return None
    return done if whole else None


def sha256_of(path: Path) -> str:
    """The file's checksum, in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def replace_file(path: Path, text: str) -> None:
    """Write the file completely or not at all; it is on disk before it becomes visible."""
    unfinished = path.with_name(path.name + _UNFINISHED)
    unfinished.write_text(text, "utf-8")
    sync(unfinished)
    unfinished.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Return once the file, or the folder's list of names, is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _example(row: Mapping[str, object]) -> Example:
    conversation = row["conversation"]
    return Example(
        text=str(row["text"]),
        label=str(row["label"]),
        source=Source(str(row["source"])),
        side=Side(str(row["side"])),
        at=datetime.fromisoformat(str(row["at"])),
        conversation=conversation if isinstance(conversation, int) else None,
    )


def _what_is_asked(run: TrainingRun) -> dict[str, object]:
    """The parts of the task that prompts are made of, without rooms and emoji: moving a team needs no new training."""
    labels = [{"name": n.name, "means": n.means, "examples": list(n.examples)} for n in run.task.labels]
    asked: dict[str, object] = {
        "base": str(run.base),
        "name": run.task.name,
        "question": run.task.question,
        "fallback": run.task.fallback,
        "labels": labels,
        "codes": dict(sorted(run.codes.items())),
    }
    preference = run.task.learning.preference
    return asked | {"preference": preference} if preference else asked  # without it, the same bytes as ever


_: type[TrainingTexts] = RunFolders
