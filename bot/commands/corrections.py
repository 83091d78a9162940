"""`switchboard corrections`, `… list`, `… accept`: the stages of leads' corrections."""

import sys
from typing import Annotated

import typer

from bot.commands.command_line import AsJson, Config, TaskName, read_settings, run_to_end
from bot.commands.corrections_report import accept_correction, count_corrections, list_corrections
from bot.commands.team_changes import author
from bot.domain.silent_signals import counts
from bot.settings import Settings
from bot.store import now, open_store, silent_signals

corrections = typer.Typer(
    invoke_without_command=True,
    help="How many corrections are remembered, learned, let go of, held back or withdrawn; `list` names each.",
)


@corrections.callback()
def corrections_counts(
    context: typer.Context, task: TaskName = None, as_json: AsJson = False, config: Config = None
) -> None:
    """How many corrections there are at each stage of their life."""
    if context.invoked_subcommand is not None:
        return

    async def work(settings: Settings) -> None:
        async with open_store(settings) as store:
            asked = settings.task(task)
            shown = counts(await silent_signals(store).signals(asked))
            count_corrections(await store.queries.corrections(), asked, as_json, sys.stdout, shown)

    run_to_end(work(read_settings(config)))


@corrections.command(name="list")
def corrections_list(
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many of the newest.")] = 100,
    texts: Annotated[bool, typer.Option("--texts", help="With what people wrote.")] = False,
    task: TaskName = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """The newest corrections: the stage of each, whose it is, and who learned it. No texts without --texts."""

    async def work(settings: Settings) -> None:
        async with open_store(settings) as store:
            await list_corrections(store.corrections, settings.task(task), limit, texts, as_json, sys.stdout)

    run_to_end(work(read_settings(config)))


@corrections.command()
def accept(
    correction: Annotated[int, typer.Argument(metavar="ID", help="As `switchboard corrections list` shows.")],
    by: Annotated[str | None, typer.Option("--by", metavar="NAME", help="In whose name; by default yours.")] = None,
    config: Config = None,
) -> None:
    """Let a correction that waits for a second lead teach from now on."""

    async def work(settings: Settings) -> None:
        async with open_store(settings) as store:
            await accept_correction(store.corrections, correction, author(by), now())

    run_to_end(work(read_settings(config)))
