"""Every command, each a few lines that call the application."""

import os
import sys
from contextlib import AsyncExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot import app, model_server, running
from bot.commands import actions, examples, registry
from bot.commands.audit import audit, export_person
from bot.commands.command_line import AsJson, Config, TaskName, read_settings, run_to_end, spoken
from bot.commands.compare import comparing
from bot.commands.compare_options import COMPARE_HELP
from bot.commands.corrections import corrections
from bot.commands.curve import drawing
from bot.commands.data import data
from bot.commands.database import backup, migrate, restore
from bot.commands.failed import failed
from bot.commands.file_options import (
    DryRun,
    Encoding,
    FirstTeam,
    KeepHtml,
    LabelColumn,
    Mapped,
    ReadFrom,
    RouteFrom,
    Rows,
    SkipBad,
    Strict,
    TextColumns,
    UnknownLabels,
    WhenColumn,
    read_options,
)
from bot.commands.forget import forget
from bot.commands.init import init
from bot.commands.packs import pack_commands
from bot.commands.replay import replay
from bot.commands.retention import retention
from bot.commands.review import review
from bot.commands.rules import rules
from bot.commands.teams import teams
from bot.commands.token import token
from bot.commands.topics import beside_teams, taught_by
from bot.commands.version import before_any_command
from bot.commands.webhooks import webhooks
from bot.commands.why import why
from bot.console import say
from bot.domain.errors import UsageError
from bot.domain.example_files.reading import Unknown
from bot.files import check_writable, writing
from bot.logs import log_settings, write_logs
from bot.model_stack import adopt_starter_seed, build_model_stack, model_ready, open_model_stack
from bot.platforms import platform_names
from bot.settings import Settings, with_listen
from bot.settings.platforms import secrets_of
from bot.store import embedding_backfill, open_store
from inference.local_models import need_torch

_PLATFORMS = "|".join(platform_names())

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Brings every message to the team that owns it, and learns from one emoji. "
    "See it with `switchboard demo`; begin for real with `switchboard init`.",
    epilog="Exit codes: 0 done, 1 a check or a gate said no, 2 usage or configuration.",
)

cli.callback()(before_any_command)
cli.add_typer(failed, name="failed")
cli.command()(data)
cli.command()(audit)
cli.command()(retention)
cli.command()(review)
cli.command(name="compare", help=COMPARE_HELP)(comparing)
cli.command(name="curve")(drawing)
cli.command()(replay)
cli.command()(why)
cli.command()(token)
cli.add_typer(teams, name="teams")
cli.add_typer(corrections, name="corrections")
cli.add_typer(rules, name="rules")
cli.add_typer(pack_commands, name="pack")
cli.add_typer(webhooks, name="webhooks")


class Form(StrEnum):
    """The form in which examples are written."""

    JSONL = "jsonl"
    CSV = "csv"
    OPENAI = "openai"


@cli.command()
def demo(
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    listen: Annotated[str | None, typer.Option(help="HOST:PORT of the local chat.")] = None,
) -> None:
    """The whole product on this machine, with a demo company and a chat in the browser. Ctrl-C stops all of it."""
    settings = with_listen(app.demo_settings(Path.cwd()), listen)
    run_to_end(running.serve(settings, running.Demo(open_browser=not no_browser)))


cli.command()(init)


