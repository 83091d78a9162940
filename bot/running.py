"""What runs for as long as the bot does: one task for each step of the flow, stopped by a signal."""

import asyncio
import logging
import os
import webbrowser
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from bot.check import of_the_teams
from bot.console import say
from bot.domain.errors import DatabaseUnreachable, SwitchboardError, Unreachable
from bot.domain.ledger import ThreadingPolicy
from bot.domain.person_pace import PersonPace
from bot.domain.ports import Platform
from bot.flow.buttons import ButtonHandler
from bot.flow.canary import CanaryWatch
from bot.flow.correct import Corrector
from bot.flow.deliver import Deliverer
from bot.flow.digest import DigestSender
from bot.flow.embed import EmbeddingBackfill
from bot.flow.fit_voices import VoiceFitter
from bot.flow.forget import Unlearner
from bot.flow.hand_on import HandOn
from bot.flow.learn import Learner
from bot.flow.questions import QuestionAsker, Questions
from bot.flow.receive import Receiver
from bot.flow.relay import EditRelay, NoteRelay, Relay
from bot.flow.remind import Reminder
from bot.flow.review import DriftWatch
from bot.flow.rollback import AutomaticRollback
from bot.flow.second_look import SecondLook
from bot.flow.shadow import Shadow
from bot.flow.shadow_cards import ShadowButtons, ShadowCardKeeper
from bot.flow.silent_signals import SilentSignalWatch
from bot.flow.sort import Sorter
from bot.flow.step import Step
from bot.flow.training_progress import TrainingProgressKeeper
from bot.flow.transfers import Transfers
from bot.flow.worker_pool import WorkerPool
from bot.http.api_leads import ApiLeads
from bot.http.process_figures import StepFigures
from bot.http.server import listening_socket, serve_http
from bot.lifecycle import (
    DatabaseReturn,
    Wakeups,
    compute_alone,
    forever,
    keep_running,
    share_interpreter,
    until_signal,
)
from bot.log_files import keep_bounded, server_logs
from bot.logs import logged_for
from bot.model_stack import ModelStack, model_running
from bot.retainer import retainer
from bot.schedule import CronJob, keep_schedule
from bot.secret_files import SecretFiles
from bot.settings import Settings
from bot.settings.workspaces import base_path
from bot.store import (
    Store,
    canaries,
    load_demo_examples,
    now,
    open_store,
    reviewer,
    shadow_cards,
    shadows,
    unlearner,
)
from bot.telemetry import tracing
from bot.weekly_jobs import comparison_jobs
from bot.workspaces import Workspace, hand_on, open_workspace, site_of_all
from db.digests import PostgresDigests
from db.identity import identity
from db.processes import PostgresProcesses
from db.training_posts import PostgresTrainingPosts
from inference.local_models import torch_installed
from inference.replicas import Replicas

log = logging.getLogger(__name__)

Item = TypeVar("Item")
_STEP_FIGURES = StepFigures()
"""The figures of all steps in this process, of every workspace."""
_DATABASE = DatabaseReturn()
"""For all steps in this process: whichever workspace's database is back, trying once more costs the others little."""
_START_AGAIN = 5.0
"""Seconds between starts while the database is away."""
_FIT_EVERY = 5.0
"""Seconds between looks for examples that changed without an announcement."""
_REMIND_EVERY = 10.0
"""Seconds between looks for requests that nobody takes: that takes minutes, and no change announces it."""
_UNLEARN_EVERY = 60.0
"""Seconds between looks for adapters whose time is over: that takes days, and no change announces it."""
_WATCH_EVERY = 300.0
"""Seconds between looks at how leads correct a new model's decisions: each counts only after a day."""
_SHADOW_EVERY = 30.0
"""Seconds between looks for requests that a candidate in the shadow has not seen: nobody waits for it."""
_TELL_EVERY = 5.0
"""Seconds between looks at how far a training is: the posts about it change in steps of ten per cent."""
_DRIFT_EVERY = 3_600.0
"""Seconds between looks at whether the week differs from those before."""
_RETAIN_EVERY = 3_600.0
"""Seconds between looks for what is kept no longer: that takes days."""
_REREAD_EVERY = 60.0
"""Seconds between looks for items that were set aside because another version could not read them."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo does beyond a normal run: it loads a company, and may open a browser."""

    open_browser: bool


