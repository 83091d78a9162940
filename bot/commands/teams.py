"""`switchboard teams list|rename|merge|split|retire`: lets the database follow changes of the settings' teams."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from bot.commands.command_line import AsJson, Config, TaskName, read_settings, run_to_end
from bot.commands.file_options import ReadFrom
from bot.commands.team_changes import author, change_team, list_teams, texts_to_split
from bot.domain.tasks import Task
from bot.domain.team_changes import Kind, TeamChange
from bot.settings import Settings
from bot.store import open_store

teams = typer.Typer(
    no_args_is_help=True,
    help="Rename, merge, split or retire a team. Change the settings first, then run this, then start the bot again.",
)

OldName = Annotated[str, typer.Argument(metavar="OLD", help="The name that the settings had.")]
NewName = Annotated[str, typer.Argument(metavar="NEW", help="A name that the settings have.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who changes it, for the record; by default you.")]
OnlyCount = Annotated[bool, typer.Option("--dry-run", help="Only say what would follow, and change nothing.")]


@teams.command(name="list")
def teams_list(task: TaskName = None, as_json: AsJson = False, config: Config = None) -> None:
    """Every label with what is known of it, those that the settings no longer have, and every change ever made."""

    async def work(settings: Settings) -> None:
        async with open_store(settings) as store:
            await list_teams(store.team_changes, settings.task(task), settings.tasks, as_json, sys.stdout)

    run_to_end(work(read_settings(config)))


@teams.command()
def rename(
    old: OldName,
    new: NewName,
    dry_run: OnlyCount = False,
    by: By = None,
    task: TaskName = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """The same team under another name: what was learned of it, its requests and its adapters follow, untrained."""
    _change(lambda _: TeamChange(Kind.RENAME, old, new, author(by)), dry_run, task, as_json, config)


@teams.command()
def merge(
    old: OldName,
    into: NewName,
    dry_run: OnlyCount = False,
    by: By = None,
    task: TaskName = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """A team becomes part of another: its examples are the other's, and so are its open requests, with new cards."""
    _change(lambda _: TeamChange(Kind.MERGE, old, into, author(by)), dry_run, task, as_json, config)


@teams.command()
def split(
    old: OldName,
    into: NewName,
    file: ReadFrom,
    dry_run: OnlyCount = False,
    by: By = None,
    task: TaskName = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Some of a team's examples become another's: those whose texts are in the file, or are labelled so in it.

    The rest stays. What leads move from card to card meanwhile is learned as ever.
    """

    def wanted(about: Task) -> TeamChange:
        return TeamChange(Kind.SPLIT, old, into, author(by), texts_to_split(file, about, into))

    _change(wanted, dry_run, task, as_json, config)


@teams.command()
def retire(
    team: OldName,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="TEAM", help="The team that gets open requests; by default the fallback."),
    ] = None,
    dry_run: OnlyCount = False,
    by: By = None,
    task: TaskName = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """There is no such team any more: its examples no longer count, its open requests go to another, with new cards."""
    _change(
        lambda about: TeamChange(Kind.RETIRE, team, to or about.fallback, author(by)), dry_run, task, as_json, config
    )


def _change(
    wanted: Callable[[Task], TeamChange], dry_run: bool, task: str | None, as_json: bool, config: Config
) -> None:
    async def work(settings: Settings) -> None:
        about = settings.task(task)
        change = wanted(about)
        async with open_store(settings) as store:
            await change_team(store.team_changes, about, change, dry_run, as_json, sys.stdout)

    run_to_end(work(read_settings(config)))
