"""Puts workspaces together: each has everything of its own but the model server, the HTTP address and the process."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from starlette.applications import Starlette

from bot.adapter_delivery import adapter_routes
from bot.ages import Ages, Learned
from bot.app import connect_platforms
from bot.commands.actions import route_row
from bot.domain.errors import SwitchboardError
from bot.domain.ports import Platform
from bot.domain.tasks import Task
from bot.flow.by_rule import by_rule
from bot.flow.review import DriftWatch
from bot.flow.second_look import SecondLook
from bot.flow.silent_signals import SilentSignalWatch
from bot.flow.webhooks import WebhookSender
from bot.http.api import Api
from bot.http.app import Readiness, WebApp
from bot.http.metrics import Metrics
from bot.http.process_figures import LinkFigures, StepFigures
from bot.http.workspaces import WorkspaceSite, whole_site
from bot.logs import logged_for
from bot.model_stack import ModelStack, build_model_stack, champions_fit
from bot.platforms import Routed, SharesApp
from bot.settings import Settings
from bot.settings.workspaces import base_path
from bot.store import Store, now, reviewer, silent_signals
from bot.webhooks import webhook_senders
from db.invariants import PostgresInvariants
from db.second_looks import PostgresSecondLooks

_PROBE_SECONDS = 3.0
"""A part that has not answered by then counts as not working; the prober does not wait longer either."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A running workspace, with or without a name."""

    settings: Settings
    store: Store
    models: ModelStack
    platforms: Mapping[str, Platform]
    senders: Sequence[WebhookSender]
    drift: DriftWatch
    signals: SilentSignalWatch
    again: SecondLook

    async def works(self) -> dict[str, bool]:
        """Part -> whether it works now."""
        parts = {name: platform.healthy() for name, platform in self.platforms.items()}
        return {
            "database": await _answers(self.store.aside.ping()),
            "model": self.models.breaker.closed and await _answers(self.models.adapters.loaded()),
            "adapter": await _answers(champions_fit(self.settings, self.models)),
            **parts,
        }


async def open_workspace(settings: Settings, store: Store, stack: AsyncExitStack) -> Workspace:
    """Build a workspace's model and platforms, connected but not started. Raises UsageError, Refused."""
    models = await build_model_stack(settings, store, stack)
    platforms = await connect_platforms(settings, store, stack)
    senders = await webhook_senders(settings, store, stack)
    drift = DriftWatch(settings.tasks, reviewer(store))
    signals = SilentSignalWatch(settings.tasks, silent_signals(store))
    looks, voices = PostgresSecondLooks(store.database), models.voice_fitter.voices
    again = SecondLook(settings.tasks, looks, voices, store.embedder.name, now)
    return Workspace(settings, store, models, platforms, senders, drift, signals, again)


def hand_on(served: Sequence[Workspace]) -> None:
    """Have the first workspace's platforms pass on what comes for the others', where they share an app."""
    first, *others = served
    for name, platform in first.platforms.items():
        theirs = {one.settings.workspace: one.platforms[name] for one in others if name in one.platforms}
        if isinstance(platform, SharesApp) and theirs:
            platform.hand_on_to(theirs)


def site_of_all(served: Sequence[Workspace], steps: StepFigures) -> Starlette:
    """Each workspace's site below its own path; what concerns the whole process is at the root."""
    first, *others = served
    sites = [_site(first, partial(_all_work, served), steps), *(_site(one, one.works) for one in others)]
    return whole_site(
        [
            WorkspaceSite(base_path(name), site, partial(logged_for, name))
            for name, site in zip((one.settings.workspace for one in served), sites, strict=True)
        ]
    )


async def _all_work(served: Sequence[Workspace]) -> dict[str, bool]:
    """The first workspace's parts by their names, the others' with the workspace's name in front."""
    found = await asyncio.gather(*(one.works() for one in served))
    return found[0] | {
        f"{one.settings.workspace}.{part}": works
        for one, parts in zip(served[1:], found[1:], strict=True)
        for part, works in parts.items()
    }


def _site(one: Workspace, readiness: Readiness, *of_process: StepFigures) -> Starlette:
    settings, store, models = one.settings, one.store, one.models
    routes = [route for platform in one.platforms.values() if isinstance(platform, Routed) for route in platform.routes]
    circuit, broken = (lambda: models.breaker.state), PostgresInvariants(store.aside).broken
    of_looks = (lambda: one.drift.latest), broken, (lambda: one.signals.latest)
    more = [*of_process, LinkFigures({name: platform.healthy for name, platform in one.platforms.items()})]
    more.append(models.figures)
    learned = Learned(store.registry, settings.tasks, settings.model.base)
    metrics = Metrics(store.figures, now, store.failures, circuit, *of_looks, more, learned, models.adapters.answering)
    api = Api(settings.api, settings.tasks, partial(_would_decide, settings, models), store.queries, store.ledger, now)
    ages = Ages(store.figures, store.registry, settings.routing, settings.model.base, now)
    return WebApp(readiness, metrics, ages, settings.web.probe_token).application(
        [*api.routes, *adapter_routes(settings, store.registry), *routes]
    )


async def _would_decide(settings: Settings, models: ModelStack, task: Task, text: str) -> Mapping[str, object]:
    query = await models.classifier.query(task, hurried=True)
    [known] = await models.classifier.consider(query, [text])
    return route_row(text, by_rule(task, known, settings.rules, now()) or known.decided(task, may_ask=True))


async def _answers(question: Awaitable[object]) -> bool:
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            await question
    except (SwitchboardError, TimeoutError):
        return False
    return True
