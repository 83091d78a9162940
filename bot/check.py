"""What `switchboard check` looks at besides the platforms, and the order of it all."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from bot.domain.decisions import Opinion, Reason
from bot.domain.errors import SwitchboardError
from bot.domain.tasks import Task
from bot.flow.classify import Classifier
from bot.platforms import Finding, PlatformContext, platform_modules
from bot.schedule import next_runs

_SHOWN_RUNS = 3
_PROBE = "Where is my order? It should have come on Monday."


async def of_platforms(
    configs: Mapping[str, object], around: PlatformContext, live: bool
) -> AsyncIterator[tuple[str, Finding]]:
    """What the platforms find out with real calls, one platform after the other."""
    known = platform_modules()
    for name, config in configs.items():
        try:
            async for finding in known[name].check(config, around, live):
                yield name, finding
        except SwitchboardError as error:
            yield name, Finding("it can be looked at", False, str(error))


def of_the_schedule(task: Task, now: datetime) -> Finding:
    """When it learns next, in which time zone."""
    learning = task.learning
    runs = next_runs(learning.schedule, learning.timezone, now, _SHOWN_RUNS)
    shown = ", ".join(f"{run:%a %Y-%m-%d %H:%M}" for run in runs)
    return Finding(
        f"{task.name} learns next, if {learning.min_corrections} corrections wait: {shown} ({learning.timezone})", True
    )


async def of_the_model(task: Task, open_model_stack: Callable[[], AbstractAsyncContextManager[Classifier]]) -> Finding:
    """Whether the model says anything; it is started for that where we run it ourselves."""
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