@cli.command()
def check(
    platform: Annotated[
        str | None, typer.Argument(metavar=_PLATFORMS, help="Only this platform; by default all.")
    ] = None,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Post a test message in every team's room, and wait for your emoji on it. Stop the bot."
        ),
    ] = False,
    server_flags: Annotated[
        bool, typer.Option("--server-flags", help="Only print the flags with which to start your own model server.")
    ] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Check that everything needed works: database, model, tokens, rights, reactions.

    A line for each thing that was looked at: ✓ it works, or ✗ and what to do.
    Exit code 1: something does not work. Without --live nothing is posted.
    """
    settings = read_settings(config, demanding=platform is None and not server_flags)
    with spoken():
        if server_flags:
            typer.echo(model_server.server_flags(settings.model))
            return
        actions.known(platform, settings.platforms)
        if platform is not None:
            settings.demand(secrets_of(platform))
    if live:
        say("After the other checks a test message appears in every team's room.")
        say("Put an emoji on each as soon as it is there: I wait for a minute, for all of them together.")
        say("A bot that runs meanwhile may hear them in my place; stop it before.")

    async def work() -> bool:
        return await actions.check(app.check(settings, platform, live), as_json, sys.stdout)

    if not run_to_end(work()):
        raise typer.Exit(1)


@cli.command()
def run(
    listen: Annotated[
        str | None, typer.Option(help="HOST:PORT in place of web.listen; containers need 0.0.0.0.")
    ] = None,
    config: Config = None,
) -> None:
    """The bot, on the platforms of the settings, until Ctrl-C or SIGTERM."""
    settings = read_settings(config, demanding=True)
    with spoken():
        settings = with_listen(settings, listen)
    run_to_end(running.serve(settings))


for command in (migrate, backup, restore):
    cli.command()(command)


@cli.command()
def route(
    text: Annotated[str | None, typer.Argument(help="What somebody wrote.")] = None,
    file: RouteFrom = None,
    columns: TextColumns = None,
    encoding: Encoding = None,
    keep_html: KeepHtml = False,
    as_json: AsJson = False,
    task: TaskName = None,
    config: Config = None,
) -> None:
    """Classify a text without a chat: which team would get it?"""
    settings = read_settings(config)
    with spoken():
        asked = settings.task(task)
        if (text is None) == (file is None):
            raise UsageError('give either a text or --file: switchboard route "where is my parcel?"')
        options = read_options(encoding, columns, keep_html=keep_html)
        texts = None if file is None else examples.texts_to_route(file, asked, options)
        besides = settings.questions if asked is settings.routing else ()

    async def work() -> int:
        async with open_model_stack(settings, asked_much=asked if texts is not None else None) as (_, models):
            with writing(None) as out:
                if texts is not None:
                    return await actions.route_texts(models, asked, texts, as_json, out, settings.rules, besides)
                await actions.route_text(models, asked, text or "", as_json, out, settings.rules, besides)
            return 0

    if run_to_end(work()):
        raise typer.Exit(1)


@cli.command(name="import")
def import_(
    file: ReadFrom,
    skip_bad: SkipBad = False,
    text: TextColumns = None,
    label: LabelColumn = None,
    first: FirstTeam = None,
    at: WhenColumn = None,
    mapped: Mapped = None,
    unknown: UnknownLabels = Unknown.REFUSE,
    encoding: Encoding = None,
    keep_html: KeepHtml = False,
    strict: Strict = False,
    dry_run: DryRun = False,
    task: TaskName = None,
    config: Config = None,
) -> None:
    """Add labelled examples. A repeated import changes nothing.

    Columns, separator and encoding are recognised, and reported; the flags name what is
    not. --dry-run shows what would be stored, and stores nothing. Of tickets that
    were reassigned the last team counts: a table with a first and a last team, or
    what Zammad, Zendesk and Chatwoot export.
    """
    settings = read_settings(config)
    with spoken():
        options = read_options(encoding, text, label, mapped, unknown, keep_html, first, at)
        ready = examples.ready_to_import(file, settings.task(task), options, skip_bad, strict)
    if dry_run:
        examples.preview(ready)
        return

    async def work() -> None:
        async with open_store(settings) as store:
            for learner, rows in taught_by(settings.routing, settings.task(task), ready):
                await examples.import_examples(store, embedding_backfill(store), learner, rows)

    run_to_end(work())


@cli.command()
def export(
    file: Annotated[Path | None, typer.Argument(help="Where to, packed if it ends in .gz; else stdout.")] = None,
    form: Annotated[Form, typer.Option("--format", help="How to write them.")] = Form.JSONL,
    person: Annotated[
        str | None, typer.Option(metavar="PLATFORM:USER", help="What is held about them instead, as JSON.")
    ] = None,
    task: TaskName = None,
    config: Config = None,
) -> None:
    """Write every example that may be learned from, or all about one person. The file appears when it is whole."""
    if person is not None:
        with spoken():
            export_person(read_settings(config), person, file)
        return

    async def work(settings: Settings) -> None:
        async with open_store(settings) as store:
            await examples.export_examples(store, settings.task(task), form.value, file)

    run_to_end(work(read_settings(config)))


@cli.command()
def train(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, however long it takes.")] = False,
    task: TaskName = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """One learning cycle now: train, judge through the serving path, serve if better. Exit code 1: not better.

    It says first how long the training takes and how much memory, and asks above
    `ask_above_minutes`. Killed, the next one goes on where it was a minute before.
    """

    async def work(settings: Settings) -> bool:
        need_torch("training")
        learned = settings.task(task)
        async with open_store(settings) as store, AsyncExitStack() as stack:
            models = await build_model_stack(settings, store, stack)
            await adopt_starter_seed(settings, store)  # its codes come before those that an estimate would give out
            if not await actions.may_begin(store, models, learned, yes):
                return False  # before the server, which takes half a minute to start
            async with model_ready(settings, store, models, learned):
                return await actions.train(store, models, learned, as_json, sys.stdout)

    if not run_to_end(work(read_settings(config))):
        raise typer.Exit(1)


@cli.command()
def evaluate(
    file: ReadFrom,
    skip_bad: SkipBad = False,
    text: TextColumns = None,
    label: LabelColumn = None,
    mapped: Mapped = None,
    unknown: UnknownLabels = Unknown.REFUSE,
    encoding: Encoding = None,
    keep_html: KeepHtml = False,
    rows: Rows = None,
    task: TaskName = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """How good the present system is on a labelled file; if it has splits, on its test rows.

    --rows says of each text what was decided, what every voice said of it, and what
    would be decided without the model; the texts themselves are not in it.
    """
    settings = read_settings(config)
    with spoken():
        asked = settings.task(task)
        options = read_options(encoding, text, label, mapped, unknown, keep_html)
        check_writable(rows)
        given = examples.labelled(file, asked, options, skip_bad)

    async def work() -> None:
        async with open_model_stack(settings, asked_much=asked) as (_, models):
            with writing(None) as out:
                more = await beside_teams(models.learner.scorer, settings.routing, asked, given)
                await actions.evaluate(models, asked, file.name, given, as_json, out, rows, more)

    run_to_end(work())


@cli.command()
def models(task: TaskName = None, as_json: AsJson = False, config: Config = None) -> None:
    """The adapters there are, the one that serves, and the latest learning cycles."""

    async def work(settings: Settings) -> None:
        async with open_store(settings) as store:
            await actions.models(store, settings.task(task), settings.model.base, as_json, sys.stdout)

    run_to_end(work(read_settings(config)))


cli.command()(registry.history)
cli.command()(registry.shadow)


@cli.command()
def promote(name: str, task: TaskName = None, config: Config = None) -> None:
    """Let this adapter serve, from the next message on."""

    async def work(settings: Settings) -> None:
        async with open_store(settings) as store:
            await actions.promote(store, settings.task(task), settings.model.base, name)

    run_to_end(work(read_settings(config)))


@cli.command()
def rollback(task: TaskName = None, config: Config = None) -> None:
    """Let the adapter before the present one serve again, from the next message on."""

    async def work(settings: Settings) -> None:
        async with open_store(settings) as store:
            await actions.rollback(store, settings.task(task), settings.model.base)

    run_to_end(work(read_settings(config)))


cli.command()(forget)


def main() -> None:
    """The `switchboard` command. What it writes (runs, voices, exports, backups, logs) is its user's alone to read."""
    os.umask(0o077)
    try:
        write_logs(*log_settings(os.environ))
    except UsageError as error:
        say(str(error))
        sys.exit(2)
    cli()


if __name__ == "__main__":
    main()
