"""A model in a thread of this process, loaded on first use."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bot.domain import model_ports
from bot.domain.model_ports import Vector
from inference.prompt import readable

Rows: TypeAlias = npt.NDArray[np.float32]
Encode: TypeAlias = Callable[[Sequence[str]], Rows]
"""Maps texts, none of them empty, to rows of length 1."""
BATCH = 32
"""Texts embedded in one go; other callers get their turn between two goes."""
WORDS = 128
"""The most words of a text that are embedded: MiniLM reads 256 pieces and drops the rest, even if the point is
there."""
NOTHING = "."
"""What is embedded for a text without characters: models divide by the number of a text's pieces."""


class ThreadedEmbedder:
    """Embeds in a thread while the event loop continues."""

    def __init__(self, name: str, load: Callable[[], Encode]) -> None:
        """`load` may take seconds; it raises UsageError if the model cannot be had."""
        self._name = name
        self._load = load
        self._encode: Encode | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embed")

    @property
    def name(self) -> str:
        return self._name

    async def warm(self) -> None:
        """Load the model now, so that the first message does not wait. Raises UsageError when that fails."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._loaded)

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """See `model_ports.Embedder`. Long texts are cut: the head and the tail stay, as in a prompt."""
        loop = asyncio.get_running_loop()
        vectors: list[Vector] = []
        for start in range(0, len(texts), BATCH):
            part = [readable(text, WORDS) or NOTHING for text in texts[start : start + BATCH]]
            vectors += await loop.run_in_executor(self._thread, self._rows, part)
        return vectors

    async def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _rows(self, texts: Sequence[str]) -> list[Vector]:
        rows: list[Vector] = self._loaded()(texts).tolist()
        return rows

    def _loaded(self) -> Encode:
        if self._encode is None:
            self._encode = self._load()
        return self._encode


_: type[model_ports.OpenEmbedder] = ThreadedEmbedder
