"""What `switchboard check` examines besides the platforms, and in which order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from importlib.util import find_spec

from bot.domain.asking import in_words
from bot.domain.decisions import Opinion, Reason
from bot.domain.errors import SwitchboardError, Unreachable
from bot.domain.model_ports import Registry
from bot.domain.plural import counted
from bot.domain.tasks import Task
from bot.domain.team_changes import TeamChanges, unheard
from bot.flow.classify import Classifier
from bot.platforms import Finding, PlatformContext, platform_modules
from bot.schedule import next_runs
from inference.ray_train import knock

_SHOWN_RUNS = 3
_PROBE = "Where is my order? It should have come on Monday."


async def of_platforms(
    configs: Mapping[str, object], around: PlatformContext, live: bool
) -> AsyncIterator[tuple[str, Finding]]:
    """Yield what the platforms find out with real calls, one platform after another; then, if `live`, all at once.

    At once, so that people wait for the slowest alone, and every room is asked while they look. A platform that does
    not answer is not tried further.
    """
    known, answering = platform_modules(), dict[str, bool]()
    for name, config in configs.items():
        async for finding in _survived(known[name].check(config, around)):
            answering.setdefault(name, finding.ok)
            yield name, finding
    if live:
        names = [name for name in configs if answering.get(name)]
        trials = {name: _survived(known[name].live_check(configs[name], around)) for name in names}
        async for found in _as_they_come(trials):
            yield found


async def _survived(findings: AsyncIterator[Finding]) -> AsyncIterator[Finding]:
    """The findings; an error that ends them becomes the last finding."""
    try:
        async for finding in findings:
            yield finding
    except SwitchboardError as error:
        yield Finding("it can be looked at", False, str(error))


async def _as_they_come(trials: Mapping[str, AsyncIterator[Finding]]) -> AsyncIterator[tuple[str, Finding]]:
    """(name, finding) of all trials, in the order in which they come."""
    found: asyncio.Queue[tuple[str, Finding] | None] = asyncio.Queue()

    async def follow(name: str, findings: AsyncIterator[Finding]) -> None:
        try:
            async for finding in findings:
                found.put_nowait((name, finding))
        finally:
            found.put_nowait(None)

    async with asyncio.TaskGroup() as group:
        for name, findings in trials.items():
            group.create_task(follow(name, findings), name=f"live check {name}")
        for _ in trials:
            while (one := await found.get()) is not None:
                yield one


def of_the_schedule(task: Task, now: datetime) -> Finding:
    """When the task learns next, in its time zone."""
    learning = task.learning
    runs = next_runs(learning.schedule, learning.timezone, now, _SHOWN_RUNS)
    shown = ", ".join(f"{run:%a %Y-%m-%d %H:%M}" for run in runs)
    wait = counted(learning.min_corrections, "correction waits", "corrections wait")
    return Finding(f"{task.name} learns next, if {wait}: {shown} ({learning.timezone})", True)


async def of_the_teams(tasks: Sequence[Task], changes: TeamChanges) -> AsyncIterator[Finding]:
    """Data that the database holds of labels that are no longer in the settings: nothing uses it."""
    for task in tasks:
        for sentence in unheard(task, await changes.labels(task.name), await changes.made(task.name)):
            what, _, mend = sentence.partition("; ")
            yield Finding(what, False, mend)


async def of_asking(task: Task, base: str, registry: Registry) -> Finding | None:
    """How sure a decision must be not to ask the person, and the effect; None where no adapter serves yet."""
    champion = await registry.champion(task.name, base)
    return None if champion is None else Finding(f"{task.name} {in_words(task, champion.mixture.proved)}", True)


async def of_the_cluster(address: str) -> Finding:
    """Whether trainings can go to the Ray cluster: else it shows at the first one, in the night."""
    if find_spec("ray") is None:
        mend = 'install the extra `ray`, or write training.where = "local"'
        return Finding("trainings go to the Ray cluster", False, f"Ray is not installed here: {mend}")
    try:
        await asyncio.to_thread(knock, address)
    except Unreachable as error:
        return Finding("trainings go to the Ray cluster", False, str(error))
    return Finding(f"trainings go to the Ray cluster at {address}, which answers", True)


async def of_the_model(task: Task, open_model_stack: Callable[[], AbstractAsyncContextManager[Classifier]]) -> Finding:
    """Whether the model answers; a server of our own is started for that."""
    try:
        async with open_model_stack() as classifier:
            query = await classifier.query(task)
            [known] = await classifier.consider(query, [_PROBE])
    except SwitchboardError as error:
        return Finding("the model answers", False, str(error))
    if isinstance(known.model, Opinion):
        return Finding(f"the model answers ({known.model.adapter or 'as it came'})", True)
    if known.model.reason is Reason.NOT_TRAINED:
        return Finding(
            "the model has learned nothing yet: until it has, similar examples and the fallback decide", True
        )
    return Finding("the model answers", False, "see that the model server runs, and that model.server leads to it")
