"""What `evaluate --rows` writes: every voice's answer on every text, the decision without the model, and no text."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.commands.evaluation_rows import entropy, write_rows
from bot.domain.learning import Example, Side, Source, text_key
from bot.domain.memory_vote import Neighbour, Neighbours
from bot.domain.mixture import ADAPTER, VECTORS, WORDS, Mixture
from bot.domain.model_ports import Said, Vector
from bot.flow.classify import Classifier
from bot.flow.score import Scorer
from tests.fakes import FakeEmbedder, FakePredictor, fake_classifier
from tests.fakes_voices import FakeVoices
from tests.samples import NOW, TASK

NEAR = Neighbours(anchors=(Neighbour(1, "it", 0.81),))
SURE_OF_IT: Said = {voice: {n: 0.94 if n == "it" else 0.02 for n in TASK.names} for voice in (WORDS, VECTORS)}
REFUND = Example("I was charged twice", "billing", Source.IMPORT, Side.HELD_OUT, NOW)


class CountingEmbedder(FakeEmbedder):
    """Records what it was asked to embed."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        self.asked += texts
        return await super().embed(texts)


def classifier() -> Classifier:
    """A model that reads keywords, and two linear voices that answer "it" to everything."""
    return replace(fake_classifier(NEAR, FakePredictor()), fitted=FakeVoices(SURE_OF_IT))


async def written(path: Path, scorer: Scorer, *examples: Example) -> list[dict[str, object]]:
    query = await scorer.classifier.query(TASK)
    answered = await scorer.answers(query, examples)
    write_rows(path, answered, await scorer.without_model().answers(query, examples), [12.345])
    return read(path)


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


async def test_a_row_holds_what_every_voice_said(tmp_path: Path) -> None:
    [row] = await written(tmp_path / "rows.jsonl", Scorer(classifier()), REFUND)
    assert (row["truth"], row["nearest"], row["ms"]) == ("billing", 0.81, 12.35)
    assert isinstance(row["voices"], list)
    said = {voice["voice"]: voice["label"] for voice in row["voices"]}
    assert said == {ADAPTER: "billing", WORDS: "it", VECTORS: "it"}
    assert sum(voice["weight"] for voice in row["voices"]) == pytest.approx(1.0, abs=1e-3)


async def test_without_the_model_the_other_voices_decide(tmp_path: Path) -> None:
    scorer = Scorer(classifier())
    predictor = scorer.classifier.predictor
    [row] = await written(tmp_path / "rows.jsonl", scorer, REFUND)
    without = row["without_model"]
    assert isinstance(without, dict)
    assert (row["by"], without["by"], without["label"]) == ("model", "examples", "it")
    loud = sum(Mixture().of((WORDS, VECTORS)).values())
    others = 0.02**loud * (len(TASK.names) - 1)
    assert without["confidence"] == pytest.approx(0.94**loud / (0.94**loud + others), abs=1e-3)
    assert isinstance(predictor, FakePredictor)
    assert predictor.asked == 1, "it is asked once: not where it is left out"


async def test_without_the_model_nothing_is_embedded_again_but_what_is_new() -> None:
    embedder = CountingEmbedder()
    scorer = Scorer(replace(classifier(), embedder=embedder))
    query = await scorer.classifier.query(TASK)
    answered = await scorer.answers(query, [REFUND])
    assert embedder.asked == ["I was charged twice"]
    new = replace(REFUND, text="my laptop is broken")
    [again, _] = await scorer.without_model(answered).answers(query, [REFUND, new])
    assert embedder.asked == ["I was charged twice", "my laptop is broken"]
    assert again.vector == answered[0].vector


async def test_the_rows_hold_no_text_and_keep_the_order(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    second = replace(REFUND, text="my laptop is broken", label="it")
    rows = await written(file, Scorer(classifier()), REFUND, second)
    assert [row["truth"] for row in rows] == ["billing", "it"]
    assert [row["ms"] for row in rows] == [12.35, None]
    assert rows[1]["text_key"] == text_key(second.text)
    for word in ("charged", "laptop"):
        assert word not in file.read_text("utf-8")


def test_entropy_is_shannons() -> None:
    assert entropy([0.5, 0.25, 0.25]) == pytest.approx(1.5 * math.log(2))
    assert entropy([1.0, 0.0]) == 0.0
    assert entropy([]) == 0.0
