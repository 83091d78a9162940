"""Which embedder the settings mean; nothing is loaded to find out."""

import pytest

from bot.domain.embedders import MINILM, PAIR, USE, Likeness, known_of
from inference.embedders.choose import open_embedder


@pytest.mark.parametrize(
    ("setting", "languages", "name"),
    [
        ("bundled", ["en"], MINILM),
        ("bundled", ["en-GB"], MINILM),
        ("bundled", ["en", "pt-BR", "es"], PAIR),
        ("bundled", ["es"], PAIR),
        (MINILM, ["es"], MINILM),
        (USE, ["en"], USE),
        (PAIR, ["en"], PAIR),
        ("sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", ["es"], None),
        ("/models/of/ours", ["en"], None),
    ],
)
async def test_it_is_chosen_by_name_or_by_the_languages(setting: str, languages: list[str], name: str | None) -> None:
    embedder = open_embedder(setting, languages)
    assert embedder.name == (name or setting)
    await embedder.close()


async def test_a_server_is_named_before_its_address() -> None:
    embedder = open_embedder("tiny@http://embed.test", ["en"])
    assert embedder.name == "tiny"
    await embedder.close()


def test_a_strangers_vectors_have_one_part_and_an_id_goes_by_its_last() -> None:
    assert known_of("a/stranger").likeness == Likeness()
    assert known_of(f"mirror/{MINILM}") == known_of(MINILM)
    assert known_of(PAIR).likeness.own == 384