async def serve(settings: Settings, demo: Demo | None = None) -> None:
    """Run the bot until SIGINT or SIGTERM. Raises UsageError, Refused or Unreachable when it cannot start.

    A database that dies meanwhile is waited for. One that never answered is an error: its address may be wrong.
    """
    try:
        await until_signal(_serve_with_database(settings, demo))
    except* SwitchboardError as failed:
        raise _first(failed) from failed


async def _serve_with_database(settings: Settings, demo: Demo | None) -> None:
    """Start again, all of it, whenever the database dies before the bot runs."""
    reached: set[str] = set()
    while True:
        try:
            return await _serve(settings, demo, reached)
        except* DatabaseUnreachable as failed:
            problem = str(_first(failed))
        log.error("database lost while starting, starting again", extra={"problem": problem, "seconds": _START_AGAIN})
        say(f"{problem}. It answered before: the bot starts again every {_START_AGAIN:.0f} s until it answers.")
        await asyncio.sleep(_START_AGAIN)


def _first(failed: BaseException) -> BaseException:
    """The error that came first, out of the exception groups around it."""
    return _first(failed.exceptions[0]) if isinstance(failed, BaseExceptionGroup) else failed


async def _serve(settings: Settings, demo: Demo | None, reached: set[str]) -> None:
    """Take in messages as soon as the database is up; they wait until the model is up, too.

    `reached`: the workspaces whose database has answered. Only theirs is DatabaseUnreachable when it does not answer.
    """
    share_interpreter()
    compute_alone()
    async with AsyncExitStack() as stack:
        socket = stack.enter_context(listening_socket(settings.web.host, settings.web.port))
        served = [await _opened(one, demo, stack, reached) for one in (settings, *settings.workspaces)]
        hand_on(served)
        deployment = await identity(served[0].store.database)
        await stack.enter_async_context(tracing(SecretFiles(os.environ), deployment))
        hearing = await stack.enter_async_context(asyncio.TaskGroup())
        hearing.create_task(serve_http(site_of_all(served, _STEP_FIGURES), socket), name="http")
        wakeups: list[Wakeups] = []
        for one in served:
            with logged_for(one.settings.workspace):
                wakeups.append(_hear(hearing, one))
        for one in served:
            with logged_for(one.settings.workspace):
                await _wake(one, stack)
        thinking = await stack.enter_async_context(asyncio.TaskGroup())
        for one, own in zip(served, wakeups, strict=True):
            with logged_for(one.settings.workspace):
                start_model_steps(thinking, one.settings, one.store, one.models, own)
                start_looking_back(thinking, one.drift, one.signals, one.again)
        _announce(settings, demo)


async def _opened(settings: Settings, demo: Demo | None, stack: AsyncExitStack, reached: set[str]) -> Workspace:
    with logged_for(settings.workspace):
        store = await _reach(settings, stack, reached)
        await stack.enter_async_context(PostgresProcesses(store.database, now).living())
        await _say_what_is_unheard(settings, store)
        if demo:
            await load_demo_examples(settings.routing, store)
        return await open_workspace(settings, store, stack)


async def _reach(settings: Settings, stack: AsyncExitStack, reached: set[str]) -> Store:
    """Open the store, and let its database's return wake the steps."""
    try:
        store = await stack.enter_async_context(open_store(settings))
    except DatabaseUnreachable as error:
        if settings.workspace in reached or settings.database.url is None:  # an embedded one has no address to mend
            raise
        raise Unreachable(str(error)) from error
    reached.add(settings.workspace)
    store.database.on_return = _DATABASE.wake
    return store


def _hear(group: asyncio.TaskGroup, one: Workspace) -> Wakeups:
    """Start the steps that need no model."""
    wakeups = start_chat_steps(group, one.settings, one.store, one.models, one.platforms)
    for sender in one.senders:
        _work(group, sender, one.store, wakeups, f"{sender.name} {sender.webhook}")
    return wakeups


async def _wake(one: Workspace, stack: AsyncExitStack) -> None:
    """Start the model server, and embed the settings' examples."""
    await stack.enter_async_context(model_running(one.settings, one.store, one.models))
    with suppress(Unreachable):  # then they are embedded later
        # The settings' own examples are the oldest; without a model the first decisions rest on them alone
        await one.models.embedding_backfill.step()


