"""Every voice is asked about every text, and a further voice only has to be passed in."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot.domain.decisions import Author, NoPrediction, Opinion, Reason, decide
from bot.domain.errors import NotTrained, Refused, Unreachable
from bot.domain.memory_vote import Neighbour, Neighbours
from bot.domain.model_ports import Asked, Query, Vector, Voice
from bot.flow.classify import Classifier
from inference.adapters import VllmAdapters
from inference.client import VllmPredictor
from inference.prompt import PromptBuilder
from tests.fakes import FakeEmbedder, FakePredictor, fake_classifier
from tests.fakes_inference import FakeVllm
from tests.samples import TASK
from tests.small_bases import listed_base

KNOWN = Neighbours(anchors=(Neighbour(1, "billing", 0.8),))


@dataclass
class Shouter:
    """A third voice: completely sure of text in capitals, without an opinion otherwise."""

    vectors: list[Vector | None] = field(default_factory=list)

    async def opinions(self, asked: Asked) -> Sequence[Opinion | NoPrediction]:
        self.vectors += await asked.vectors()
        certain = Opinion(Author.MODEL, {"it": 1.0}, weight=9.0)
        return [certain if text.isupper() else NoPrediction() for text in asked.texts]


_: type[Voice] = Shouter


@dataclass
class CountingEmbedder(FakeEmbedder):
    asked: int = 0

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        self.asked += 1
        return await super().embed(texts)


async def decided(classifier: Classifier, *texts: str) -> list[tuple[str, Reason]]:
    considered = await classifier.consider(await classifier.query(TASK), texts)
    decisions = [decide(TASK, known.opinions, may_ask=True) for known in considered]
    return [(decision.label, decision.reason) for decision in decisions]


async def test_a_third_voice_is_heard_beside_the_two() -> None:
    shouter, embedder = Shouter(), CountingEmbedder()
    classifier = replace(fake_classifier(KNOWN), others=(shouter,), embedder=embedder)
    assert await decided(classifier, "WHERE IS MY REFUND", "where is my refund") == [
        ("it", Reason.CONFIDENT),
        ("billing", Reason.CONFIDENT),
    ]
    assert embedder.asked == 1, "a text is embedded once, however many voices want its vector"
    assert shouter.vectors == await embedder.embed(["WHERE IS MY REFUND", "where is my refund"])


async def test_a_third_voice_stands_in_for_a_model_that_is_down() -> None:
    predictor = FakePredictor()
    predictor.failure = Unreachable("no connection")
    classifier = replace(fake_classifier(Neighbours(), predictor), others=(Shouter(),))
    assert await decided(classifier, "IT IS BROKEN", "it is broken") == [
        ("it", Reason.MODEL_DOWN),
        ("triage", Reason.MODEL_DOWN),
    ]


@pytest.mark.parametrize("failure", [Unreachable("no connection"), Refused("a model of another name is served")])
@pytest.mark.parametrize("trained", [True, False])
async def test_a_model_that_does_not_answer_is_silent_and_never_called_untrained(
    failure: Unreachable | Refused, trained: bool
) -> None:
    predictor = FakePredictor()
    predictor.failure = failure
    classifier = fake_classifier(KNOWN, predictor)
    query = await classifier.query(TASK)
    [known] = await classifier.consider(query if trained else replace(query, adapter=None), ["refund"])
    assert known.model == NoPrediction(Reason.MODEL_DOWN)
    assert known.silent


async def test_a_base_model_that_was_never_trained_is_no_voice_at_all() -> None:
    predictor = FakePredictor()
    predictor.failure = NotTrained("the starter answers nothing before it was trained")
    classifier = fake_classifier(KNOWN, predictor)
    untrained = replace(await classifier.query(TASK), adapter=None)
    [known] = await classifier.consider(untrained, ["refund"])
    assert known.model == NoPrediction(Reason.NOT_TRAINED)
    assert not known.silent


async def test_an_embedder_that_is_down_silences_the_memory() -> None:
    embedder = FakeEmbedder()
    embedder.failure = Unreachable("no connection")
    classifier = replace(fake_classifier(KNOWN), embedder=embedder)
    [known] = await classifier.consider(await classifier.query(TASK), ["I was charged twice"])
    assert known.silent
    assert known.vector is None
    assert decide(TASK, known.opinions, may_ask=True).label == "billing"


async def test_a_server_that_hangs_is_waited_for_so_long_and_then_the_others_decide(tmp_path: Path) -> None:
    vllm = FakeVllm("base")
    vllm.delay = 30.0
    async with vllm.line() as line:
        prompts = PromptBuilder(listed_base(tmp_path / "base"))
        predictor = VllmPredictor(prompts, "base", VllmAdapters(line, tmp_path))
        classifier = replace(fake_classifier(KNOWN), predictor=predictor, deadline=0.05)
        codes = dict(zip(TASK.names, prompts.alphabet(), strict=False))
        query = Query(TASK, codes, None, (await classifier.query(TASK, hurried=True)).deadline)
        for _ in range(4):
            [known] = await classifier.consider(query, ["I was charged twice"])
            decision = decide(TASK, known.opinions, may_ask=True)
            assert (decision.label, decision.by, decision.reason) == ("billing", Author.MEMORY, Reason.MODEL_DOWN)
    assert len(vllm.requests) == 3, "after three it is left alone"
