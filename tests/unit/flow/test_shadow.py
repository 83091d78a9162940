"""A candidate in the shadow is asked as it would serve, and its answers are not used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from bot.domain.errors import Unreachable
from bot.domain.learning import Adapter
from bot.domain.memory_vote import Neighbours
from bot.domain.shadow import ShadowFigures, Shadows, Unheard
from bot.domain.tasks import Task
from bot.flow.shadow import Shadow
from tests.fakes import FakePredictor, fake_classifier
from tests.fakes_registry import FakeRegistry
from tests.samples import NOW, TASK

SHADOWED = replace(TASK, learning=replace(TASK.learning, shadow=True))
CANDIDATE = Adapter("routing-2", "routing", Path("runs"), "starter", dict.fromkeys(TASK.names, "x"), 1.0, NOW)


@dataclass
class FakeShadows:
    """Two requests wait; `tests/integration/db/test_shadow.py` tests which the real one finds."""

    candidate: Adapter | None = CANDIDATE
    waiting: list[Unheard] = field(default_factory=lambda: [Unheard(1, "charged twice"), Unheard(2, "where is it")])
    stored: dict[int, str] = field(default_factory=dict)

    async def shadow(self, task: str, base: str) -> Adapter | None:
        return self.candidate

    async def unheard(self, shadow: Adapter, limit: int) -> list[Unheard]:
        return [one for one in self.waiting if one.conversation not in self.stored]

    async def heard(self, shadow: Adapter, labels: Mapping[int, str], now: datetime) -> None:
        self.stored |= labels

    async def shadow_figures(self, task: str) -> Sequence[ShadowFigures]:
        return []


def asked(shadows: FakeShadows, predictor: FakePredictor, task: Task = SHADOWED) -> Shadow:
    classifier = replace(fake_classifier(Neighbours(), predictor), registry=FakeRegistry())
    return Shadow([task], classifier, shadows, lambda: NOW)


async def test_its_own_adapter_is_asked_and_what_it_says_is_kept() -> None:
    predictor, shadows = FakePredictor(), FakeShadows()
    predictor.rules |= {"routing-2": lambda text: "delivery" if "where" in text else "it"}
    step = asked(shadows, predictor)
    assert [await step.step(), await step.step()] == [2, 0]
    assert shadows.stored == {1: "it", 2: "delivery"}


async def test_what_a_silent_model_leaves_open_is_heard_later() -> None:
    predictor, shadows = FakePredictor(), FakeShadows()
    predictor.failure = Unreachable("model server: timed out")
    step = asked(shadows, predictor)
    assert (await step.step(), shadows.stored) == (0, {})
    predictor.failure = None
    assert await step.step() == 2


async def test_nobody_is_asked_unless_the_settings_say_so_or_without_a_candidate() -> None:
    predictor = FakePredictor()
    assert await asked(FakeShadows(), predictor, TASK).step() == 0
    assert await asked(FakeShadows(candidate=None), predictor).step() == 0
    assert predictor.asked == 0


_: type[Shadows] = FakeShadows
