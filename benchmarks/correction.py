"""How soon a correction works: from the lead's emoji being stored to a similar message being decided right.

    python -m benchmarks.correction

Everything but the chat service is real: PostgreSQL, the steps with their notifications, vLLM with the starter and its
adapter, the bundled embedder, the demo company's examples in the memory. There is no wait for people to finish typing.
In each round a lead moves a message about something the model cannot know to a team that neither it nor a similar
message went to. From that moment people ask about the same thing in other words, one after another, until one is sent
to the lead's team.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import Figures, machine, show, spread
from benchmarks.stage import Handed, Stage, staged, unhurried
from bot.app import demo_settings
from bot.console import counting, say
from bot.domain.posts import Answer, Card, OutboxItem, Question
from bot.domain.tasks import Task
from bot.model_stack import open_model_stack
from bot.store import embedding_backfill, load_demo_examples

_NAMES = (
    "Bluebird Harrier Quokka Marlin Wombat Osprey Tamarin Lynx Gecko Puffin Heron Ibex Walrus Condor Bison Otter "
    "Falcon Badger Pelican Jaguar"
).split()
_MOST_TRIES = 20


@dataclass(frozen=True, slots=True)
class Round:
    """One correction: seconds until it worked, and how many messages came too early; None: it never worked."""

    seconds: float | None
    too_early: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=len(_NAMES), choices=range(1, len(_NAMES) + 1))
    args = parser.parse_args(arguments)
    on = machine()
    show("correction to its effect, s", {"vLLM and embedder included": asyncio.run(measured(args.rounds))}, on)


async def measured(rounds: int) -> Figures:
    """Seconds over that many corrections."""
    with tempfile.TemporaryDirectory(prefix="switchboard-correction-") as home:
        settings = unhurried(demo_settings(Path(home)))
        async with open_model_stack(settings) as (store, models):
            await load_demo_examples(settings.routing, store)
            with counting("remembering", None) as done:
                await embedding_backfill(store).all(done)
            async with staged(settings, store, models) as stage:
                with counting("correcting", rounds) as done:
                    taken = []
                    for name in _NAMES[:rounds]:
                        taken.append(await _round(stage, settings.routing, name))
                        done(1)
    worked = [one.seconds for one in taken if one.seconds is not None]
    if not worked:
        say("no correction ever worked")
        return {"n": rounds, "never worked": rounds}
    early = sum(one.too_early for one in taken)
    return {"n": rounds, **spread(worked, 2), "asked too early": early, "never worked": rounds - len(worked)}


async def _round(stage: Stage, task: Task, name: str) -> Round:
    room = f"person-{name}"
    await stage.writes(room, f"Who hands out the {name} cards for the Thursday group?")
    card = await _card(stage, room)
    unaided = await _ask(stage, f"person-{name}-before", name)
    taken = (_team(card), _team(unaided.owed), task.fallback)
    right = next(label for label in task.labels if label.name not in taken)
    stored = await stage.corrects(card, right.emoji["web"])
    for tries in range(_MOST_TRIES):
        answer = await _ask(stage, f"person-{name}-{tries}", name)
        if _team(answer.owed) == right.name:
            return Round(answer.at - stored, tries)
    return Round(None, _MOST_TRIES)


async def _ask(stage: Stage, room: str, name: str) -> Handed:
    """Send the similar message, and return what its person is answered."""
    await stage.writes(room, f"Hello, I still need a {name} card for the Thursday group, who hands them out?")
    return await stage.answer(room)


async def _card(stage: Stage, room: str) -> OutboxItem:
    """The card of what was written there, once the person has answered a question if there was one."""
    answer = (await stage.answer(room)).owed
    if isinstance(answer.post.content, Question):
        await stage.chooses(answer, "0")
    return (await stage.card(room)).owed


def _team(said: OutboxItem) -> str | None:
    """The team that a card or an answer names; None for a question."""
    content = said.post.content
    return content.label if isinstance(content, Card | Answer) else None


if __name__ == "__main__":
    main()
