"""`switchboard rules list` and `… test`: the rules with their records, and which one a message would meet."""

import sys
from typing import Annotated

import typer

from bot.commands.command_line import AsJson, Config, read_settings, run_to_end, spoken
from bot.commands.rules_report import Pretended, list_rules, show_test, written
from bot.settings import Settings
from bot.store import now, open_store
from inference.languages import language_of

rules = typer.Typer(
    no_args_is_help=True, help="Rules that always win: which there are, what they did, and which one a message meets."
)


@rules.command(name="list")
def rules_list(as_json: AsJson = False, config: Config = None) -> None:
    """Every rule in its order: what it looks at, what follows, how often it applied and how often it was corrected."""

    async def work(settings: Settings) -> None:
        async with open_store(settings) as store:
            list_rules(settings.rules, await store.queries.rule_records(), as_json, sys.stdout)

    run_to_end(work(read_settings(config)))


@rules.command(name="test")
def rules_test(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What somebody might write.")],
    sender: Annotated[
        str | None, typer.Option("--from", metavar="[PLATFORM:]ID", help="Who writes it: an id, or an address.")
    ] = None,
    channel: Annotated[str | None, typer.Option("--channel", metavar="[PLATFORM:]ID", help="Where.")] = None,
    platform: Annotated[str | None, typer.Option("--platform", help="On which platform, if neither says so.")] = None,
    language: Annotated[
        str | None, typer.Option("--language", metavar="CODE", help="In which language; by default it is found out.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="When, like 2026-12-24T20:00; by default now.")
    ] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Which rule decides about a message, without a database or a model; on stderr why each other rule does not.

    A time without a zone is meant in conversation.timezone.
    """
    settings = read_settings(config)
    with spoken():
        pretended = Pretended(text, sender, channel, platform, language, at)
        said = written(pretended, settings, language_of, now())
        show_test(settings, said, as_json, sys.stdout)
