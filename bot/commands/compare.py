"""`switchboard compare`: whether fine-tuning is worth it, on your own messages and at your own prices."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from bot.commands import examples
from bot.commands.command_line import AsJson, Config, TaskName, read_settings, run_to_end, spoken
from bot.commands.compare_options import (
    Bases,
    Cascade,
    EndpointNames,
    PromptOwn,
    Shots,
    Sure,
    check_names,
    wanted_arms,
    with_prices_of,
)
from bot.commands.comparison import OWN, Comparison, Kept, PredictionFile, Priced, compare
from bot.commands.comparison_history import MOST, History, show_history, write_history
from bot.commands.comparison_report import show, write_page
from bot.commands.file_options import (
    Encoding,
    KeepHtml,
    LabelColumn,
    Mapped,
    MaybeReadFrom,
    SkipBad,
    TextColumns,
    UnknownLabels,
    read_options,
)
from bot.commands.period import SettledSince
from bot.commands.prompting import Prompter, Wanted
from bot.commands.settled_messages import asked_when, settled_between
from bot.commands.training_costs import with_training
from bot.console import say
from bot.domain.errors import UsageError
from bot.domain.example_files.reading import Unknown
from bot.domain.learning import Example
from bot.domain.past_comparisons import PastComparison
from bot.domain.price_book import PriceBook, read_prices
from bot.domain.settled import truth_notes
from bot.domain.tasks import Task
from bot.domain.training_cost import TrainedAdapter
from bot.files import check_writable, read_whole
from bot.model_stack import open_model_stack
from bot.prompted_models import open_answers, own_base
from bot.settings import Settings
from bot.store import Store, now, open_store
from db.comparisons import PostgresComparisons
from db.outcomes import PostgresOutcomes
from db.training_costs import PostgresTrainingCosts
from inference.answer_cache import SqliteOwnAnswers

PRICES = Path(__file__).parents[1] / "prices.toml"
Predicted = Annotated[
    list[str] | None,
    typer.Option("--predictions", metavar="NAME=FILE", help="Somebody else's answers, JSON lines; repeatable."),
]
Prices = Annotated[
    Path | None, typer.Option("--prices", metavar="FILE", dir_okay=False, help="Your own price book, TOML.")
]
Gpu = Annotated[bool, typer.Option("--gpu", help="The model server has a GPU: price its time as one.")]
Page = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", dir_okay=False, help="Also write a page with a drawing.")
]


def comparing(
    file: MaybeReadFrom = None,
    since: SettledSince = None,
    history: History = False,
    predictions: Predicted = None,
    prices: Prices = None,
    gpu: Gpu = False,
    html: Page = None,
    endpoint: EndpointNames = None,
    prompt: PromptOwn = False,
    base: Bases = None,
    shots: Shots = None,
    cascade: Cascade = False,
    sure: Sure = None,
    skip_bad: SkipBad = False,
    text: TextColumns = None,
    label: LabelColumn = None,
    mapped: Mapped = None,
    unknown: UnknownLabels = Unknown.REFUSE,
    encoding: Encoding = None,
    keep_html: KeepHtml = False,
    task: TaskName = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Say whether the fine-tuned model is worth it; `--help` shows COMPARE_HELP instead of this."""
    settings = read_settings(config)
    with spoken():
        check_writable(html)
        asked = settings.task(task)
        if history:
            _history(settings, asked, html, as_json)
            return
        options = read_options(encoding, text, label, mapped, unknown, keep_html)
        wanted = wanted_arms(settings, endpoint or (), prompt, base or (), shots, cascade, sure)
        files = _named_apart(settings, wanted, predictions or ())
        priced = Priced(with_prices_of(wanted.endpoints, known_prices(settings, prices)), gpu)
        when = asked_when(file, since, asked, now())
        given = examples.labelled(file, asked, options, skip_bad) if file is not None else []
    _told(run_to_end(_compared(settings, asked, wanted, priced, when, given, files)), as_json, html)


