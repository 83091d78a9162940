"""`switchboard curve`: how accuracy grows with examples, and what more of them would be worth."""

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.commands import examples
from bot.commands.command_line import AsJson, Config, TaskName, read_settings, run_to_end, spoken
from bot.commands.compare import Page, Predicted, prediction_files
from bot.commands.comparison import PredictionFile
from bot.commands.curve_adapter import AdapterDraws, Adapters, Yes, adapter_notes, agreed_adapters
from bot.commands.curve_progress import CurveProgress
from bot.commands.curve_report import CurveReport, show, write_page
from bot.commands.file_options import Encoding, LabelColumn, Mapped, MaybeReadFrom, SkipBad, TextColumns, read_options
from bot.commands.period import SettledSince
from bot.commands.settled_messages import asked_when, settled_between
from bot.console import counting, say
from bot.domain.comparison import SERVED, WITHOUT, training_side, unseen
from bot.domain.curve_extrapolation import extrapolated
from bot.domain.errors import UsageError
from bot.domain.learning import Example, Side, text_key
from bot.domain.learning_curve import DRAWS, Measured, curve, planned, together
from bot.domain.model_ports import Lesson
from bot.domain.plural import counted
from bot.domain.predictions import read_predictions
from bot.domain.settled import truth_notes
from bot.domain.tasks import Task
from bot.domain.worth import LEAST
from bot.files import check_writable
from bot.flow.fit_voices import MAX_LESSONS
from bot.flow.learning_curve import CurveMeasurer
from bot.settings import Settings
from bot.store import Store, embedding_backfill, now, open_store
from db.outcomes import PostgresOutcomes

