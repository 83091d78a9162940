"""What every command shares: its flags, reading the settings, and exit codes."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import click
import typer

from bot import app
from bot.console import say
from bot.demo import company
from bot.domain.errors import SwitchboardError, UsageError
from bot.settings import Settings, load

T = TypeVar("T")

Config = Annotated[
    Path | None,
    typer.Option("--config", envvar="SWITCHBOARD_CONFIG", help="The settings file; by default ./switchboard.toml."),
]
TaskName = Annotated[str | None, typer.Option("--task", help="Which task; by default the one that routes.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]


def read_settings(config: Path | None, demanding: bool = False) -> Settings:
    """The settings of this folder, or of that file. Ends the command with exit code 2 where they are wrong.

    Secrets that are missing or wrong end only a `demanding` command here, and any other where it uses them.
    In a folder with the demo's data and no settings, these are the demo's, so that commands work beside the demo.
    """
    with spoken():
        path = config or Path("switchboard.toml")
        if path.resolve() == company.SETTINGS.resolve():
            return app.demo_settings(Path.cwd()).of_workspace(_workspace())
        if config is None and not path.exists():
            demo = app.demo_settings(Path.cwd())
            if demo.database.directory.is_dir():
                say(f"there is no {path} here; this is about the demo of this folder")
                return demo.of_workspace(_workspace())
        chosen = _workspace()
        settings = load(path, demanding=demanding and chosen is None).of_workspace(chosen)
        if demanding:
            settings.demand_all()
        return settings


def _workspace() -> str | None:
    """The `--workspace` given before the command."""
    context = click.get_current_context(silent=True)
    written = context.find_root().params.get("workspace") if context else None
    return written if isinstance(written, str) and written else None


def run_to_end(work: Coroutine[None, None, T]) -> T:
    """Run the work and return its result; an error ends the command with its exit code."""
    with spoken():
        return asyncio.run(work)


@contextmanager
def spoken() -> Iterator[None]:
    """Print the message of an expected error, without a traceback, and exit."""
    try:
        yield
    except UsageError as error:
        say(str(error))
        raise typer.Exit(2) from error
    except SwitchboardError as error:
        say(str(error))
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        raise typer.Exit(130) from error
