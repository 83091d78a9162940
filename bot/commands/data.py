"""`switchboard data`: whether the examples are good enough to learn from."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.command_line import AsJson, Config, TaskName, read_settings, run_to_end, spoken
from bot.commands.data_report import say_figures, show_report, write_examples, write_page
from bot.console import say
from bot.domain.data_report import DataReport, report
from bot.domain.plural import counted
from bot.domain.silent_signals import weighed
from bot.settings import Settings
from bot.store import open_store, silent_signals
from inference.languages import language_of

Page = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", dir_okay=False, help="Also write a page with drawings.")
]
ExampleRows = Annotated[
    Path | None,
    typer.Option("--rows", metavar="FILE", dir_okay=False, help="Also write a JSON line an example: where it is from."),
]


def data(
    html: Page = None, rows: ExampleRows = None, task: TaskName = None, as_json: AsJson = False, config: Config = None
) -> None:
    """What there is to learn from, and what is wrong with it. Exit code 1: nothing would be trained on it.

    Examples by label, side and source; repeated and nearly repeated texts, labels
    that contradict each other, what leaks from one side to the other, languages,
    lengths, and how many texts hold personal data. No text is shown.
    """

    async def work(settings: Settings) -> DataReport:
        asked = settings.task(task)
        async with open_store(settings) as store:
            examples = await store.examples.examples(asked.name)
            if asked.learning.silent_signals > 0:
                examples += weighed(await silent_signals(store).signals(asked), examples, asked.learning.silent_signals)
        return await asyncio.to_thread(report, asked, examples, language_of)

    made = run_to_end(work(read_settings(config)))
    if not as_json:
        say_figures(made)
    show_report(made, as_json, sys.stdout)
    with spoken():
        if html is not None:
            write_page(html, made)
            say(f"{html} is written")
        if rows is not None:
            write_examples(rows, made.rows)
            say(f"{rows} is written: {counted(len(made.rows), 'example')}")
    if any(finding.refused for finding in made.findings):
        raise typer.Exit(1)
