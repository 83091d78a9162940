"""A correction in one language moves the same question in another, with the real encoders and the real memory."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.domain.decisions import Opinion
from bot.domain.embedders import PAIR, known_of
from bot.domain.learning import Example, Side, Source
from bot.domain.memory_vote import memory_opinion
from db.engine import Database
from db.examples import PostgresExamples
from db.memory import PostgresMemory
from inference.embedders.pair import PairEmbedder
from tests.integration.db.scenes import TASK, after

ANCHORS = {
    "billing": ["I was charged twice", "when will I get my refund", "please send me last month's invoice"],
    "triage": ["I would like an interview", "who can help me", "I want to thank your team"],
}
CORRECTED = "my badge does not open the door of the building anymore"
SAME_ELSEWHERE = [
    "meu crachá não abre mais a porta do prédio",
    "mi tarjeta ya no abre la puerta del edificio",
    "mein Ausweis öffnet die Tür des Gebäudes nicht mehr",
    "my card no longer opens the door to the building",
]
OTHERS = ["fui cobrado duas vezes", "cuándo me devuelven el dinero", "I was billed two times"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair() -> AsyncIterator[PairEmbedder]:
    embedder = PairEmbedder()
    yield embedder
    await embedder.close()


@pytest.mark.parametrize("held", [False, True], ids=["in the table", "held in this process"])
async def test_an_english_correction_is_found_by_its_twins(pair: PairEmbedder, database: Database, held: bool) -> None:
    memory = PostgresMemory(database, PAIR)
    if held:
        await memory.load(TASK)
    known = [
        Example(text, label, Source.SEED, Side.TRAIN, after(0)) for label, texts in ANCHORS.items() for text in texts
    ]
    known.append(Example(CORRECTED, "access", Source.CORRECTION, Side.TRAIN, after(1)))
    await PostgresExamples(database).add_examples(TASK.name, known)
    waiting = await memory.unembedded(PAIR, 100)
    vectors = await pair.embed([text for _, text in waiting])
    await memory.remember(PAIR, dict(zip([one for one, _ in waiting], vectors, strict=True)))

    asked = [*SAME_ELSEWHERE, *OTHERS]
    found = await memory.nearest_many(TASK, await pair.embed(asked), asked)
    scale = known_of(PAIR).scale
    opinions = [memory_opinion(one, scale) for one in found]
    for opinion in opinions[: len(SAME_ELSEWHERE)]:
        assert opinion.probabilities == {"access": 1.0}
        assert opinion.weight > 10
    for opinion in opinions[len(SAME_ELSEWHERE) :]:
        assert opinion.weight < 0.1
        assert opinion.alone is not None
        assert _likeliest(opinion.alone) == "billing"


def _likeliest(opinion: Opinion) -> str:
    said = opinion.probabilities
    return max(said, key=lambda name: said[name])
