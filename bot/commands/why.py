"""`switchboard why`: every decision ever made about a message, or that it was never received."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, TextIO

import typer

from bot.commands.command_line import AsJson, Config, read_settings, run_to_end
from bot.commands.corrections_report import in_words
from bot.domain.decisions import Author, Decision
from bot.domain.errors import UsageError
from bot.domain.messages import MessageRef
from bot.domain.queries import Account
from bot.domain.tasks import Task
from bot.json_lines import json_line
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

    The answers to further questions follow. By any message of the conversation, or anything the bot said
    about it. Exit code 1: it was never heard.
    """

    async def work(settings: Settings) -> bool:
        async with open_store(settings) as store:
            found = await store.queries.account(MessageRef(platform, chat, message))
        if found is None:
            raise UsageError(f"{platform} {chat} {message}: nobody heard such a message; it was not said to the bot")
        show(found, settings.tasks, as_json, sys.stdout)
        return True

    run_to_end(work(read_settings(config)))


def show(found: Account, tasks: Sequence[Task], as_json: bool, out: TextIO) -> None:
    """Print every decision, oldest first, or that there is none; what became of a lead's correction; and the answers
    to further questions, oldest first.
    """
    named = {task.name: task for task in tasks}
    ruled = max((n for n, (_, made) in enumerate(found.decisions) if made.by is Author.LEAD), default=None)
    for n, (at, made) in enumerate(found.decisions):
        life = found.correction.stage.value if found.correction is not None and n == ruled else None
        print(_row(at, made, life) if as_json else _line(at, made, _shown(made, named)), file=out)
    if found.correction is not None and not as_json:
        print(f"-\tcorrection\t{in_words(found.correction)}", file=out)
    if not found.decisions and not as_json:
        print(f"-\t{found.request.state.value}\tno decision yet: there was nothing to decide upon", file=out)
    for at, made in found.answers:
        print(
            _row(at, made, None) if as_json else _line(at, made, f"{made.task}: {_shown(made, named)}"),
            file=out,
        )


def _row(at: datetime, made: Decision, life: str | None) -> str:
    row = {"at": at.isoformat(), "task": made.task, "label": made.label, "by": made.by.value}
    more = {"confidence": round(made.confidence, 6), "rule": made.rule or None, "asked": list(made.candidates)}
    return json_line({**row, "reason": made.reason.value, **more, "correction": life})


def _line(at: datetime, made: Decision, what: str) -> str:
    return f"{at:%Y-%m-%d %H:%M}\t{what}\t{_because(made)}"


def _shown(made: Decision, tasks: Mapping[str, Task]) -> str:
    """The label as people read it; its name where the settings no longer have the question."""
    return tasks[made.task].shown(made.label) if made.task in tasks else made.label


def _because(made: Decision) -> str:
    of_rule = f" {made.rule}" if made.rule else ""
    sure = f", {made.confidence:.0%}" if made.confidence else ""
    asked = f", asked: {', '.join(made.candidates)}" if made.candidates else ""
    return f"{made.by.value}{of_rule} ({made.reason.value}{sure}{asked})"
