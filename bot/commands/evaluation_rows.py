"""Writes the file of `evaluate --rows`: a line for each text, with the decision and what every voice said; no text."""

import json
import math
from collections.abc import Sequence
from itertools import chain, repeat
from pathlib import Path

from bot.domain.decisions import Decision, Heard
from bot.domain.learning import text_key
from bot.files import writing
from bot.flow.score import Answered

_DIGITS = 6


def write_rows(
    path: Path, answered: Sequence[Answered], without_model: Sequence[Answered], latencies: Sequence[float]
) -> None:
    """Write a JSON object a line, in the order of the judged file.

    `without_model` are the same texts, answered without the model; `latencies` are the milliseconds that the first
    texts took, asked one by one.
    """
    times = chain(latencies, repeat(None))
    with writing(path) as out:
        for one, other, ms in zip(answered, without_model, times, strict=False):
            out.write(json.dumps(_row(one, other, ms)) + "\n")


def _row(one: Answered, without_model: Answered, ms: float | None) -> dict[str, object]:
    made = one.decision
    return {
        "text_key": text_key(one.example.text),
        "truth": one.example.label,
        **_decided(made),
        "truth_probability": _rounded(made.probabilities.get(one.example.label, 0.0)),
        "entropy": _rounded(entropy(list(made.probabilities.values()))),
        "nearest": None if one.nearest is None else _rounded(one.nearest),
        "voices": [_heard(voice) for voice in made.voices],
        "without_model": _decided(without_model.decision),
        "ms": None if ms is None else round(ms, 2),
    }


def _decided(made: Decision) -> dict[str, object]:
    return {
        "label": made.label,
        "confidence": _rounded(made.confidence),
        "by": made.by.value,
        "reason": made.reason.value,
        "would_ask": list(made.candidates),
    }


def _heard(voice: Heard) -> dict[str, object]:
    return {
        "voice": voice.voice,
        "label": voice.label,
        "probability": _rounded(voice.probability),
        "weight": _rounded(voice.weight),
    }


def entropy(probabilities: Sequence[float]) -> float:
    """Shannon's entropy, in nats; 0 where there is no distribution."""
    return -sum(p * math.log(p) for p in probabilities if p > 0) + 0.0


def _rounded(value: float) -> float:
    return round(value, _DIGITS)
