"""What steps rely on, tested with the real model, embedder, voices and trainer and with their fakes.

The real model's client uses a server in memory here; `test_predictor_contract` compares that server with vLLM itself.
"""

import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from bot.domain.embedders import USE
from bot.domain.errors import TrainingFailed
from bot.domain.learning import Adapter
from bot.domain.mixture import ADAPTER, USUAL
from bot.domain.model_ports import AdapterHost, Embedder, ExampleVoices, Lesson, Predictor, Query, Trainer
from inference.adapters import VllmAdapters
from inference.base_models import STARTER
from inference.client import VllmPredictor
from inference.embedders.choose import open_embedder
from inference.prompt import PromptBuilder
from inference.voices.fitted import FittedVoices
from tests.fakes import FakeAdapters, FakeEmbedder, FakePredictor, FakeWorkshop
from tests.fakes_inference import FakeVllm, write_lora
from tests.fakes_voices import FakeVoices
from tests.runs import SAID, TASK, a_run
from tests.unit.inference.test_trainer_process import TRAINED, trainer, unheard

KINDS = ["real", "fake"]
TEXTS = ["my card was charged", "where is the parcel", "", "🙈 hm"]


@dataclass(frozen=True, slots=True)
class Model:
    """A predictor and the host of its adapters, with an adapter to ask."""

    predictor: Predictor
    adapters: AdapterHost
    adapter: Adapter


@pytest.fixture(params=KINDS)
async def model(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Model]:
    lora = write_lora(tmp_path / "routing-1", STARTER, 1)
    codes = {label: f"<label_{n:03}>" for n, label in enumerate(SAID)}
    adapter = Adapter("routing-1", TASK.name, lora, "starter", codes, 1.0, datetime(2026, 1, 1, tzinfo=UTC))
    if request.param == "fake":
        yield Model(FakePredictor(), FakeAdapters(), adapter)
        return
    async with FakeVllm().line() as line:
        adapters = VllmAdapters(line, STARTER)
        yield Model(VllmPredictor(PromptBuilder(STARTER), "starter", adapters), adapters, adapter)


async def test_every_text_gets_a_distribution_over_the_labels_in_the_texts_order(model: Model) -> None:
    query = Query(TASK, model.adapter.codes, model.adapter)
    together = await model.predictor.predict(query, TEXTS)
    assert [set(one.probabilities) for one in together] == [set(TASK.names)] * len(TEXTS)
    assert all(math.isclose(sum(one.probabilities.values()), 1.0, abs_tol=1e-6) for one in together)
    assert {one.adapter for one in together} == {model.adapter.name}
    for text, beside_others in zip(TEXTS, together, strict=True):
        [alone] = await model.predictor.predict(query, [text])
        assert alone.probabilities == pytest.approx(beside_others.probabilities, abs=1e-6)


async def test_codes_are_many_and_none_is_there_twice(model: Model) -> None:
    alphabet = model.predictor.alphabet()
    assert len(alphabet) == len(set(alphabet)) >= 16


async def test_english_is_read_and_a_script_of_another_kind_is_not(model: Model) -> None:
    assert model.predictor.reads("where is my parcel")
    assert not model.predictor.reads("где моя посылка")


async def test_loading_and_unloading_again_change_nothing(model: Model) -> None:
    for act in (model.adapters.load, model.adapters.load):
        await act(model.adapter)
    for _ in range(2):
        await model.adapters.unload(model.adapter.name)
    await model.adapters.load(model.adapter)


@pytest.fixture(params=KINDS)
async def embedder(request: pytest.FixtureRequest) -> AsyncIterator[Embedder]:
    if request.param == "fake":
        yield FakeEmbedder()
        return
    opened = open_embedder(USE, ["en"])
    yield opened
    await opened.close()


async def test_a_vector_for_each_text_of_length_one_the_same_in_company_and_near_what_says_the_same(
    embedder: Embedder,
) -> None:
    together = await embedder.embed(TEXTS)
    assert [math.hypot(*vector) for vector in together] == pytest.approx([1.0] * len(TEXTS), abs=1e-3)
    [alone] = await embedder.embed(TEXTS[1:2])
    assert list(alone) == pytest.approx(list(together[1]), abs=5e-3)
    assert len({len(vector) for vector in together}) == 1
    assert await embedder.embed([]) == []
    asked, near, far = await embedder.embed(["my parcel is late", "the parcel is very late", "I forgot my password"])
    assert np.dot(asked, near) > np.dot(asked, far)


@pytest.fixture(params=KINDS)
def voices(request: pytest.FixtureRequest, tmp_path: Path) -> ExampleVoices:
    if request.param == "fake":
        return FakeVoices()
    return FittedVoices(tmp_path / "voices", "tiny")


async def test_voices_are_silent_before_they_are_fitted(voices: ExampleVoices) -> None:
    assert (voices.fitted_on(TASK.name), voices.proved(TASK.name)) == (None, None)
    assert (voices.counts(TASK.name), voices.without_adapter(TASK.name)) == ({}, {})
    assert voices.taught(TASK.name) == {}
    assert await voices.say(TASK.name, TEXTS, [None] * len(TEXTS), set(USUAL)) == [{}] * len(TEXTS)
    assert voices.unseen(TASK.name, ["any"]) == {}
    assert dict(voices.usual) == {name: weight for name, weight in USUAL.items() if name != ADAPTER}


async def test_fitted_voices_name_what_they_were_fitted_on_and_only_who_is_asked_speaks(voices: ExampleVoices) -> None:
    if isinstance(voices, FakeVoices):
        voices.said = {"words": dict.fromkeys(SAID, 1 / 3), "vectors": dict.fromkeys(SAID, 1 / 3)}
    taught = [Lesson(text, text, label, None) for label, texts in SAID.items() for text in texts]
    await voices.fit(TASK.name, "a stamp", taught)
    assert voices.fitted_on(TASK.name) == "a stamp"
    assert voices.fitted_on("another task") is None
    said = await voices.say(TASK.name, TEXTS, [None] * len(TEXTS), {"words"})
    assert [set(one) for one in said[:2]] == [{"words"}] * 2
    assert all(set(one) <= {"words"} for one in said[2:]), "of words that nobody taught it need not speak"
    assert all(sum(row.values()) == pytest.approx(1.0, abs=1e-3) for one in said for row in one.values())


@pytest.fixture(params=KINDS)
def trains(request: pytest.FixtureRequest, tmp_path: Path) -> Trainer:
    return FakeWorkshop() if request.param == "fake" else trainer(tmp_path, TRAINED)


async def test_an_adapter_lies_in_its_runs_folder_and_progress_ends_with_one(trains: Trainer, tmp_path: Path) -> None:
    shares: list[float] = []
    run = a_run(tmp_path / "run", Path("starter"))
    assert await trains.train(run, lambda share, doing: shares.append(share)) == run.folder / "adapter"
    assert shares[-1] == 1.0


async def test_a_training_that_fails_says_so(tmp_path: Path) -> None:
    fake = FakeWorkshop()
    fake.failure = TrainingFailed("the training of run ended with 1: it said nothing")
    for trains in (fake, trainer(tmp_path, "sys.exit(1)")):
        with pytest.raises(TrainingFailed, match="the training of run ended with 1"):
            await trains.train(replace(a_run(tmp_path / "run", Path("starter"))), unheard)
