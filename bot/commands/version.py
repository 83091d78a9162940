"""The options before a command: `switchboard --version`, `switchboard --workspace NAME COMMAND`."""

from importlib import metadata
from typing import Annotated

import typer


def _said(asked: bool) -> None:
    if asked:
        typer.echo(f"switchboard {metadata.version('switchboard')}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_said, is_eager=True, help="Say which version this is.")]
Workspace = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        metavar="NAME",
        envvar="SWITCHBOARD_WORKSPACE",
        help="The workspace that a command is about; by default the one without a name, and for run and migrate all.",
    ),
]


def before_any_command(version: Version = False, workspace: Workspace = None) -> None:
    """Handles the options that stand before a command."""
