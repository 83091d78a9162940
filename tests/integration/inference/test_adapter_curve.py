"""A point of the learning curve with a real training and a real vLLM: its answers, and that nothing is left."""

from pathlib import Path
from typing import cast

import pytest

from bot.domain import model_ports
from bot.domain.comparison import SERVED
from bot.domain.learning import Example, Side, Source, text_key
from bot.domain.learning_curve import Draw
from bot.domain.memory_vote import Neighbours
from bot.domain.mixture import ADAPTER
from bot.domain.model_ports import Lesson, Query
from bot.flow.adapter_curve import AdapterCurveMeasurer, Measuring, Workshop
from bot.flow.classify import Classifier
from bot.flow.score import Scorer
from inference.adapters import VllmAdapters
from inference.base_models import STARTER
from inference.client import VllmPredictor
from inference.prompt import PromptBuilder
from inference.run_folder import RunFolders
from inference.server import EmbeddedServer
from inference.trainer_process import TrainerProcess
from tests.fakes import FakeEmbedder, FakeKnowledge
from tests.fakes_voices import FakeVoices
from tests.runs import NOW, SAID, TASK

pytestmark = [pytest.mark.vllm, pytest.mark.slow]
CODES = {name: f"<label_{n:03}>" for n, name in enumerate(SAID)}
LESSONS = [Lesson(text_key(text), text, label, None) for label, texts in SAID.items() for text in texts]
ASKED = {"I want my refund": "billing", "the courier lost my parcel": "shipping", "login is locked": "access"}


def left(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


async def test_an_adapter_is_trained_for_a_point_asked_and_leaves_nothing(
    vllm_server: EmbeddedServer, tmp_path: Path
) -> None:
    adapters = VllmAdapters(vllm_server.line, STARTER)
    before = await adapters.loaded()
    predictor = VllmPredictor(PromptBuilder(STARTER), "starter", adapters)
    known = FakeKnowledge(Neighbours((), ()))
    classifier = Classifier(
        predictor, FakeEmbedder(), cast(model_ports.Memory, known), cast(model_ports.Registry, known), "starter"
    )
    messages = [Example(text, label, Source.IMPORT, Side.HELD_OUT, NOW) for text, label in ASKED.items()]
    measurer = AdapterCurveMeasurer(
        Workshop(TrainerProcess(), adapters, RunFolders(tmp_path), tmp_path, STARTER),
        Scorer(classifier),
        FakeVoices(),
        Query(TASK, CODES, None),
        Measuring(LESSONS, messages, [None] * len(messages)),
        lambda: NOW,
    )
    told: list[str] = []
    [one] = [found async for found in measurer.measure([Draw(0, 0)], lambda _share, doing: told.append(doing))]
    assert one.examples == len(LESSONS)
    assert one.right[ADAPTER] == one.right[SERVED] == [True, True, True]
    assert any(doing.startswith("adapter of all examples, 1 of 1: ") for doing in told)
    assert await adapters.loaded() == before
    assert left(tmp_path) == []
