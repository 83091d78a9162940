"""`switchboard failed list|retry|drop`: the items that were set aside after repeated failures."""

import sys
from typing import Annotated

import typer

from bot.commands.command_line import AsJson, Config, read_settings, run_to_end
from bot.commands.failed_report import drop_failed, list_failed, retry_failed
from bot.domain.errors import UsageError
from bot.settings import Settings
from bot.store import now, open_store

failed = typer.Typer(no_args_is_help=True, help="What was set aside after it failed again and again.")

FailedIds = Annotated[list[int] | None, typer.Argument(metavar="ID...", help="As `switchboard failed list` shows.")]
EveryFailed = Annotated[bool, typer.Option("--all", help="All of them.")]


@failed.command(name="list")
def failed_list(as_json: AsJson = False, config: Config = None) -> None:
    """Every item that is set aside: its step, why, how often it was tried. Nobody's words are shown."""

    async def work(settings: Settings) -> None:
        async with open_store(settings) as store:
            await list_failed(store.failures, as_json, sys.stdout)

    run_to_end(work(read_settings(config)))


@failed.command(name="retry")
def failed_retry(ids: FailedIds = None, every: EveryFailed = False, config: Config = None) -> None:
    """Let items be tried again, as soon as the bot runs."""

    async def work(settings: Settings) -> None:
        async with open_store(settings) as store:
            await retry_failed(store.failures, _chosen(ids, every), now())

    run_to_end(work(read_settings(config)))


@failed.command(name="drop")
def failed_drop(ids: FailedIds = None, every: EveryFailed = False, config: Config = None) -> None:
    """Never try these items again: nothing more is done about them. This cannot be undone."""

    async def work(settings: Settings) -> None:
        async with open_store(settings) as store:
            await drop_failed(store.failures, _chosen(ids, every), now())

    run_to_end(work(read_settings(config)))


def _chosen(ids: list[int] | None, every: bool) -> list[int]:
    """The named ids; empty for all. Raises UsageError unless there are either ids or --all."""
    if bool(ids) == every:
        raise UsageError("name the ids that `switchboard failed list` shows, or say --all")
    return ids or []
