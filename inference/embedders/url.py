"""A server elsewhere that speaks OpenAI's /v1/embeddings."""

import math
from collections.abc import Sequence

import httpx

from bot.domain import model_ports
from bot.domain.errors import Unreachable
from bot.domain.model_ports import Vector
from inference.embedders.threaded import BATCH, WORDS
from inference.http import MALFORMED, accepted, send
from inference.prompt import readable


class UrlEmbedder:
    """A server that speaks OpenAI's /v1/embeddings."""

    def __init__(self, line: httpx.AsyncClient, model: str) -> None:
        """`line` leads to the server (see `http.open_line`) and is closed by this embedder."""
        self._line = line
        self._model = model

    @property
    def name(self) -> str:
        return self._model

    async def warm(self) -> None:
        """Do nothing: the server has its model loaded."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """See `model_ports.Embedder`. Raises Refused when the server does not know the model."""
        vectors: list[Vector] = []
        for start in range(0, len(texts), BATCH):
            vectors += await self._ask([readable(text, WORDS) or " " for text in texts[start : start + BATCH]])
        return vectors

    async def close(self) -> None:
        """Close the connection."""
        await self._line.aclose()

    async def _ask(self, texts: list[str]) -> list[Vector]:
        response = await send(self._line, "POST", "/v1/embeddings", {"model": self._model, "input": texts})
        rows = accepted(response, f"embedding with {self._model!r}")
        try:
            data = sorted(rows.json()["data"], key=lambda row: int(row["index"]))
            vectors = [_unit([float(value) for value in row["embedding"]]) for row in data]
        except MALFORMED as error:
            raise Unreachable("embeddings: answered nonsense") from error
        if len(vectors) != len(texts):
            raise Unreachable("embeddings: answered nonsense: too few vectors")
        return vectors


def _unit(vector: list[float]) -> Vector:
    length = math.hypot(*vector)
    if not (length and math.isfinite(length)):
        raise ValueError("no direction")
    return [value / length for value in vector]


_: type[model_ports.OpenEmbedder] = UrlEmbedder
