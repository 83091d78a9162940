"""Fitted voices on disk: arrays in one .npz, names and digest in one .json written last. No pickle, hence no code."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.domain.asking import Record
from inference.voices.linear import Floats, Linear
from inference.voices.vectors import VectorsModel
from inference.voices.words import Vocabulary, WordsModel

FORMAT = 2
"""Grows when an older file can no longer be read."""
_ARRAYS, _NAMES = "voices.npz", "voices.json"


@dataclass(frozen=True, slots=True)
class Unseen:
    """What each voice says of the rows it was fitted on, each row out of a fold that had not learned from it."""

    keys: tuple[str, ...]
    """Content hashes of the rows' texts."""
    labels: tuple[str, ...]
    said: Mapping[str, Floats]
    """Voice -> rows × labels, log-probabilities."""


@dataclass(frozen=True, slots=True)
class Voices:
    """What was fitted on one set of examples."""

    fitted_on: str
    """Which examples, as `examples_digest` has it."""
    words: WordsModel | None
    vectors: VectorsModel | None
    embedder: str
    """Whose vectors the second one reads."""
    without_adapter: Mapping[str, float]
    """Weights of the voices where no adapter speaks, fitted on what each had not learned from."""
    unseen: Unseen
    """By which the weights beside an adapter are fitted."""
    proved: Record | None = None
    """How often they were right together without the adapter; None: an older version wrote the file."""


class Unusable(Exception):
    """The file is missing, half written, of another version or changed since: the voices are fitted again."""


def save(folder: Path, voices: Voices) -> None:
    """Write the voices; whoever reads meanwhile finds the old ones or the new ones."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Floats] = {}
    names: dict[str, object] = {
        "format": FORMAT,
        "fitted_on": voices.fitted_on,
        "embedder": voices.embedder,
        "without_adapter": dict(voices.without_adapter),
        "proved": None if voices.proved is None else voices.proved.rows,
    }
    names["unseen"] = {"keys": voices.unseen.keys, "labels": voices.unseen.labels}
    arrays |= {f"unseen.{voice}": rows.astype(np.float16) for voice, rows in voices.unseen.said.items()}
    if voices.words is not None:
        names["words"] = {"features": voices.words.words.features, "letters": voices.words.letters.features}
        names["words"] |= _put(arrays, "words", voices.words.linear)  # type: ignore[operator]
        arrays["words.rarity"], arrays["letters.rarity"] = voices.words.words.rarity, voices.words.letters.rarity
    if voices.vectors is not None:
        names["vectors"] = _put(arrays, "vectors", voices.vectors.every)
        arrays["vectors.together"] = np.asarray(voices.vectors.temperature, dtype=np.float32)
        if voices.vectors.own is not None:
            names["vectors.own"] = _put(arrays, "vectors.own", voices.vectors.own)
    beside = folder / f"{_ARRAYS}.new"
    with beside.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # its stub takes keywords for flags
        file.flush()
        os.fsync(file.fileno())
    names["sha256"] = _sha256(beside)
    beside.replace(folder / _ARRAYS)
    written = folder / f"{_NAMES}.new"
    written.write_text(json.dumps(names, ensure_ascii=False), "utf-8")
    written.replace(folder / _NAMES)


def load(folder: Path) -> Voices:
    """The voices as they were saved. Raises Unusable, saying why."""
    try:
        names = json.loads((folder / _NAMES).read_text("utf-8"))
        if names["format"] != FORMAT:
            raise Unusable("written by another version")
        if names["sha256"] != _sha256(folder / _ARRAYS):
            raise Unusable("the file is not the one that was written")
        with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
            return Voices(
                names["fitted_on"],
                _words(names.get("words"), arrays),
                _vectors(names, arrays),
                names["embedder"],
                names["without_adapter"],
                _unseen(names["unseen"], arrays),
                Record.read(names.get("proved")),
            )
    except FileNotFoundError as error:
        raise Unusable("not fitted yet") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unusable(f"cannot be read ({type(error).__name__})") from error


def _put(arrays: dict[str, Floats], voice: str, linear: Linear) -> dict[str, object]:
    arrays[f"{voice}.weights"], arrays[f"{voice}.offsets"] = linear.weights.astype(np.float16), linear.offsets
    arrays[f"{voice}.temperature"] = np.asarray(linear.temperature, dtype=np.float32)
    return {"labels": linear.labels}


def _words(names: Mapping[str, list[str]] | None, arrays: Mapping[str, Floats]) -> WordsModel | None:
    linear = _linear(names, arrays, "words")
    if names is None or linear is None:
        return None
    words, letters = tuple(names["features"]), tuple(names["letters"])
    return WordsModel(Vocabulary(words, arrays["words.rarity"]), Vocabulary(letters, arrays["letters.rarity"]), linear)


def _vectors(names: Mapping[str, Mapping[str, list[str]]], arrays: Mapping[str, Floats]) -> VectorsModel | None:
    every = _linear(names.get("vectors"), arrays, "vectors")
    if every is None:
        return None
    own = _linear(names.get("vectors.own"), arrays, "vectors.own")
    return VectorsModel(every, own, float(arrays["vectors.together"]))


def _linear(names: Mapping[str, list[str]] | None, arrays: Mapping[str, Floats], voice: str) -> Linear | None:
    if names is None:
        return None
    labels = tuple(names["labels"])
    weights, offsets = arrays[f"{voice}.weights"].astype(np.float32), arrays[f"{voice}.offsets"]
    if weights.shape[0] != len(labels):
        raise Unusable("its labels and its weights do not match")
    return Linear(labels, weights, offsets, float(arrays[f"{voice}.temperature"]))


def _unseen(names: Mapping[str, list[str]], arrays: Mapping[str, Floats]) -> Unseen:
    said = {
        name.removeprefix("unseen."): arrays[name].astype(np.float32) for name in arrays if name.startswith("unseen.")
    }
    return Unseen(tuple(names["keys"]), tuple(names["labels"]), said)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
