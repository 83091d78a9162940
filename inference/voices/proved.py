"""What came of deciding by the voices together, without the adapter, on rows that none of them had learned from."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import softmax

from bot.domain.asking import Record, record
from inference.voices.voice import Floats


def proved(
    said: Mapping[str, Floats], weights: Mapping[str, float], names: Sequence[str], truth: Sequence[int]
) -> Record:
    """The record of the pool (`said`: rows × names, log-probabilities; `truth`: the names' positions)."""
    voices = [voice for voice in said if weights.get(voice, 0.0) > 0]
    if not voices:
        return Record()
    mixed = softmax(np.sum([weights[voice] * said[voice] for voice in voices], axis=0), axis=1)
    return record((dict(zip(names, row, strict=True)) for row in mixed.tolist()), [names[at] for at in truth])
