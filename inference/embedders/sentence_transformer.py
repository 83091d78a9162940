"""Any sentence-transformers model, by its Hugging Face id or folder."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from bot.domain.embedders import COME_ALONG, USE
from bot.domain.errors import UsageError
from inference.embedders.threaded import BATCH, Encode, Rows, ThreadedEmbedder
from inference.local_models import need_torch


def sentence_transformer(model: str) -> ThreadedEmbedder:
    """The embedder of `model`, a Hugging Face id or a folder; its model is loaded on first use."""
    return ThreadedEmbedder(model, partial(_load, model))


def _load(model: str) -> Encode:
    need_torch(f"model.embedder: {model!r}", f', or write embedder = "{USE}"')
    import torch  # here, because it takes seconds and hundreds of megabytes
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(1)  # more would only take processors from the model server
    try:
        loaded = SentenceTransformer(model, device="cpu")
    except (OSError, ValueError) as error:
        along = ", ".join(COME_ALONG)
        raise UsageError(
            f"model.embedder: {model!r} is none of those that come along ({along}), and cannot be loaded: {error}"
        ) from error

    def encode(texts: Sequence[str]) -> Rows:
        rows = loaded.encode(list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(rows, dtype=np.float32)

    return encode