async def _compared(
    settings: Settings,
    asked: Task,
    wanted: Wanted,
    priced: Priced,
    when: tuple[datetime, datetime] | None,
    given: Sequence[Example],
    files: Sequence[PredictionFile],
) -> Comparison:
    found: tuple[Sequence[Example], list[str]] = given, []

    async def judged_by(store: Store) -> None:
        nonlocal found
        found = await _judging(store, asked, when, given)

    async with AsyncExitStack() as stack:
        opened = open_model_stack(settings, asked_much=asked, first=judged_by)
        store, models = await stack.enter_async_context(opened)
        known, today = await store.examples.examples(asked.name), datetime.now(UTC).date()
        judging, truth = found
        own, embedder = partial(own_base, settings, models), models.classifier.embedder
        prompter = Prompter(wanted, settings, embedder, store.lessons, own, priced.book, priced.gpu, stack.aclose)
        prompting = prompter.ask if wanted.anything else None
        trained = await _trained(store, asked, settings.model.base)  # read now: prompting another base closes the store
        cache = stack.enter_context(open_answers(settings))
        kept = Kept(SqliteOwnAnswers(cache), f"{version('switchboard')} {await store.memory.digest()}")
        scorer = models.learner.scorer
        made = await compare(scorer, asked, known, judging, files, priced, today, prompting, kept=kept)
        made = with_training(made, trained, priced.gpu, now())
        return replace(made, notes=[*truth, *made.notes])


def _told(made: Comparison, as_json: bool, html: Path | None) -> None:
    show(made, as_json, sys.stdout)
    with spoken():
        if html is not None:
            write_page(html, made)
            say(f"{html} is written")


async def _judging(
    store: Store, task: Task, when: tuple[datetime, datetime] | None, given: Sequence[Example]
) -> tuple[Sequence[Example], list[str]]:
    """The messages to judge by, and notes on how their true labels were obtained."""
    if when is None:
        return given, []
    settled = await settled_between(PostgresOutcomes(store.database), task, when)
    return settled.examples, truth_notes(settled)


async def _trained(store: Store, task: Task, base: str) -> TrainedAdapter | None:
    champion = await store.registry.champion(task.name, base)
    return await PostgresTrainingCosts(store.database).trained(task.name, champion.name) if champion else None


def _history(settings: Settings, task: Task, html: Path | None, as_json: bool) -> None:
    async def read() -> Sequence[PastComparison]:
        async with open_store(settings) as store:
            return await PostgresComparisons(store.database).newest(task.name, MOST)

    past = asyncio.run(read())
    show_history(past, task.name, as_json, sys.stdout)
    if html is not None:
        write_history(html, past, task.name)
        say(f"{html} is written")


def _named_apart(settings: Settings, wanted: Wanted, predictions: Sequence[str]) -> list[PredictionFile]:
    """The files of predictions. Raises UsageError where two arms would have the same name."""
    files = prediction_files(predictions)
    check_names(wanted, settings.model.base, [one.name for one in files])
    return files


def prediction_files(written: Sequence[str]) -> list[PredictionFile]:
    """The files that --predictions names. Raises UsageError for a wrong form, or a name that is taken."""
    found: dict[str, PredictionFile] = {}
    for one in written:
        name, equals, path = (part.strip() for part in one.partition("="))
        if not equals or not name or not path:
            raise UsageError(f"--predictions {one!r} names no file; write it like --predictions gpt-4o=answers.jsonl")
        if name in OWN or name in found:
            raise UsageError(f"--predictions {one!r}: the name {name!r} is taken; choose another")
        found[name] = PredictionFile(name, _text(Path(path)))
    return list(found.values())


def known_prices(settings: Settings, named: Path | None = None) -> PriceBook:
    """The prices of the named file, else of the settings, else the included ones. Raises UsageError."""
    if named is None and settings.prices is not None:
        return settings.prices
    return price_book(named or PRICES)


def price_book(path: Path) -> PriceBook:
    """The prices in this file. Raises UsageError."""
    written = _text(path)
    try:
        return read_prices(written)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def _text(path: Path) -> str:
    try:
        return read_whole(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