Draws = Annotated[int, typer.Option("--draws", min=2, max=50, help="Subsets of each size.")]
More = Annotated[int, typer.Option("--more", min=1, help="Say what so many more examples would be worth.")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What to measure."""

    task: Task
    given: Sequence[Example] | None
    """The messages of a file; None: past messages, or the held-out examples."""
    when: tuple[datetime, datetime] | None
    files: Sequence[PredictionFile]
    draws: int
    more: int
    adapter_draws: int = 0
    """How many draws the fine-tuned adapter is trained on; 0: none."""
    yes: bool = False


def drawing(
    file: MaybeReadFrom = None,
    since: SettledSince = None,
    predictions: Predicted = None,
    draws: Draws = DRAWS,
    adapter: Adapters = False,
    adapter_draws: AdapterDraws = 1,
    yes: Yes = False,
    more: More = 300,
    html: Page = None,
    skip_bad: SkipBad = False,
    text: TextColumns = None,
    label: LabelColumn = None,
    mapped: Mapped = None,
    encoding: Encoding = None,
    task: TaskName = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """How accuracy grows with examples: 5, 10, 25, 50, 100 a team, and all; and what more of them would be worth.

    Fits the words, the vectors, the neighbours and their mixture on several draws of
    each size, and asks them all about the same messages: those of the file, the
    settled ones with --since, else the held-out examples. Says below how many
    examples one is better and above how many another, answers of --predictions
    included. Needs no model server. Interrupted, the same command goes on.

    --adapter trains an adapter on a draw of each size as well, and measures it alone
    and in the mixture, through the model server. It says first how long that takes,
    and asks above `ask_above_minutes`.
    """
    settings = read_settings(config)
    with spoken():
        check_writable(html)
        one = settings.task(task)
        when = asked_when(file, since, one, now()) if file is not None or since is not None else None
        options, files = read_options(encoding, text, label, mapped), prediction_files(predictions or ())
        given = None if file is None else examples.labelled(file, one, options, skip_bad)
        asked = Asked(one, given, when, files, draws, more, adapter_draws if adapter else 0, yes)
    _told(run_to_end(_drawn(settings, asked)), as_json, html)


def _told(made: CurveReport | None, as_json: bool, html: Path | None) -> None:
    """Print the report; exits with 1 where there is none."""
    if made is None:
        raise typer.Exit(1)
    show(made, as_json, sys.stdout)
    with spoken():
        if html is not None:
            write_page(html, made)
            say(f"{html} is written")


async def _drawn(settings: Settings, asked: Asked) -> CurveReport | None:
    """The report; None when the trainings take long and the user declined them."""
    async with open_store(settings) as store, AsyncExitStack() as stack:
        with counting("remembering", await store.memory.count_unembedded(store.embedder.name)) as told:
            await embedding_backfill(store).all(told)
        judging, notes = await _messages(store, asked)
        lessons = await store.lessons.lessons(asked.task, store.embedder.name, MAX_LESSONS)
        if len({lesson.label for lesson in lessons}) < 2:
            raise UsageError(f"{asked.task.name} has examples of fewer than two teams; import some first")
        agreed, draws = None, asked.adapter_draws
        if draws:
            agreed = await agreed_adapters(settings, store, stack, asked.task, lessons, judging, draws, asked.yes)
            if agreed is None:
                return None
        measured = await _measured(settings, store, asked, lessons, judging)
        if agreed is not None:
            measured = together(measured, await agreed.measured())
    return _report(asked, measured, lessons, judging, notes)


def _report(
    asked: Asked,
    measured: Sequence[Measured],
    lessons: Sequence[Lesson],
    judging: Sequence[Example],
    notes: Sequence[str],
) -> CurveReport:
    flat = {file.name: _right(file, asked.given or judging, judging, asked.task) for file in asked.files}
    made = curve([_beside(one, flat) for one in measured], lessons)
    learning = [arm for arm in made.points if arm not in flat]
    worth = {arm: extrapolated(made, arm, asked.more) for arm in learning}
    whole = SERVED if asked.adapter_draws > 1 else WITHOUT  # one draw alone is not extrapolated
    notes = [*notes, *_notes(lessons, len(judging), asked.adapter_draws)]
    return CurveReport(asked.task.name, made, worth, whole, notes)


async def _messages(store: Store, asked: Asked) -> tuple[Sequence[Example], list[str]]:
    """The messages to judge by, and notes on them. Raises UsageError where none is left."""
    task, known = asked.task, await store.examples.examples(asked.task.name)
    said: list[str] = []
    chosen = [e for e in known if e.side is Side.HELD_OUT and e.label in task.names]
    if asked.given is not None:
        chosen = list(asked.given)
    elif asked.when is not None:
        settled = await settled_between(PostgresOutcomes(store.database), task, asked.when)
        chosen, said = list(settled.examples), truth_notes(settled)
    judging, leaked, repeated = unseen(chosen, training_side(known, task.names))
    if not judging:
        raise UsageError(
            f"nothing to judge by: of {counted(len(chosen), 'message')} "
            f"{counted(leaked, 'nearly repeats', 'nearly repeat')} a text that is learned from; "
            "name a file with other labelled messages"
        )
    if leaked or repeated:
        said.append(
            f"left out: {counted(leaked, 'message that nearly repeats', 'messages that nearly repeat')} a text that is "
            f"learned from, and {counted(repeated, 'that repeats', 'that repeat')} another"
        )
    return judging, said


async def _measured(
    settings: Settings, store: Store, asked: Asked, lessons: Sequence[Lesson], judging: Sequence[Example]
) -> list[Measured]:
    """Every draw, including those of an interrupted command."""
    name, texts = store.embedder.name, [example.text for example in judging]
    progress = CurveProgress(settings.model.runs.parent / "curves", asked.task.name, name, lessons, judging)
    draws = planned(Counter(lesson.label for lesson in lessons), asked.draws)
    found = {one.draw: one for one in progress.measured() if one.draw in draws}
    if found and len(found) < len(draws):
        say(f"there already, from a command that did not end: {len(found)} of {counted(len(draws), 'fit')}")
    missing = [draw for draw in draws if draw not in found]
    with tempfile.TemporaryDirectory() as folder, counting("fitting", len(missing)) as told:
        from inference.voices.fitted import FittedVoices  # needs scikit-learn, which most commands do without

        voices, vectors = FittedVoices(Path(folder), name), await store.embedder.embed(texts)
        async for one in CurveMeasurer(voices, asked.task, lessons, judging, vectors).measure(missing):
            progress.add(one)
            found[one.draw] = one
            told(1)
    return list(found.values())


def _right(file: PredictionFile, given: Sequence[Example], judging: Sequence[Example], task: Task) -> Sequence[bool]:
    """For each message whether the file's prediction is right."""
    try:
        read = read_predictions(file.name, file.written, given, task)
    except UsageError as error:
        raise UsageError(f"predictions of {file.name}: {error}") from error
    right = {score.text_key: score.right for score in read.scores}
    return [right[text_key(example.text)] for example in judging]


def _beside(one: Measured, flat: dict[str, Sequence[bool]]) -> Measured:
    return Measured(one.draw, one.examples, {**one.right, **flat})


def _notes(lessons: Sequence[Lesson], messages: int, adapter_draws: int) -> list[str]:
    counts = Counter(lesson.label for lesson in lessons)
    fewest, most = min(counts.values()), max(counts.values())
    no_part = (
        "the memory of corrections and the fine-tuned adapter take no part: the one knows texts by heart, the other "
        "takes minutes to train for each point (--adapter)"
    )
    said = [
        *(adapter_notes(adapter_draws) if adapter_draws else [no_part]),
        f"teams have {fewest} to {counted(most, 'example')}: one that has fewer than a size brings what it has",
        "all examples are one draw: the interval there is over messages alone",
    ]
    if messages < LEAST:
        said.append(
            f"{counted(messages, 'message is', 'messages are')} fewer than {LEAST}: "
            "the intervals are as wide as that deserves"
        )
    return said
