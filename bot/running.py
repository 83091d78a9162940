"""What runs for as long as the bot does: one task a step of the flow, stopped by a signal."""

import asyncio
import webbrowser
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial

from starlette.applications import Starlette

from bot.app import (
    ModelStack,
    Store,
    build_model_stack,
    champions_fit,
    connect_platforms,
    load_demo_examples,
    model_running,
    now,
    open_store,
)
from bot.console import say
from bot.domain.errors import SwitchboardError, Unreachable
from bot.domain.ports import Change, Platform, ThreadingPolicy
from bot.flow.buttons import ButtonHandler
from bot.flow.correct import Corrector
from bot.flow.deliver import Deliverer
from bot.flow.receive import Receiver
from bot.flow.relay import Relay
from bot.flow.remind import Reminder
from bot.flow.sort import Sorter
from bot.http.app import WebApp
from bot.http.metrics import Metrics
from bot.http.server import listening_socket, serve_http
from bot.lifecycle import Wakeups, forever, keep_running, until_signal
from bot.platforms import Routed
from bot.schedule import CronJob, keep_schedule
from bot.settings import Settings

_CONCERNS: Mapping[str, frozenset[Change]] = {
    "delivering": frozenset({Change.OWED}),
    "sorting": frozenset({Change.MESSAGE, Change.NEXT, Change.FREED}),
    "pressing": frozenset({Change.PRESS, Change.FREED}),
    "correcting": frozenset({Change.REACTION, Change.FREED}),
    "relaying": frozenset({Change.NEXT, Change.FREED}),
    "noting": frozenset({Change.NOTE, Change.REACTION, Change.FREED}),
    "revising": frozenset({Change.REVISED, Change.FREED}),
    "remembering": frozenset({Change.EXAMPLE}),
    "learning": frozenset({Change.CYCLE}),
}
"""Which steps a change wakes, first things first: a step that looks in vain takes time from one that has work.

What is rare (a reaction that overtook the receipt of its card, others' words before the decision) waits for the step's
own next look, a second at most.
"""
_PROBE_SECONDS = 3.0
"""A part that has not answered by then does not work; whoever probes us does not wait longer either."""
_ATTEND_EVERY = 10.0
"""Seconds between looks for what nobody takes: that is measured in minutes, and no change announces it."""


@dataclass(frozen=True, slots=True)
class Demo:
    """How the demo differs from a run: it brings a company and shows itself."""

    open_browser: bool


async def serve(settings: Settings, demo: Demo | None = None) -> None:
    """The bot, until SIGINT or SIGTERM. Raises UsageError, Refused or Unreachable when it cannot start."""
    try:
        await until_signal(_serve(settings, demo))
    except* SwitchboardError as failed:
        raise _first(failed) from failed


def _first(failed: BaseException) -> BaseException:
    """What went wrong first, out of the groups that task groups wrap it in."""
    return _first(failed.exceptions[0]) if isinstance(failed, BaseExceptionGroup) else failed


async def _serve(settings: Settings, demo: Demo | None) -> None:
    """People are heard as soon as the database is up; what they write waits until the model is."""
    async with AsyncExitStack() as stack:
        socket = stack.enter_context(listening_socket(settings.web.host, settings.web.port))
        store = await stack.enter_async_context(open_store(settings))
        if demo:
            await load_demo_examples(settings.routing, store)
        models = await build_model_stack(settings, store, stack)
        platforms = await connect_platforms(settings, store, stack)
        hearing = await stack.enter_async_context(asyncio.TaskGroup())
        hearing.create_task(serve_http(_site(settings, store, models, platforms), socket), name="http")
        wakeups = start_chat_steps(hearing, settings, store, models, platforms)
        await stack.enter_async_context(model_running(settings, store, models))
        with suppress(Unreachable):  # then it is remembered later
            # The settings' own examples are the oldest: without a model, what waits already leans on them alone
            await models.embedding_backfill.step()
        thinking = await stack.enter_async_context(asyncio.TaskGroup())
        start_model_steps(thinking, settings, store, models, wakeups)
        _announce(settings, demo)


