"""`switchboard why`: every decision ever made about a message, or that it was never received."""

import json
import sys
from typing import Annotated, TextIO

import typer

from bot.commands.command_line import AsJson, Config, read_settings, run_to_end
from bot.commands.corrections_report import in_words
from bot.domain.decisions import Author, Decision
from bot.domain.errors import UsageError
from bot.domain.messages import MessageRef
from bot.domain.queries import Account
from bot.domain.tasks import Task
from bot.settings import Settings
from bot.store import open_store


def why(
    platform: Annotated[str, typer.Argument(help="Where it was written: slack, telegram, web.")],
    chat: Annotated[str, typer.Argument(help="The channel's, group's or chat's id.")],
    message: Annotated[str, typer.Argument(help="The message's id there; in Slack its time, like 1717171717.000200.")],
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Why a message is where it is, or why it was made no request: each decision, its reason and who made it.

    By any message of the conversation, or anything the bot said about it. Exit code 1: it was never heard.
    """

    async def work(settings: Settings) -> bool:
        async with open_store(settings) as store:
            found = await store.queries.account(MessageRef(platform, chat, message))
        if found is None:
            raise UsageError(f"{platform} {chat} {message}: nobody heard such a message; it was not said to the bot")
        show(found, settings.routing, as_json, sys.stdout)
        return True

    run_to_end(work(read_settings(config)))


def show(found: Account, task: Task, as_json: bool, out: TextIO) -> None:
    """Print every decision, oldest first, or that there is none; and what became of a lead's correction."""
    ruled = max((n for n, (_, made) in enumerate(found.decisions) if made.by is Author.LEAD), default=None)
    for n, (at, made) in enumerate(found.decisions):
        if as_json:
            row = {"at": at.isoformat(), "label": made.label, "by": made.by.value, "reason": made.reason.value}
            more = {"confidence": round(made.confidence, 6), "rule": made.rule or None, "asked": list(made.candidates)}
            life = found.correction.stage.value if found.correction is not None and n == ruled else None
            print(json.dumps({**row, **more, "correction": life}), file=out)
        else:
            print(f"{at:%Y-%m-%d %H:%M}\t{task.shown(made.label)}\t{_because(made)}", file=out)
    if found.correction is not None and not as_json:
        print(f"-\tcorrection\t{in_words(found.correction)}", file=out)
    if not found.decisions and not as_json:
        print(f"-\t{found.request.state.value}\tno decision yet: there was nothing to decide upon", file=out)


def _because(made: Decision) -> str:
    of_rule = f" {made.rule}" if made.rule else ""
    sure = f", {made.confidence:.0%}" if made.confidence else ""
    asked = f", asked: {', '.join(made.candidates)}" if made.candidates else ""
    return f"{made.by.value}{of_rule} ({made.reason.value}{sure}{asked})"
