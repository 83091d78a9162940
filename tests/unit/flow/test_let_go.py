"""The memory retires what the serving voices get right alone, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from bot.domain.correction_life import CorrectionLife
from bot.domain.errors import Unreachable
from bot.domain.learning import Adapter, Example, Side, Source, text_key
from bot.domain.memory_vote import Neighbour, Neighbours
from bot.domain.mixture import VECTORS, WORDS
from bot.flow.let_go import LetGo
from bot.flow.score import Scorer
from tests.fakes import FakePredictor, fake_classifier
from tests.fakes_registry import FakeRegistry
from tests.fakes_voices import FakeVoices
from tests.samples import NOW, TASK
from tests.unit.flow.test_learn import School

KNOWN = Neighbours((Neighbour(1, "it", 1.0, True),))
"""A memory that labels every text that it knows as IT's."""


@dataclass
class FakeCorrections:
    """What the adapter learned, and what became of it."""

    texts: tuple[str, ...]
    settled: list[tuple[str, list[int], list[int]]] = field(default_factory=list)

    async def lives(self, task: str, limit: int) -> list[CorrectionLife]:
        return []

    async def learned(self, task: str, adapter: str) -> Sequence[tuple[int, Example]]:
        return [(n, Example(text, "it", Source.CORRECTION, Side.TRAIN, NOW)) for n, text in enumerate(self.texts)]

    async def let_go(self, task: str, adapter: str, asked: Sequence[int], right: Sequence[int]) -> int:
        self.settled.append((adapter, list(asked), list(right)))
        return len(right)

    async def accept(self, example: int, by: str, now: datetime) -> bool:
        return False


async def asked(
    corrections: FakeCorrections, predictor: FakePredictor, served: bool = True, voices: FakeVoices | None = None
) -> int:
    registry = FakeRegistry()
    if served:
        champion = Adapter("routing-1", "routing", Path("runs"), "starter", dict.fromkeys(TASK.names, "x"), 1.0, NOW)
        await registry.add_adapter(champion)
        await registry.promote("routing", "routing-1", "test", "", NOW, base="starter")
    classifier = replace(fake_classifier(KNOWN, predictor), registry=registry, fitted=voices)
    return await LetGo(corrections)(Scorer(classifier, ()), TASK)


async def test_only_what_is_right_without_the_memory_is_let_go_of() -> None:
    predictor = FakePredictor()
    predictor.rules["routing-1"] = lambda text: "it" if "vpn" in text else "billing"
    corrections = FakeCorrections(("vpn is down", "invoice please", "my vpn"))
    assert await asked(corrections, predictor) == 2
    assert corrections.settled == [("routing-1", [0, 1, 2], [0, 2])]


async def test_what_the_voices_say_only_because_they_learned_the_very_text_lets_nothing_go() -> None:
    """The adapter alone is not sure enough of it, and the other voices know it by heart."""
    it, billing = ({name: 0.97 if name == team else 0.01 for name in TASK.names} for team in ("it", "billing"))
    by_heart, honest = {WORDS: it, VECTORS: it}, {WORDS: billing, VECTORS: billing}
    corrections = FakeCorrections(("vpn is down", "my vpn"))
    voices = FakeVoices(by_heart, unheard={text_key("vpn is down"): honest})
    predictor = FakePredictor()
    predictor.rules["routing-1"] = lambda _: "it"
    assert await asked(corrections, predictor, voices=voices) == 1
    assert corrections.settled == [("routing-1", [0, 1], [1])]


async def test_a_silent_model_lets_nothing_go() -> None:
    predictor = FakePredictor()
    predictor.failure = Unreachable("model server: timed out")
    corrections = FakeCorrections(("vpn is down",))
    assert await asked(corrections, predictor) == 0
    assert corrections.settled == []


async def test_where_no_adapter_serves_there_is_nothing_to_let_go_of() -> None:
    corrections = FakeCorrections(("vpn is down",))
    assert await asked(corrections, FakePredictor(), served=False) == 0
    assert corrections.settled == []


async def test_a_cycle_ends_with_letting_go_for_whoever_serves_then() -> None:
    school, corrections = School(), FakeCorrections(("my tunnel 9 it",))
    await school.has_champion()
    learner = replace(school.learner, let_go=LetGo(corrections))
    await school.registry.request_cycle("routing", "test", "key", NOW)
    assert await learner.step() == 1
    serving = await school.registry.champion("routing", "starter")
    assert serving is not None
    assert corrections.settled == [(serving.name, [0], [0])]
