"""Past conversations are decided again through the serving path: another adapter or threshold, or no model."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.decisions import Author, Decision, Reason
from bot.domain.errors import Unreachable, UsageError
from bot.domain.learning import Adapter
from bot.domain.memory_vote import Neighbours
from bot.domain.outcomes import Outcome
from bot.domain.replay import Replayed
from bot.flow.replay import Replayer
from tests.fakes import FakePredictor, fake_classifier
from tests.fakes_registry import FakeRegistry
from tests.samples import NOW, TASK

BILLING = Decision("routing", "billing", Author.MODEL, Reason.CONFIDENT, {"billing": 0.9})
OUTCOMES = [Outcome(n, text, BILLING, NOW, "billing", True) for n, text in enumerate(["the parcel", "charged"] * 50)]


@pytest.fixture
def predictor() -> FakePredictor:
    made = FakePredictor()
    made.rules["routing-2"] = lambda text: "it"
    return made


@pytest.fixture
async def replayer(predictor: FakePredictor) -> Replayer:
    registry = FakeRegistry()
    for name in ("routing-1", "routing-2"):
        await registry.add_adapter(
            Adapter(name, "routing", Path("runs"), "starter", dict.fromkeys(TASK.names, "x"), 1.0, NOW)
        )
    await registry.promote("routing", "routing-1", "test", "", NOW, base="starter")
    classifier = fake_classifier(Neighbours(), predictor)
    return Replayer(replace(classifier, registry=registry), registry)


async def replayed(replayer: Replayer, adapter: str | None, threshold: float | None) -> tuple[Sequence[Replayed], int]:
    told: list[int] = []
    query = await replayer.query(TASK, adapter, threshold)
    found = await replayer.replay(query, OUTCOMES, told.append)
    assert sum(told) == len(OUTCOMES)
    return found


async def test_the_champion_decides_where_nobody_is_named(replayer: Replayer) -> None:
    found, silent = await replayed(replayer, None, None)
    assert ([one.would.label for one in found[:2]], silent) == (["delivery", "billing"], 0)
    assert {one.would.adapter for one in found} == {"routing-1"}


async def test_another_adapter_decides_otherwise(replayer: Replayer) -> None:
    found, _ = await replayed(replayer, "routing-2", None)
    assert {(one.would.label, one.would.adapter) for one in found} == {("it", "routing-2")}


async def test_a_higher_threshold_asks(replayer: Replayer) -> None:
    found, _ = await replayed(replayer, None, 0.95)
    assert all(one.would.candidates for one in found)


async def test_an_unknown_adapter_is_named_with_those_that_there_are(replayer: Replayer) -> None:
    with pytest.raises(UsageError, match="no adapter called nobody; there are routing-1, routing-2"):
        await replayer.query(TASK, "nobody", None)


async def test_where_the_model_is_silent_it_says_on_how_many(replayer: Replayer, predictor: FakePredictor) -> None:
    predictor.failure = Unreachable("down")
    found, silent = await replayed(replayer, None, None)
    assert (len(found), silent) == (100, 100)
    assert {one.would.by for one in found} == {Author.FALLBACK}
