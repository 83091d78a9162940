"""`switchboard --version`."""

from importlib import metadata
from typing import Annotated

import typer


def _said(asked: bool) -> None:
    if asked:
        typer.echo(f"switchboard {metadata.version('switchboard')}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_said, is_eager=True, help="Say which version this is.")]


def before_any_command(version: Version = False) -> None:
    """What may be said instead of a command."""