def start_chat_steps(
    group: asyncio.TaskGroup, settings: Settings, store: Store, models: ModelStack, platforms: Mapping[str, Platform]
) -> Wakeups:
    """Start what works without a model: receiving, delivering, correcting, relaying, reminding."""
    wakeups, timing, task, ledger = Wakeups(), settings.timing, settings.routing, store.ledger
    words, policy = settings.vocabulary, ThreadingPolicy(timing.settle, timing.idle, timing.reopen)
    inbox = Receiver(ledger, policy, wakeups[Sorter.name].wake_in, store.failures, now)
    for name, platform in platforms.items():
        _keep(group, f"hearing {name}", partial(platform.listen, inbox))
    _keep(group, "waking", partial(_wake_on_changes, store, wakeups))
    transfers = Transfers()
    for name in platforms:
        # One for each platform: one that does not answer then fills no slots of another
        deliverer = Deliverer(task, store.outbox, ledger, platforms, now, to=name, transfers=transfers)
        _work(group, deliverer, store, wakeups, f"{Deliverer.name} {name}")
    asked, heard = settings.questions, {**platforms, ApiLeads.name: ApiLeads()}
    _work(group, ButtonHandler(task, words, ledger, platforms, now, asked), store, wakeups)
    _work(group, Corrector(task, words, ledger, heard, now, asked, models.classifier), store, wakeups)
    _work(group, Relay(task, ledger, models.classifier, now), store, wakeups)
    _work(group, NoteRelay(words, ledger, platforms, now), store, wakeups)
    _work(group, EditRelay(words, ledger, now), store, wakeups)
    hurries = any(label.consequences.sooner for one in asked for label in one.labels)
    _work(group, Reminder(task, ledger, timing.take, now, hurries), store, wakeups, at_most=_REMIND_EVERY)
    tasks, cards = {one.name: one for one in settings.tasks}, shadow_cards(settings, store)
    _work(group, ShadowButtons(tasks, cards, store.registry, platforms, now), store, wakeups)
    keeper = ShadowCardKeeper(settings.tasks, settings.model.base, shadows(store), cards, store.registry, now)
    _keep(group, keeper.name, partial(forever, keeper.step, wakeups[keeper.name], at_most=_SHADOW_EVERY))
    telling = TrainingProgressKeeper(settings.tasks, store.registry, PostgresTrainingPosts(store.database), now)
    _keep(group, telling.name, partial(forever, telling.step, wakeups[telling.name], at_most=_TELL_EVERY))
    _keep(group, inbox.name, partial(forever, inbox.step, wakeups[inbox.name]))
    _keep(group, "rereading", partial(_reread, store))
    _keep(group, "server logs", partial(keep_bounded, server_logs(settings)))
    return wakeups


def start_model_steps(
    group: asyncio.TaskGroup, settings: Settings, store: Store, models: ModelStack, wakeups: Wakeups
) -> None:
    """Start what needs a model: sorting, embedding, learning, and looking after the model itself."""
    timing, task = settings.timing, settings.routing
    questions = Questions(settings.questions, models.classifier, history=models.history)
    asked = timing.settle, timing.patience, settings.wordless, now, PersonPace(settings.per_person), settings.rules
    sorter = Sorter(task, store.ledger, models.classifier, *asked, questions, canaries(store))
    _work(group, sorter, store, wakeups)
    _work(group, QuestionAsker(questions, store.ledger, now), store, wakeups)
    _work(group, HandOn(task, store.ledger, models.classifier, now), store, wakeups)
    wakeups.subscribe(EmbeddingBackfill.name, EmbeddingBackfill.wakes_on)
    _keep(group, EmbeddingBackfill.name, partial(forever, models.embedding_backfill.step, wakeups["embed"]))
    if torch_installed():  # else cycles wait for a process that can train
        wakeups.subscribe(Learner.name, Learner.wakes_on)
        _keep(group, Learner.name, partial(forever, models.learner.step, wakeups[Learner.name], grace=0.0))
    wakeups.subscribe(VoiceFitter.name, VoiceFitter.wakes_on)
    fitting = partial(forever, models.voice_fitter.step, wakeups[VoiceFitter.name], at_most=_FIT_EVERY)
    _keep(group, VoiceFitter.name, fitting)
    wakeups.subscribe(Unlearner.name, Unlearner.wakes_on)
    unlearning = partial(forever, unlearner(settings, store).step, wakeups[Unlearner.name], at_most=_UNLEARN_EVERY)
    _keep(group, Unlearner.name, unlearning)
    rollback = AutomaticRollback(settings.tasks, settings.model.base, store.registry, now)
    _keep(group, rollback.name, partial(forever, rollback.step, wakeups[rollback.name], at_most=_WATCH_EVERY))
    trial = CanaryWatch(settings.tasks, settings.model.base, canaries(store), now)
    _keep(group, trial.name, partial(forever, trial.step, wakeups[trial.name], at_most=_WATCH_EVERY))
    listening = Shadow(settings.tasks, models.classifier, shadows(store), now)
    _keep(group, listening.name, partial(forever, listening.step, wakeups[listening.name], at_most=_SHADOW_EVERY))
    retaining = retainer(settings, store)
    _keep(group, retaining.name, partial(forever, retaining.step, wakeups[retaining.name], at_most=_RETAIN_EVERY))
    for one in settings.tasks:
        _keep(group, f"hold memory of {one.name}", partial(store.memory.hold, one))
    _keep(group, "schedule", partial(keep_schedule, _jobs(settings, store, models), store.registry, now))
    if models.server is not None:
        _keep(group, "model server", partial(models.server.watch, models.adapters.restore))
    if isinstance(models.adapters, Replicas):
        _keep(group, "model servers", models.adapters.watch)


