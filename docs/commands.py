"""Prints docs/commands.md: every command of `switchboard`, from what the commands say of themselves."""

import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import typer.main
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from bot.cli import cli

PAGE = Path(__file__).with_name("commands.md")
_HEAD = """# Every command

Written by `python -m docs.commands` out of the commands themselves; `switchboard COMMAND --help` says the same.

{epilog}
"""


def page() -> str:
    """The whole page."""
    group = typer.main.get_command(cli)
    assert isinstance(group, TyperGroup)  # noqa: S101  there is more than one command
    return "\n".join([_HEAD.format(epilog=group.epilog), *_described(group, "switchboard")]).rstrip() + "\n"


def _described(group: TyperGroup, called: str) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        whole = f"{called} {name}"
        if isinstance(command, TyperGroup):
            yield from _described(command, whole)
        elif isinstance(command, TyperCommand):
            yield from _section(whole, command)


def _section(called: str, command: TyperCommand) -> Iterator[str]:
    arguments = [p for p in command.params if isinstance(p, TyperArgument)]
    yield f"## {' '.join([called, *map(_taken, arguments)])}\n"
    yield f"{_paragraphs(command.help or '')}\n"
    options = [p for p in command.params if isinstance(p, TyperOption) and not p.hidden]
    rows = [(f"`{_metavar(a)}`", a.help) for a in arguments if a.help] + [(_spelled(o), o.help) for o in options]
    if rows:
        yield "| | |\n|---|---|"
        yield from (f"| {_cell(spelled)} | {_cell(says or '')} |" for spelled, says in rows)
        yield ""


def _taken(argument: TyperArgument) -> str:
    many = "…" if argument.nargs == -1 else ""
    return f"{_metavar(argument)}{many}" if argument.required else f"[{_metavar(argument)}{many}]"


def _spelled(option: TyperOption) -> str:
    """Its names, and what it takes unless it is a flag."""
    names = ", ".join(f"`{name}`" for name in option.opts)
    return names if option.is_flag else f"{names} `{_metavar(option)}`"


def _metavar(parameter: TyperArgument | TyperOption) -> str:
    annotation = parameter.type_descriptor.annotation
    if parameter.metavar:
        return parameter.metavar
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "|".join(str(member.value) for member in annotation)
    return (parameter.name or "").upper()


def _paragraphs(text: str) -> str:
    """Each paragraph a line; whoever reads it has a width of their own."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
