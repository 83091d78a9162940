"""`switchboard forget`: removes everything about one person from the database."""

import sys
from typing import Annotated

import typer

from bot import app
from bot.commands import actions
from bot.commands.command_line import AsJson, Config, read_settings, run_to_end, spoken
from bot.console import agreed, say
from bot.platforms import platform_modules


def forget(
    person: Annotated[str, typer.Argument(metavar="PLATFORM:USER", help="Like slack:U0ANN or telegram:111222333.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Erase a person: their words, their name, and what was learned from them. This cannot be undone.

    Messages, notes about them, cards and examples lose every word; posts in chats
    are rewritten as soon as the bot runs. Counts and labels stay. It says which
    adapters had learned from a text of theirs: the next learning cycle trains
    without it. Backups that were made before still hold everything, and texts that
    were imported from a file stay: it does not say whose they are.
    """
    settings = read_settings(config)
    with spoken():
        whom = actions.person(person, platform_modules())
    if not yes and not agreed(f"Erase everything about {whom.key}?"):
        say("nothing was erased; --yes does not ask")
        raise typer.Exit(1)
    actions.forgotten(whom, run_to_end(app.forget(settings, whom)), as_json, sys.stdout)
