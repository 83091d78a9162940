"""How decisions by the voices together, without the adapter, turn out on rows that none of them had learned from."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import softmax

from bot.domain.asking import Record, record
from inference.languages import language_of
from inference.voices.voice import Floats

_TOLD = 3_000
"""The most texts whose language is looked at."""


def proved(
    said: Mapping[str, Floats],
    weights: Mapping[str, float],
    names: Sequence[str],
    truth: Sequence[int],
    languages: Sequence[str | None],
) -> Record:
    """The record of the pool (`said`: rows × names, log-probabilities; `truth`: the names' positions; `languages`: the
    rows' own)."""
    voices = [voice for voice in said if weights.get(voice, 0.0) > 0]
    if not voices:
        return Record()
    mixed = softmax(np.sum([weights[voice] * said[voice] for voice in voices], axis=0), axis=1)
    pooled = (dict(zip(names, row, strict=True)) for row in mixed.tolist())
    return record(pooled, [names[at] for at in truth], languages)


def shares(languages: Sequence[str | None]) -> dict[str, float]:
    """Language -> its share of the texts whose language was recognised."""
    told = Counter(code for code in languages if code is not None)
    return {code: round(count / told.total(), 4) for code, count in told.items()}


def languages_of(texts: Sequence[str]) -> list[str | None]:
    """The language of about `_TOLD` texts, evenly spread, or of all if fewer; None for the rest. Each takes half a
    millisecond, and so many are enough to compare a language with."""
    every = max(1, -(-len(texts) // _TOLD))
    return [language_of(text) if at % every == 0 else None for at, text in enumerate(texts)]
