"""Two encoders beside each other: neither waits for what only the other needs."""

import threading
from collections.abc import Sequence

from bot.domain.embedders import MINILM, MINILM_WIDTH, USE
from bot.domain.model_ports import Vector
from inference.embedders.pair import PairEmbedder


class Remembered:
    """An encoder that notes what it is asked."""

    def __init__(self, name: str, width: int) -> None:
        self.name = name
        self.begun = threading.Event()
        self.asked: list[str] = []
        self._width = width

    async def warm(self) -> None:
        """Nothing is to be loaded."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        self.begun.set()
        self.asked += texts
        return [[float(len(text))] * self._width for text in texts]

    async def close(self) -> None:
        """Nothing is to be let go."""


async def test_the_encoder_that_reads_everything_does_not_wait_for_the_language() -> None:
    english, every = Remembered(MINILM, MINILM_WIDTH), Remembered(USE, 2)

    def told(text: str) -> str:
        assert every.begun.wait(60.0), "it reads already while the language is told"
        return "en" if text == "help" else "pt"

    rows = await PairEmbedder(english, every, told).embed(["help", "socorro"])

    assert (english.asked, every.asked) == (["help"], ["help", "socorro"])
    assert rows == [[4.0] * MINILM_WIDTH + [4.0] * 2, [0.0] * MINILM_WIDTH + [7.0] * 2]
