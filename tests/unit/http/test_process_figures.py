"""A process's metrics of its steps and of its platforms' connections."""

from bot.domain.failures import STEPS, ItemKey
from bot.flow.worker_pool import WorkerPool
from bot.http.metrics import Metrics
from bot.http.process_figures import LinkFigures, StepFigures
from bot.lifecycle import Wakeup
from tests.fakes_failed_items import FakeFailedItems
from tests.samples import NOW
from tests.unit.flow.test_worker_pool import Numbers, Working
from tests.unit.http.test_metrics import Figures, told


class Sorting(Numbers):
    """Numbers under the name of an existing step."""

    def key(self, item: int) -> ItemKey:
        return ItemKey("sort", str(item), item)


async def test_every_attempt_at_an_item_is_counted_and_so_is_each_that_failed() -> None:
    figures, step = StepFigures(), Sorting([1, 2, 3])
    step.errors = {2: KeyError("no such thing")}
    working = Working(step)
    working.pool = WorkerPool(step, working.failures, lambda: NOW, Wakeup(), saw=figures.saw)
    async with working:
        await working.until(lambda: step.handled == [1, 3] and bool(working.failures.recorded))
    found = await told(Metrics(Figures(), lambda: NOW, FakeFailedItems(), more=[figures]))
    assert found["switchboard_step_seconds_count sort"] == 3
    assert found["switchboard_step_errors_total sort"] == 1
    assert {found[f"switchboard_step_errors_total {one}"] for one in STEPS if one != "sort"} == {0}


async def test_a_platform_is_up_as_long_as_it_says_so() -> None:
    heard = {"slack": True}
    links = LinkFigures({"slack": lambda: heard["slack"], "web": lambda: True})
    metrics = Metrics(Figures(), lambda: NOW, FakeFailedItems(), more=[links])
    found = await told(metrics)
    assert (found["switchboard_platform_up slack"], found["switchboard_platform_up web"]) == (1, 1)
    heard["slack"] = False
    assert (await told(metrics))["switchboard_platform_up slack"] == 0


async def test_the_age_of_each_model_and_how_far_it_learns_are_told() -> None:
    async def learned(_: object) -> dict[str, tuple[float | None, float]]:
        return {"routing": (86_400.0, 0.4), "mood": (None, 0.0)}

    found = await told(Metrics(Figures(), lambda: NOW, FakeFailedItems(), learned=learned))
    assert (found["switchboard_model_age_seconds routing"], found["switchboard_learning_progress routing"]) == (
        86_400,
        0.4,
    )
    assert found["switchboard_model_age_seconds mood"] != found["switchboard_model_age_seconds mood"], "none serves"
    assert found["switchboard_learning_progress mood"] == 0
