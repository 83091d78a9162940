"""`switchboard retention`: deletes now what is past its retention, or only counts it."""

import json
import sys
from collections.abc import Mapping
from typing import Annotated, TextIO

import typer

from bot.commands.command_line import AsJson, Config, read_settings, run_to_end
from bot.console import say
from bot.domain.plural import counted
from bot.domain.retention import Retention
from bot.retainer import retainer
from bot.settings import Settings
from bot.store import open_store

OnlyCount = Annotated[bool, typer.Option("--dry-run", help="Count what would go, and change nothing.")]


def retention(dry_run: OnlyCount = False, as_json: AsJson = False, config: Config = None) -> None:
    """Remove what the settings keep no longer; the bot does so itself every hour.

    In small batches: interrupted, the next one goes on. Decisions, corrections, and
    who had a conversation are never taken away.
    """

    async def work(settings: Settings) -> None:
        async with open_store(settings) as store:
            found = retainer(settings, store)
            gone = await (found.count() if dry_run else found.remove())
            _show(gone, settings.retention, dry_run, as_json, sys.stdout)

    run_to_end(work(read_settings(config)))


def _show(gone: Mapping[str, int], kept: Retention, dry_run: bool, as_json: bool, out: TextIO) -> None:
    if as_json:
        print(json.dumps({"dry_run": dry_run, "gone": dict(gone)}), file=out)
        return
    for kind, count in gone.items():
        verb = "would go" if dry_run else "gone"
        say(f"{kind}: {count} {verb}, older than {counted(getattr(kept, kind).days, 'day')}")
    if not gone:
        say("everything is kept for ever; set days in [retention]")
