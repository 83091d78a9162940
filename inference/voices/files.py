"""Fitted voices on disk: arrays in one .npz; names and a digest in one .json, written last. No pickle, hence no
code."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import sklearn

from bot.domain.asking import Record
from inference.voices import VOICES
from inference.voices.voice import Array, FittedVoice, Floats, Stored, Voice

FORMAT = 4
"""Increased when an older file can no longer be read, or when the same examples would give another voice."""
_ARRAYS, _NAMES = "voices.npz", "voices.json"
_UNSEEN = "unseen"
"""A reserved name: no voice may have it."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """What each voice says of the rows it was fitted on, each row answered by a fold that had not learned from it."""

    keys: tuple[str, ...]
    """Content hashes of the rows' texts."""
    labels: tuple[str, ...]
    said: Mapping[str, Floats]
    """Voice -> rows × labels, log-probabilities."""


@dataclass(frozen=True, slots=True)
class Voices:
    """The voices fitted on one set of examples."""

    fitted_on: str
    """The digest of these examples, as `examples_digest` computes it."""
    embedder: str
    """The embedder whose vectors they read."""
    fitted: Mapping[str, FittedVoice]
    """By name; a voice that found nothing to learn from is missing."""
    without_adapter: Mapping[str, float]
    """The voices' weights where no adapter answers, fitted on rows that each voice had not learned from."""
    counts: Mapping[str, int]
    """Label -> how many examples it had."""
    unseen: Unseen
    """The rows on which the weights beside an adapter are fitted."""
    proved: Record | None = None
    """How often the voices together were right without the adapter; None: an older version wrote the file."""
    languages: Mapping[str, float] = field(default_factory=dict)
    """Language -> its share of the examples whose language was recognised."""


class Unusable(Exception):
    """The file is missing, half written, from another version or changed since: the voices must be fitted again."""


def save(folder: Path, voices: Voices) -> None:
    """Write the voices; a reader meanwhile finds the old ones or the new ones."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = {name: fitted.stored() for name, fitted in voices.fitted.items()}
    arrays = {f"{name}/{part}": array for name, kept in stored.items() for part, array in kept.arrays.items()}
    arrays |= {f"{_UNSEEN}/{name}": rows.astype(np.float16) for name, rows in voices.unseen.said.items()}
    beside = folder / f"{_ARRAYS}.new"
    with beside.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # its stub takes keywords for flags
        file.flush()
        os.fsync(file.fileno())
    names = {
        "format": FORMAT,
        "scikit-learn": sklearn.__version__,
        "fitted_on": voices.fitted_on,
        "embedder": voices.embedder,
        "without_adapter": dict(voices.without_adapter),
        "proved": None if voices.proved is None else voices.proved.rows,
        "counts": dict(voices.counts),
        "languages": dict(voices.languages),
        _UNSEEN: {"keys": voices.unseen.keys, "labels": voices.unseen.labels},
        "voices": {name: dict(kept.names) for name, kept in stored.items()},
        "sha256": _sha256(beside),
    }
    beside.replace(folder / _ARRAYS)
    written = folder / f"{_NAMES}.new"
    written.write_text(json.dumps(names, ensure_ascii=False), "utf-8")
    written.replace(folder / _NAMES)


def load(folder: Path, kinds: Sequence[Voice] = VOICES) -> Voices:
    """The voices as they were saved. Raises Unusable, which says why."""
    try:
        names = json.loads((folder / _NAMES).read_text("utf-8"))
        if names["format"] != FORMAT:
            raise Unusable("written by another version")
        if names["scikit-learn"] != sklearn.__version__:
            raise Unusable("fitted with another version of scikit-learn")
        if names["sha256"] != _sha256(folder / _ARRAYS):
            raise Unusable("the file is not the one that was written")
        with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
            stored = {name: Stored(_of(arrays, name), lists) for name, lists in names["voices"].items()}
            said = {name: np.asarray(rows, dtype=np.float32) for name, rows in _of(arrays, _UNSEEN).items()}
            return Voices(
                names["fitted_on"],
                names["embedder"],
                {kind.name: kind.restored(stored[kind.name]) for kind in kinds if kind.name in stored},
                names["without_adapter"],
                names["counts"],
                Unseen(tuple(names[_UNSEEN]["keys"]), tuple(names[_UNSEEN]["labels"]), said),
                Record.read(names.get("proved")),
                {str(code): float(share) for code, share in names["languages"].items()},
            )
    except FileNotFoundError as error:
        raise Unusable("not fitted yet") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unusable(f"cannot be read ({type(error).__name__})") from error


def _of(arrays: Mapping[str, Array], voice: str) -> dict[str, Array]:
    """The arrays of one voice, without the voice's prefix in their names."""
    parts = (name for name in arrays if name.startswith(f"{voice}/"))
    return {name.partition("/")[2]: arrays[name] for name in parts}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
