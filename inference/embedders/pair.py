"""MiniLM and USE together: English is compared with English by both, everything else by USE, which crosses languages.

A text's vector is MiniLM's, zeros if the text is not in English, followed by USE's; `domain.embedders` defines how two
of them are compared. A text whose language is mistaken loses little: English without MiniLM's part is compared by USE,
and where both parts count, USE has a weight of three tenths.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from bot.domain import model_ports
from bot.domain.embedders import MINILM_WIDTH, PAIR
from bot.domain.model_ports import OpenEmbedder, Vector
from inference.embedders.minilm import minilm
from inference.embedders.threaded import BATCH
from inference.embedders.use_multilingual import use_multilingual
from inference.languages import language_of

_UNREAD = [0.0] * MINILM_WIDTH
_likeliest = partial(language_of, least_lead=0.0)
"""The likeliest language, however close the next: a short English text is better read as English than not at all."""


class PairEmbedder:
    """Two encoders, each in a thread of its own; MiniLM encodes only the English texts."""

    def __init__(
        self,
        english: OpenEmbedder | None = None,
        every: OpenEmbedder | None = None,
        language: Callable[[str], str | None] = _likeliest,
    ) -> None:
        self._english = english or minilm()
        self._every = every or use_multilingual()
        self._language = language

    @property
    def name(self) -> str:
        return PAIR

    async def warm(self) -> None:
        """Load both models and the language detector. Raises UsageError when a model cannot be loaded."""
        await asyncio.gather(self._every.warm(), self._english.warm(), asyncio.to_thread(self._language, PAIR))

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """See `model_ports.Embedder`."""
        vectors: list[Vector] = []
        for start in range(0, len(texts), BATCH):
            vectors += await self._both(texts[start : start + BATCH])
        return vectors

    async def close(self) -> None:
        """End both encoders' threads."""
        await asyncio.gather(self._every.close(), self._english.close())

    async def _both(self, texts: Sequence[str]) -> list[Vector]:
        (read, own), every = await asyncio.gather(self._own(texts), self._every.embed(texts))
        left = iter(own)
        return [[*(next(left) if is_english else _UNREAD), *row] for is_english, row in zip(read, every, strict=True)]

    async def _own(self, texts: Sequence[str]) -> tuple[list[bool], Sequence[Vector]]:
        """(which are in English, the vectors of these), while the other encoder reads them all already."""
        read = await asyncio.to_thread(lambda: [self._language(text) == "en" for text in texts])
        english = [text for text, is_english in zip(texts, read, strict=True) if is_english]
        return read, await self._english.embed(english)


_: type[model_ports.OpenEmbedder] = PairEmbedder
