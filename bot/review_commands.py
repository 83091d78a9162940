"""`switchboard review`: what deserves a lead's eye, who is mistaken for whom, and what no team is for."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, TextIO

import numpy as np
import typer

from bot import app
from bot.app import Store
from bot.command_line import AsJson, Config, TaskName, read_settings, run_to_end, spoken
from bot.console import say, table
from bot.domain.drift import EVIDENCE, Drift, Measure, drifts
from bot.domain.embedders import known_of
from bot.domain.outcomes import Outcome
from bot.domain.review import Confusion, Group, Item, confusions, groups, queue, unfit
from bot.domain.tasks import Task
from bot.replay_commands import span
from bot.settings import Settings
from db.outcomes import PostgresOutcomes

MOST = 20_000
_WEEK = timedelta(days=7)
_WIDE, _SHOWN = 90, 3

Since = Annotated[str, typer.Option("--since", metavar="SPAN", help="How far back, like 28d, 12h or 2w.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Conversations of the queue that are shown.")]


@dataclass(frozen=True, slots=True)
class Review:
    """What there is to say."""

    queue: Sequence[Item]
    confusions: Sequence[Confusion]
    groups: Sequence[Group]
    drifts: Mapping[Measure, Drift]
    enough: bool
    """Whether there is evidence for saying anything of drift."""


def review(
    since: Since = "28d", limit: Limit = 20, task: TaskName = None, as_json: AsJson = False, config: Config = None
) -> None:
    """What deserves a lead's eye, what is worth most first; who is mistaken for whom; what no team is for; drift.

    Drift compares the last seven days with the time before. What people wrote is
    shown, shortened: this is for who looks after the teams.
    """
    settings = read_settings(config)
    with spoken():
        asked, back = settings.task(task), span(since)

    async def work(settings: Settings) -> Review:
        async with app.open_store(settings) as store:
            return await reviewed(store, asked, back)

    show(run_to_end(work(settings)), limit, as_json, sys.stdout)


async def reviewed(store: Store, task: Task, back: timedelta) -> Review:
    """Of the conversations that were decided since then."""
    now = app.now()
    outcomes = await PostgresOutcomes(store.database).outcomes(task.name, now - back, now, MOST)
    nearest = await _nearest(store, task, outcomes)
    known = known_of(store.embedder.name)
    loose = unfit(task, outcomes, nearest, known.scale.kin)
    width = max((len(one.vector) for one in loose if one.vector is not None), default=0)
    loose = [one for one in loose if one.vector is not None and len(one.vector) == width]
    vectors = np.array([one.vector for one in loose], dtype=np.float32).reshape(len(loose), width)
    similar = known.likeness.similarities(vectors, vectors)
    late = [one for one in outcomes if one.at >= now - _WEEK]
    early = [one for one in outcomes if one.at < now - _WEEK]
    return Review(
        queue(outcomes, nearest, known.scale.kin),
        confusions(outcomes),
        await asyncio.to_thread(groups, loose, similar, known.scale.kin),
        await asyncio.to_thread(drifts, early, late),
        min(len(early), len(late)) >= EVIDENCE,
    )


async def _nearest(store: Store, task: Task, outcomes: Sequence[Outcome]) -> dict[int, float]:
    """How near the nearest known text is, itself left out, by conversation."""
    open_ones = [one for one in outcomes if one.vector is not None and not one.settled]
    vectors = [one.vector for one in open_ones if one.vector is not None]
    found = await store.memory.nearest_many(task, vectors, [one.text for one in open_ones], leave_out_itself=True)
    return {one.conversation: near.closest for one, near in zip(open_ones, found, strict=True)}


def show(made: Review, limit: int, as_json: bool, out: TextIO) -> None:
    """The queue on `out`, a line a conversation or JSON; the rest to the person at the terminal."""
    if as_json:
        print(json.dumps(_json(made, limit), ensure_ascii=False), file=out)
    else:
        out.writelines("\t".join(map(str, _cells(item))) + "\n" for item in made.queue[:limit])
    say(f"{len(made.queue)} conversations deserve a look{f', {limit} shown' if len(made.queue) > limit else ''}")
    pairs = [(p.decided, p.belongs, str(p.count), f"{p.share:.0%}", _short(p.examples[0])) for p in made.confusions]
    table("mistaken for each other", ("decided", "belongs", "moved", "of all", "for example"), pairs)
    for group in made.groups:
        say(f"{len(group.outcomes)} messages fit no team: a new one?")
        for one in group.outcomes[:_SHOWN]:
            say(f"  {_short(one)}")
    for drift in made.drifts.values():
        mark = "✗ has changed" if drift.alarm else "✓ as before"
        say(f"{drift.measure.value}: {mark} ({drift.much:+.2f}, p = {drift.chance:.2g})")
    if not made.enough:
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
