"""An adapter whose files are missing stops nothing: it is named, and the other voices decide."""

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import httpx
import pytest

from bot.app import demo_settings
from bot.domain.decisions import NoPrediction, Reason
from bot.domain.errors import Refused
from bot.domain.learning import Adapter
from bot.domain.memory_vote import Neighbours
from bot.domain.model_ports import Query
from bot.domain.tasks import Task
from bot.flow.classify import Classifier
from bot.flow.embed import EmbeddingBackfill
from bot.flow.fit_voices import VoiceFitter
from bot.flow.learn import Learner
from bot.model_stack import ModelStack, _load, champions_fit
from inference.adapters import VllmAdapters
from tests.fakes import FakePredictor, fake_classifier
from tests.fakes_inference import FakeVllm, write_lora
from tests.samples import TASK
from tests.unit.inference.test_adapters import SHAPE

GONE = "routing-1 cannot be loaded: adapter in"


@pytest.fixture
async def line() -> AsyncIterator[httpx.AsyncClient]:
    async with FakeVllm().line() as line:
        yield line


@pytest.fixture
def adapter(tmp_path: Path) -> Adapter:
    (tmp_path / "config.json").write_text(json.dumps(SHAPE), encoding="utf-8")
    path = write_lora(tmp_path / "routing-1", tmp_path, seed=1)
    return Adapter("routing-1", "routing", path, "starter", {}, 1.0, datetime(2026, 1, 1, tzinfo=UTC))


def stack(adapter: Adapter, line: httpx.AsyncClient) -> ModelStack:
    """With this champion, for every task."""

    class Champions(Classifier):
        async def query(self, task: Task, hurried: bool = False) -> Query:
            return Query(task, {}, adapter)

    plain = fake_classifier(Neighbours(), FakePredictor())
    classifier = Champions(plain.predictor, plain.embedder, plain.memory, plain.registry, plain.base)
    adapters = VllmAdapters(line, adapter.path.parent)
    return ModelStack(
        classifier, cast(EmbeddingBackfill, None), cast(VoiceFitter, None), cast(Learner, None), None, adapters
    )


async def test_a_start_goes_on_and_says_which(
    adapter: Adapter, line: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = replace(adapter, path=adapter.path.with_name("elsewhere"))
    await _load(stack(gone, line), gone)
    [said] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (said.message, said.__dict__["adapter"]) == ("adapter cannot serve", "routing-1")
    assert "routing-1 cannot be loaded" in capsys.readouterr().err


async def test_readiness_and_check_name_it(adapter: Adapter, line: httpx.AsyncClient, tmp_path: Path) -> None:
    settings = demo_settings(tmp_path)
    await champions_fit(settings, stack(adapter, line))
    with pytest.raises(Refused, match=GONE):
        await champions_fit(settings, stack(replace(adapter, path=tmp_path / "elsewhere"), line))


async def test_what_is_asked_of_it_is_answered_by_the_rest() -> None:
    predictor = FakePredictor()
    predictor.failure = Refused(f"{GONE} /elsewhere: adapter_config.json is missing or half written")
    [known] = await fake_classifier(Neighbours(), predictor).consider(
        Query(
            TASK, {}, Adapter("routing-1", "routing", Path("x"), "starter", {}, 1.0, datetime(2026, 1, 1, tzinfo=UTC))
        ),
        ["where is my refund"],
    )
    assert known.model == NoPrediction(Reason.MODEL_DOWN)
