"""What every command shares: its flags, the settings it reads, and how it ends when something goes wrong."""

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


def read_settings(config: Path | None) -> Settings:
    """The settings of this folder, or of that file. Ends the command with 2 where they are wrong.

    Where the demo keeps what it stores, and perhaps runs, these are the demo's: a command beside it means the same.
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
        return load(path).of_workspace(_workspace())


def _workspace() -> str | None:
    """What was written as `--workspace` before the command."""
    context = click.get_current_context(silent=True)
    written = context.find_root().params.get("workspace") if context else None
    return written if isinstance(written, str) and written else None


def run_to_end(work: Coroutine[None, None, T]) -> T:
    """What the work returns; ends the command with the exit code of what went wrong."""
    with spoken():
        return asyncio.run(work)


@contextmanager
def spoken() -> Iterator[None]:
    """What we foresaw is said in its own words, without a traceback."""
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
