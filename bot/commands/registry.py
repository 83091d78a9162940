"""`switchboard history` and `shadow`: which adapters served or were refused, and what shadow candidates would do."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TextIO

from bot.commands.command_line import AsJson, Config, TaskName, read_settings, run_to_end
from bot.console import say, table
from bot.domain.learning import RegistryEvent
from bot.domain.plural import counted
from bot.domain.shadow import ShadowFigures
from bot.domain.tasks import Task
from bot.json_lines import json_line
from bot.settings import Settings
from bot.store import open_store, shadows

_EVENTS = 100
"""The most promotions, rollbacks and refusals that are listed."""


def history(task: TaskName = None, as_json: AsJson = False, config: Config = None) -> None:
    """Which adapters served when, and which were refused: by whom or what, against which, and why. Newest first."""

    async def work(settings: Settings) -> None:
        asked = settings.task(task)
        async with open_store(settings) as store:
            show_history(await store.registry.history(asked.name, _EVENTS), asked, as_json, sys.stdout)

    run_to_end(work(read_settings(config)))


def shadow(task: TaskName = None, as_json: AsJson = False, config: Config = None) -> None:
    """What candidates in the shadow, which answer nobody, would have decided differently (setting: shadow)."""

    async def work(settings: Settings) -> None:
        asked = settings.task(task)
        async with open_store(settings) as store:
            show_shadows(await shadows(store).shadow_figures(asked.name), asked, as_json, sys.stdout)

    run_to_end(work(read_settings(config)))


def show_history(events: Sequence[RegistryEvent], task: Task, as_json: bool, out: TextIO) -> None:
    """Print one row for each event, or all of them as JSON."""
    if as_json:
        rows = [asdict(event) | {"at": event.at.isoformat()} for event in events]
        print(json_line(rows), file=out)
        return
    cells = [
        (f"{event.at:%Y-%m-%d %H:%M}", event.adapter, event.what.value, _who(event), event.against or "", event.why)
        for event in events
    ]
    table(f"history of {task.name}", ("at", "adapter", "what", "by", "against", "why"), cells)


def show_shadows(found: Sequence[ShadowFigures], task: Task, as_json: bool, out: TextIO) -> None:
    """Print one sentence for each candidate, or all of them as JSON."""
    if as_json:
        print(json.dumps([asdict(one) for one in found]), file=out)
        return
    if not found:
        say(
            f"no candidate was in the shadow yet; shadow = true in [tasks.{task.name}.learning] puts the next one there"
        )
    for one in found:
        say(
            f"{one.adapter} would have routed {one.differently} of {counted(one.heard, 'request')} of {task.name} "
            f"differently; leads later agreed with it on {one.agreed}"
        )


def _who(event: RegistryEvent) -> str:
    return f"{event.by}, asked by {event.asked_by}" if event.asked_by else event.by
