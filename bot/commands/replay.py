"""`switchboard replay`: decides a past week again with another adapter or threshold."""

import json
import re
import sys
from datetime import timedelta
from typing import Annotated, TextIO

import typer

from bot.commands.command_line import AsJson, Config, TaskName, read_settings, run_to_end, spoken
from bot.console import counting, say, table
from bot.domain.errors import UsageError
from bot.domain.outcomes import Outcomes
from bot.domain.plural import counted
from bot.domain.replay import Comparison, compared
from bot.domain.tasks import Task
from bot.flow.replay import Replayer, adapter_called
from bot.model_stack import ModelStack, open_model_stack
from bot.settings import Settings
from bot.store import Store, now
from db.outcomes import PostgresOutcomes

MOST = 20_000
"""The most conversations that are decided again, the newest: at 100 a second these take minutes."""
_SPAN = re.compile(r"(\d+)\s*([dwh])", re.IGNORECASE)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}

Since = Annotated[str, typer.Option("--since", metavar="SPAN", help="How far back it begins, like 7d, 12h or 2w.")]
Until = Annotated[str, typer.Option("--until", metavar="SPAN", help="How far back it ends; 0d is now.")]
Threshold = Annotated[
    float | None, typer.Option("--threshold", min=0.0, max=1.0, help="Ask below this; else as the settings say.")
]
AdapterName = Annotated[str | None, typer.Option("--adapter", metavar="NAME", help="Else the one that serves.")]


def span(written: str) -> timedelta:
    """A span of time. Raises UsageError that says how to write one."""
    found = _SPAN.fullmatch(written.strip())
    if found is None or len(found[1]) > 5:
        raise UsageError(f"{written!r} is no span of time; write it like 7d, 12h or 2w")
    return int(found[1]) * _UNITS[found[2].lower()]


def replay(
    since: Since = "7d",
    until: Until = "0d",
    adapter: AdapterName = None,
    threshold: Threshold = None,
    task: TaskName = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Decide past conversations again: what would have gone elsewhere, which was right, and the minutes it would save.

    Right is where a conversation ended: where a lead or the person put it, or
    where a team took it. Nothing is changed, nobody is told.
    """
    settings = read_settings(config)
    with spoken():
        asked, begin, end = settings.task(task), span(since), span(until)
        if begin <= end:
            raise UsageError(f"--since {since} is not before --until {until}")

    async def work(settings: Settings) -> None:
        async def known(store: Store) -> None:
            if adapter is not None:
                await adapter_called(store.registry, asked, adapter)

        async with open_model_stack(settings, asked_much=asked, first=known) as (store, models):
            outcomes = PostgresOutcomes(store.database)
            await _replay(outcomes, models, asked, (begin, end), (adapter, threshold), as_json, sys.stdout)

    run_to_end(work(settings))


async def _replay(
    outcomes: Outcomes,
    models: ModelStack,
    task: Task,
    when: tuple[timedelta, timedelta],
    by: tuple[str | None, float | None],
    as_json: bool,
    out: TextIO,
) -> None:
    replayer = Replayer(models.classifier, models.classifier.registry)
    query = await replayer.query(task, *by)
    today = now()
    found = await outcomes.outcomes(task.name, today - when[0], today - when[1], MOST)
    if len(found) == MOST:
        say(f"more was decided in that time: the newest {MOST} conversations are decided again")
    known = [one for one in found if one.text]
    with counting("replaying", len(known)) as told:
        replayed, silent = await replayer.replay(query, known, told)
    if silent:
        say(f"the model was silent on {silent} of {len(known)}: there the other voices decided alone")
    name = query.adapter.name if query.adapter else None
    show(compared(replayed, task.names), name, as_json, out)


def show(made: Comparison, adapter: str | None, as_json: bool, out: TextIO) -> None:
    """Print the comparison on `out`, and its meaning to the person at the terminal."""
    figures: dict[str, object] = {
        "adapter": adapter,
        "conversations": made.conversations,
        "settled": made.settled,
        "elsewhere": made.elsewhere,
        "gained": made.gained,
        "lost": made.lost,
        "right_then": made.right_then,
        "right_now": made.right_now,
        "asked_then": made.asked_then,
        "asked_now": made.asked_now,
        "minutes_each": None if made.minutes_each is None else round(made.minutes_each, 1),
        "minutes_saved": None if made.minutes is None else round(made.minutes, 1),
        "former_teams": made.former_teams,
    }
    if as_json:
        pairs = [{"then": then, "now": now, "count": many} for (then, now), many in made.pairs.items()]
        print(json.dumps(figures | {"pairs": pairs}), file=out)
        return
    out.writelines(f"{name}\t{'' if value is None else value}\n" for name, value in figures.items())
    rows = [(then, now, str(many)) for (then, now), many in made.pairs.items()]
    table("would have gone elsewhere", ("then", "now", "conversations"), rows)
    say(_in_words(made))
    if made.former_teams:
        say(_of_former_teams(made.former_teams))


def _of_former_teams(many: int) -> str:
    return counted(
        many,
        "conversation is with a team that no longer exists, and counts neither as right nor as wrong",
        "conversations are with teams that no longer exist, and count neither as right nor as wrong",
    )


def _in_words(made: Comparison) -> str:
    if not made.conversations:
        return "nothing was decided in that time"
    said = f"{made.elsewhere} of {counted(made.conversations, 'conversation')} would have gone elsewhere; "
    if not made.settled:
        return f"{said}nobody said or did where any of them belongs, so right and wrong cannot be told"
    said += (
        f"of {made.settled} where somebody said or did where they belong {made.right_now} would be right unasked "
        f"instead of {made.right_then}, "
        f"{made.gained} that went wrong would not, and {made.lost} would that did not"
    )
    if made.minutes is None or made.minutes_each is None:
        return f"{said}; nobody moved any, so there are no minutes to count"
    word = "save" if made.minutes >= 0 else "cost"
    return (
        f"{said}: at {counted(round(made.minutes_each), 'minute')} a reassignment that would {word} "
        f"{counted(round(abs(made.minutes)), 'minute')}"
    )
