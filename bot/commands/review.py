"""`switchboard review`: what leads should look at, which teams are confused, and what fits no team."""

import sys
from datetime import timedelta
from typing import Annotated, TextIO

import typer

from bot.commands.command_line import AsJson, Config, TaskName, read_settings, run_to_end, spoken
from bot.commands.replay import span
from bot.console import say, table
from bot.domain.drift import EVIDENCE
from bot.domain.outcomes import Outcome
from bot.domain.plural import counted
from bot.domain.review import Item, Review
from bot.flow.review import WEEK
from bot.json_lines import json_line
from bot.settings import Settings
from bot.store import open_store, reviewer

_WIDE, _SHOWN = 90, 3
_FURTHER = "28d"

Since = Annotated[str, typer.Option("--since", metavar="SPAN", help="How far back, like 28d, 12h or 2w.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Conversations of the queue that are shown.")]


def review(
    since: Since = _FURTHER, limit: Limit = 20, task: TaskName = None, as_json: AsJson = False, config: Config = None
) -> None:
    """What deserves a lead's attention, most valuable first; teams mistaken for each other; what no team is for; drift.

    Drift compares the last seven days with the time before. What people wrote is
    shown, shortened: this is for who looks after the teams.
    """
    settings = read_settings(config)
    with spoken():
        asked, back = settings.task(task), span(since)

    async def work(settings: Settings) -> Review:
        async with open_store(settings) as store:
            return await reviewer(store, loads=True).review(asked, back)

    show(run_to_end(work(settings)), limit, as_json, sys.stdout, back)


def show(made: Review, limit: int, as_json: bool, out: TextIO, back: timedelta) -> None:
    """Print the queue on `out`, a line for each conversation or JSON; the rest to the person at the terminal."""
    if as_json:
        print(json_line(_json(made, limit)), file=out)
    else:
        out.writelines("\t".join(map(str, _cells(item))) + "\n" for item in made.queue[:limit])
    deserve = counted(len(made.queue), "conversation deserves", "conversations deserve")
    if not made.whole:
        looked_at = counted(len(made.outcomes), "conversation is", "conversations are")
        say(f"more was decided in that time: the newest {looked_at} looked at")
    say(f"{deserve} a look{f', {limit} shown' if len(made.queue) > limit else ''}")
    pairs = [(p.decided, p.belongs, str(p.count), f"{p.share:.0%}", _short(p.examples[0])) for p in made.confusions]
    table("mistaken for each other", ("decided", "belongs", "moved", "of all", "for example"), pairs)
    for group in made.groups:
        say(f"{counted(len(group.outcomes), 'message fits', 'messages fit')} no team: a new one?")
        for one in group.outcomes[:_SHOWN]:
            say(f"  {_short(one)}")
    for drift in made.drifts.values():
        mark = "✗ has changed" if drift.alarm else "✓ as before"
        say(f"{drift.measure.value}: {mark} ({drift.much:+.2f}, p = {drift.chance:.2g})")
    if back <= WEEK:
        say(f"drift: the last seven days are compared with the time before; --since {_FURTHER} reaches there")
    elif not made.enough:
        say(f"drift: too few conversations to tell; {EVIDENCE} in the last seven days and as many before are needed")


def _cells(item: Item) -> tuple[object, ...]:
    one = item.outcome
    return (one.conversation, item.why.value, one.ended, f"{one.first.confidence:.2f}", _short(one))


def _json(made: Review, limit: int) -> dict[str, object]:
    return {
        "queue": [
            {
                "conversation": item.outcome.conversation,
                "why": item.why.value,
                "label": item.outcome.ended,
                "confidence": round(item.outcome.first.confidence, 4),
                "nearest": None if item.nearest is None else round(item.nearest, 4),
                "excerpt": _short(item.outcome),
            }
            for item in made.queue[:limit]
        ],
        "waiting": len(made.queue),
        "looked_at": len(made.outcomes),
        "whole": made.whole,
        "confusions": [
            {
                "decided": pair.decided,
                "belongs": pair.belongs,
                "count": pair.count,
                "share": round(pair.share, 4),
                "conversations": [one.conversation for one in pair.examples],
            }
            for pair in made.confusions
        ],
        "groups": [
            {"count": len(g.outcomes), "conversations": [o.conversation for o in g.outcomes]} for g in made.groups
        ],
        "drift": {
            d.measure.value: {"much": round(d.much, 4), "p": d.chance, "alarm": d.alarm} for d in made.drifts.values()
        },
    }


def _short(one: Outcome) -> str:
    text = " ".join(one.text.split())
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 1]}…"