def start_chat_steps(
    group: asyncio.TaskGroup, settings: Settings, store: Store, models: ModelStack, platforms: Mapping[str, Platform]
) -> Wakeups:
    """What works without a model: hearing, saying, correcting, relaying, reminding."""
    wakeups, timing, task, ledger = Wakeups(), settings.timing, settings.routing, store.ledger
    policy = ThreadingPolicy(timing.settle, timing.idle, timing.reopen)
    inbox = Receiver(ledger, policy, wakeups["sorting"].wake_in)
    relay = Relay(task, settings.vocabulary, ledger, platforms, models.classifier, now)
    steps = {
        "delivering": Deliverer(task, store.outbox, ledger, platforms, now).step,
        "pressing": ButtonHandler(task, settings.vocabulary, ledger, platforms, now).step,
        "correcting": Corrector(task, settings.vocabulary, ledger, platforms, now).step,
        "relaying": relay.step,
        "noting": relay.notes,
        "revising": relay.revise,
    }
    for name, platform in platforms.items():
        _keep(group, f"hearing {name}", partial(platform.listen, inbox))
    _keep(group, "waking", partial(_wake_on_changes, store, wakeups))
    for name, step in steps.items():
        _keep(group, name, partial(forever, step, wakeups[name]))
    reminder = Reminder(task, ledger, timing.take, now)
    _keep(group, "attending", partial(forever, reminder.step, wakeups["attending"], at_most=_ATTEND_EVERY))
    return wakeups


def start_model_steps(
    group: asyncio.TaskGroup, settings: Settings, store: Store, models: ModelStack, wakeups: Wakeups
) -> None:
    """What needs a model: sorting, remembering, learning, and looking after the model itself."""
    timing, task = settings.timing, settings.routing
    sorter = Sorter(task, store.ledger, models.classifier, timing.settle, timing.patience, settings.wordless, now)
    jobs = [
        CronJob(task.name, task.learning.schedule, task.learning.timezone, partial(models.learner.due, task))
        for task in settings.tasks
    ]
    _keep(group, "sorting", partial(forever, sorter.step, wakeups["sorting"]))
    _keep(group, "remembering", partial(forever, models.embedding_backfill.step, wakeups["remembering"]))
    _keep(group, "holding the memory", partial(store.memory.hold, task))
    _keep(group, "learning", partial(forever, models.learner.step, wakeups["learning"], grace=0.0))
    _keep(group, "schedule", partial(keep_schedule, jobs, store.registry, now))
    if models.server is not None:
        _keep(group, "model server", partial(models.server.watch, models.adapters.restore))


def _keep(group: asyncio.TaskGroup, name: str, run: Callable[[], Awaitable[None]]) -> None:
    group.create_task(keep_running(name, run), name=name)


async def _wake_on_changes(store: Store, wakeups: Wakeups) -> None:
    async with store.ledger.changes() as changes:
        async for news in changes:
            wakeups.wake(step for step, concerns in _CONCERNS.items() if concerns & news)


def _announce(settings: Settings, demo: Demo | None) -> None:
    address = f"http://{settings.web.host}:{settings.web.port}"
    if demo is None:
        say(f"Switchboard runs on {', '.join(settings.platforms)}; health and metrics at {address}. Ctrl-C stops it.")
        return
    say(f"Open {address} and write as a customer. Ctrl-C stops everything; nothing is lost.")
    if demo.open_browser:
        webbrowser.open(address)


def _site(settings: Settings, store: Store, models: ModelStack, platforms: Mapping[str, Platform]) -> Starlette:
    async def readiness() -> dict[str, bool]:
        parts = {name: platform.healthy() for name, platform in platforms.items()}
        return {
            "database": await _answers(store.aside.ping()),
            "model": models.breaker.closed and await _answers(models.adapters.loaded()),
            "adapter": await _answers(champions_fit(settings, models)),
            **parts,
        }

    routes = [route for platform in platforms.values() if isinstance(platform, Routed) for route in platform.routes]
    return WebApp(readiness, Metrics(store.figures, now, lambda: models.breaker.state)).application(routes)


async def _answers(question: Awaitable[object]) -> bool:
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            await question
    except (SwitchboardError, TimeoutError):
        return False
    return True
