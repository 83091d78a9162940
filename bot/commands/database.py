"""`switchboard migrate`, `backup` and `restore`: update, copy and restore the whole database."""

from pathlib import Path
from typing import Annotated

import typer

from bot import database
from bot.commands.command_line import Config, read_settings, run_to_end


def migrate(config: Config = None) -> None:
    """Bring the database to the newest schema. `run` and `demo` do it themselves."""
    run_to_end(database.migrate(read_settings(config)))


def backup(
    file: Annotated[Path, typer.Argument(dir_okay=False)],
    verify: Annotated[
        bool, typer.Option("--verify", help="Restore it into a scratch database, and read every row back.")
    ] = False,
    config: Config = None,
) -> None:
    """Write the database, and the adapters that serve or may serve again, into one file. The bot goes on working."""
    run_to_end(database.backup(read_settings(config), file, verify))


def restore(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)], config: Config = None) -> None:
    """Put database and adapters back to what a backup holds. Stop the bot first: what the database held is replaced."""
    run_to_end(database.restore_backup(read_settings(config), file))
