"""`switchboard init`: writes commented settings and the platforms' files, for a first start."""

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.command_line import Config, spoken
from bot.console import say
from bot.init import USUAL, begin, next_steps, of_names
from bot.platforms import platform_modules, platform_names

_PLATFORMS = "|".join(platform_names())


def init(
    platforms: Annotated[
        list[str] | None, typer.Argument(metavar=_PLATFORMS, help=f"By default: {' '.join(USUAL)}.")
    ] = None,
    http: Annotated[
        bool, typer.Option("--http", help="Let the platforms call us at a public address, instead of us calling them.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are here already.")] = False,
    config: Config = None,
) -> None:
    """Write commented settings and the files that platforms need (an app's manifest), and say what to do next.

    The file holds a small example to be changed: three teams, their rooms and
    emoji, and every setting with its usual value. Nothing is overwritten without
    --force. There are no secrets in it; the next steps say where these come from.
    """
    settings = config or Path("switchboard.toml")
    with spoken():
        chosen = of_names(list(dict.fromkeys(platforms or USUAL)), platform_modules())
        written = begin(settings, chosen, http, force)
    say(f"Written: {', '.join(map(str, written))}")
    for number, step in enumerate(next_steps(settings, written, chosen, http), 1):
        say(f"{number}. {step}")
