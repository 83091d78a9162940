"""`switchboard compare`: whether fine-tuning is worth it, on one's own messages and at one's own prices."""

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
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
    wanted_arms,
    with_prices_of,
)
from bot.commands.comparison import OWN, Comparison, PredictionFile, Priced, compare
from bot.commands.comparison_report import show, write_page
from bot.commands.file_options import (
    Encoding,
    KeepHtml,
    LabelColumn,
    Mapped,
    ReadFrom,
    SkipBad,
    TextColumns,
    UnknownLabels,
    read_options,
)
from bot.commands.prompting import Prompter
from bot.console import say
from bot.domain.errors import UsageError
from bot.domain.example_files.reading import Unknown
from bot.domain.price_book import PriceBook, read_prices
from bot.files import read_whole
from bot.model_stack import open_model_stack
from bot.prompted_models import own_base

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
    file: ReadFrom,
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
    """Whether the fine-tuned model is worth it, on a labelled file; of one with splits, on its test rows.

    The commonest label, each voice alone, the whole mixture and the mixture without
    the fine-tuned model, on the same messages: how often each is right, how fast it
    is, what it costs, and one sentence of verdict. --predictions puts anybody else's
    answers beside them. Messages that nearly repeat a learned text are left out.

    --prompt, --base and --endpoint prompt models that were not fine-tuned, with and
    without examples; interrupted, the same command goes on where it was. --cascade
    lets what serves decide where it is sure, and the prompted model where it is not.
    """
    settings = read_settings(config)
    with spoken():
        asked = settings.task(task)
        options = read_options(encoding, text, label, mapped, unknown, keep_html)
        files = prediction_files(predictions or ())
        wanted = wanted_arms(settings, endpoint or (), prompt, base or (), shots, cascade, sure)
        priced = Priced(with_prices_of(wanted.endpoints, price_book(prices or PRICES)), gpu)
        given = examples.labelled(file, asked, options, skip_bad)

    async def work() -> Comparison:
        async with AsyncExitStack() as stack:
            store, models = await stack.enter_async_context(open_model_stack(settings, asked_much=asked))
            known, today = await store.examples.examples(asked.name), datetime.now(UTC).date()
            own, embedder = partial(own_base, settings, models), models.classifier.embedder
            prompter = Prompter(wanted, settings, embedder, store.lessons, own, priced.book, gpu, stack.aclose)
            prompting = prompter.ask if wanted.anything else None
            return await compare(models.learner.scorer, asked, known, given, files, priced, today, prompting)

    made = run_to_end(work())
    show(made, as_json, sys.stdout)
    with spoken():
        if html is not None:
            write_page(html, made)
            say(f"{html} is written")


def prediction_files(written: Sequence[str]) -> list[PredictionFile]:
    """What --predictions names. Raises UsageError for one that names nothing, or a name that is taken."""
    found: dict[str, PredictionFile] = {}
    for one in written:
        name, equals, path = (part.strip() for part in one.partition("="))
        if not equals or not name or not path:
            raise UsageError(f"--predictions {one!r} names no file; write it like --predictions gpt-4o=answers.jsonl")
        if name in OWN or name in found:
            raise UsageError(f"--predictions {one!r}: the name {name!r} is taken; choose another")
        found[name] = PredictionFile(name, _text(Path(path)))
    return list(found.values())


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