def _jobs(settings: Settings, store: Store, models: ModelStack) -> list[CronJob]:
    """What is done on a schedule: learning, the weekly digest, and the weekly comparison."""
    sender = DigestSender(reviewer(store), PostgresDigests(store.database), now)
    learning = [
        CronJob(task.name, task.learning.schedule, task.learning.timezone, partial(models.learner.due, task))
        for task in settings.tasks
    ]
    digests = [
        CronJob(f"digest of {task.name}", task.learning.digest, task.learning.timezone, partial(sender.send, task))
        for task in settings.tasks
        if task.learning.digest and task.leads_rooms
    ]
    return [*learning, *digests, *comparison_jobs(settings, store, models)]


def start_looking_back(
    group: asyncio.TaskGroup, drift: DriftWatch, signals: SilentSignalWatch, again: SecondLook
) -> None:
    """Start what looks at the past weeks: nobody waits for it."""
    _keep(group, "drift", partial(forever, drift.step, Wakeups()["drift"], at_most=_DRIFT_EVERY))
    _keep(group, "silent signals", partial(forever, signals.step, Wakeups()["signals"], at_most=_DRIFT_EVERY))
    _keep(group, "second look", partial(forever, again.step, Wakeups()["second look"], at_most=_DRIFT_EVERY))


def _work(
    group: asyncio.TaskGroup,
    step: Step[Item],
    store: Store,
    wakeups: Wakeups,
    name: str | None = None,
    at_most: float = 1.0,
) -> None:
    """Keep a step's workers running, woken by the changes that it names."""
    known_as = name or step.name
    wakeups.subscribe(known_as, step.wakes_on)
    pool = WorkerPool(step, store.failures, now, wakeups[known_as], saw=_STEP_FIGURES.saw)
    _keep(group, known_as, partial(pool.run, at_most))


def _keep(group: asyncio.TaskGroup, name: str, run: Callable[[], Awaitable[None]]) -> None:
    group.create_task(keep_running(name, run, _DATABASE), name=name)


async def _wake_on_changes(store: Store, wakeups: Wakeups) -> None:
    async with store.ledger.changes() as changes:
        async for news in changes:
            wakeups.changed(news)


async def _reread(store: Store) -> None:
    while True:
        if found := await store.failures.reread(now()):
            log.info("retrying items that another version could not read", extra={"items": found})
        await asyncio.sleep(_REREAD_EVERY)


async def _say_what_is_unheard(settings: Settings, store: Store) -> None:
    """Warn that a team renamed in the settings alone has lost its corrections; that does not stop the start."""
    async for finding in of_the_teams(settings.tasks, store.team_changes):
        log.warning("label not in the settings", extra={"problem": finding.what, "remedy": finding.remedy})
        say(f"{finding.what}: {finding.remedy}")


def _announce(settings: Settings, demo: Demo | None) -> None:
    address = f"http://{settings.web.host}:{settings.web.port}"
    if demo is None:
        for one in settings.workspaces:
            where = f"{address}{base_path(one.workspace)}"
            say(f"The workspace {one.workspace} runs on {', '.join(one.platforms)}, with addresses below {where}.")
        say(f"Switchboard runs on {', '.join(settings.platforms)}; health and metrics at {address}. Ctrl-C stops it.")
        return
    say(f"Open {address} and write as a customer. Ctrl-C stops everything; nothing is lost.")
    if demo.open_browser:
        webbrowser.open(address)
