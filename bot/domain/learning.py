"""How corrections become a better model: examples, sides, the training set, the judge."""

import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import numpy as np

from bot.domain.mixture import Mixture


class Source(StrEnum):
    """Where an example comes from, most trusted first."""

    CORRECTION = "correction"
    CONFIRMATION = "confirmation"
    TAP = "tap"
    IMPORT = "import"
    SETTINGS = "settings"
    """A label's meaning and examples, as the settings have them now."""
    SEED = "seed"
    """An example that comes with the demo company."""
    SIGNAL = "signal"
    """What somebody showed without saying it (`silent_signals`): used neither to judge nor to steer."""


class Side(StrEnum):
    """What an example is for. Fixed for life, so that nothing ever leaks from held-out into training."""

    TRAIN = "train"
    HELD_OUT = "held-out"


HELD_OUT_SHARE = 0.20
VALIDATION_SHARE, LEAST_VALIDATION = 0.10, 100
REHEARSED_SHARE, LEAST_REHEARSED = 1 / 3, 50
"""The share that a rehearsal is asked about, where no slice is left to steer by, and the fewest that mean anything."""
_LEAST, _IMPOSSIBLE = 1e-12, -math.inf


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled text with its provenance."""

    text: str
    label: str
    source: Source
    side: Side
    at: datetime
    conversation: int | None = None
    """The conversation it was said in; None when it came from a file."""
    origin: str = field(default="", compare=False)
    """The name of the file it came from; empty where it came from none, or the name was not kept."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A trained LoRA. Its name never changes meaning."""

    name: str
    task: str
    path: Path
    base: str
    codes: Mapping[str, str]
    """Label -> the one-token code it was trained to answer with."""
    temperature: float
    """Divides the logits so that probabilities mean what they say (fitted on validation data)."""
    made: datetime
    mixture: Mixture = field(default_factory=Mixture)
    """The weights of it and the voices beside it: they are judged, promoted and rolled back together."""
    digest: str | None = None
    """The digest of its files as they were judged; None: it came with the program, or is older than digests."""
    retires: datetime | None = None
    """When it stops serving, because somebody whose texts it learned from was forgotten; None: nobody was."""
    merged: Mapping[str, str] = field(default_factory=dict)
    """A label that it learned and that was merged since -> the label that has its requests now, which gets the
    probabilities of both."""
    on_trial: bool = field(default=False, compare=False)
    """Whether a candidate serves a share of the requests beside it (`canary.Canaries`); set for a champion alone."""


@dataclass(frozen=True, slots=True)
class Score:
    """One held-out example, as a whole system (model and memory) answered it."""

    text_key: str
    source: Source
    truth: str
    answer: str
    probabilities: Mapping[str, float]
    language: str | None = None
    """The language of the text, an ISO 639-1 code; None where it cannot be told."""

    @property
    def right(self) -> bool:
        return self.answer == self.truth


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the candidate serves, and every reason, in words for the leads."""

    promoted: bool
    reasons: tuple[str, ...]
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """The candidate, what it was judged against, and the verdict."""

    candidate: Adapter
    champion: Adapter | None
    """None: nothing served."""
    verdict: Verdict
    canary: float = 0.0
    """The share of the requests that it serves first if promoted; 0: all at once."""


class Outcome(StrEnum):
    """What happened to an adapter."""

    SERVES = "serves"
    REFUSED = "refused"
    ROLLED_BACK = "rolled back"
    CANARY = "canary"
    """It serves a share of the requests for now."""
    WITHDRAWN = "withdrawn"
    """As a canary it was corrected more often than the champion."""


@dataclass(frozen=True, slots=True)
class RegistryEvent:
    """The pointer moved, or the gate left it in place: by whom or what, why, and on which figures."""

    at: datetime
    adapter: str
    """The adapter that serves from then on; for a refusal, the one that does not."""
    what: Outcome
    by: str
    """`gate`, `rollback`, `command`, `starter`, or the lead who decided."""
    why: str
    asked_by: str | None = None
    """Who asked for the cycle that made it; None: no cycle of ours made it."""
    against: str | None = None
    """The champion that it was judged against; None: none served, or it was not judged."""
    figures: Mapping[str, float] = field(default_factory=dict)


class Phase(StrEnum):
    """Where a learning cycle is."""

    REQUESTED = "requested"
    TRAINING = "training"
    SCORING = "scoring"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Cycle:
    """One learning cycle, from request to verdict."""

    id: int
    task: str
    requested_by: str
    phase: Phase
    progress: float
    """0..1 within the phase."""
    adapter: str | None = None
    verdict: Verdict | None = None
    problem: str = ""
    """Why it failed; empty otherwise."""
    claim: str = ""
    """Identifies this claim: a later claim of the cycle voids it. Empty: the cycle was only read."""


Progress = Callable[[float, str], None]
"""Called with how far the work is (0..1) and what it is doing now."""


_TELLING = frozenset("_#%&@\u2024")
"""Characters that are punctuation to Unicode but tell messages apart: C# and C, 5% and 5."""
_BELOW_ZERO = re.compile(r"(?<!\w)[-\u2013](?=[$\u00a3\u00a5\u20a0-\u20c0]?\d)")
_DOT_NET = re.compile(r"(?<!\S)\.(?=\w)")
"""A dash before a number or an amount without a letter or figure before it, and a dot that begins a word: (-5 €) is
not (5 €), -$5 not $5, .NET not net; 10-20 stays 10 20."""
_UNSEEN = frozenset("\u00ad\u200b\u200c\u200e\u200f\u2060\ufeff`") | {chr(c) for c in range(0xFE00, 0xFE10)}
"""Hints for drawing the text: with and without them the same words are the same message."""


class _Telling(dict[int, str]):
    """Code point -> what a key keeps of it; computed once each, for there are many texts of few characters."""

    def __missing__(self, point: int) -> str:
        sign = chr(point)
        kind = unicodedata.category(sign)
        if sign in _UNSEEN or 0x202A <= point <= 0x202E or 0x2066 <= point <= 0x2069:
            kept = ""
        elif kind == "Cc" or (kind[0] in "PZ" and sign not in _TELLING):
            kept = " "
        else:
            kept = sign
        self[point] = kept
        return kept


_telling = _Telling()


def text_key(text: str) -> str:
    """Content hash: equal for texts that differ only in case, punctuation, white space and invisible characters.

    Whatever else distinguishes messages is kept, in any script: vowel signs, accents, emoji, the signs of C++ and C#.
    """
    storable = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    marked = _DOT_NET.sub("\u2024", _BELOW_ZERO.sub("\u2212", unicodedata.normalize("NFC", storable.lower())))
    words = marked.translate(_telling).split()
    return _hashed(" ".join(words) or storable.strip())


def side_key(text: str) -> str:
    """The content hash that sides are drawn by. It never changes, whatever `text_key` learns to distinguish.

    Coarser than `text_key`: texts that differ only in such signs are on one side, so that they cannot leak either.
    """
    return _hashed(" ".join(re.findall(r"\w+", text.lower()) or [text.strip()]))


def _hashed(normal: str) -> str:
    return hashlib.sha256(normal.encode("utf-8", "replace")).hexdigest()


def side_of(text: str) -> Side:
    """The side a text is on: decided by its content hash, hence stable for ever and on every machine."""
    drawn = int(side_key(text)[:8], 16) / 0xFFFFFFFF
    return Side.HELD_OUT if drawn < HELD_OUT_SHARE else Side.TRAIN


def _drawn(example: Example) -> tuple[str, str]:
    """The example's key in a random but fixed order."""
    return side_key(example.text), text_key(example.text)


def _said(example: Example) -> bool:
    """Whether anybody said what the label is: what was merely shown measures nothing."""
    return example.source is not Source.SIGNAL


def keep_apart(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """(to learn from, to steer by: when to stop, the temperature), both in the order of their content hash.

    The slice is drawn by other digits of the content hash than the side, so it is the same on every machine. Fewer than
    LEAST_VALIDATION would be noise: then everything is learned from and nothing steers.
    """
    ordered = sorted(examples, key=_drawn)
    apart = [e for e in ordered if _said(e) and int(side_key(e.text)[8:16], 16) / 0xFFFFFFFF < VALIDATION_SHARE]
    if len(apart) < LEAST_VALIDATION:
        return ordered, []
    steering = {side_key(e.text) for e in apart}
    return [e for e in ordered if side_key(e.text) not in steering], apart


def rehearsed(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """(to learn from in a rehearsal, to ask about then), in the order of their content hash; (all, none) if too few.

    Drawn by yet other digits of the hash, so that it is the same on every machine and independent of the other draws.
    """
    ordered = sorted(examples, key=_drawn)
    asked = [e for e in ordered if _said(e) and int(side_key(e.text)[16:24], 16) / 0xFFFFFFFF < REHEARSED_SHARE]
    if len(asked) < LEAST_REHEARSED:
        return ordered, []
    apart = {side_key(e.text) for e in asked}
    return [e for e in ordered if side_key(e.text) not in apart], asked


def settle(examples: Sequence[Example]) -> list[Example]:
    """One example a text: the most trusted source wins, then the latest. Order of the input does not matter."""
    rank = {source: position for position, source in enumerate(Source)}
    best: dict[str, Example] = {}
    for example in sorted(examples, key=lambda e: (-rank[e.source], e.at)):
        best[text_key(example.text)] = example
    return list(best.values())


FRESH = frozenset({Source.CORRECTION, Source.CONFIRMATION, Source.TAP})
"""The sources that are people's statements on single messages, not on a whole file."""


def replayed(examples: Sequence[Example], limit: int) -> list[Example]:
    """The training set: every correction and confirmation, and as much of the rest as fits in `limit`, class by class.

    Replay keeps the old teams: without it a LoRA trained on corrections alone forgets them (measured: .968 -> .22).
    """
    fresh = [e for e in examples if e.source in FRESH]
    rest = sorted((e for e in examples if e.source not in FRESH), key=_drawn)
    by_label: dict[str, list[Example]] = {}
    for example in rest:
        by_label.setdefault(example.label, []).append(example)
    room = max(0, limit - len(fresh))
    taken: list[Example] = []
    for turn in range(max((len(rows) for rows in by_label.values()), default=0)):
        taken += [rows[turn] for rows in by_label.values() if turn < len(rows)]
    return fresh + taken[:room]


def fit_temperature(scores: Sequence[tuple[Mapping[str, float], str]]) -> float:
    """The temperature in [0.25, 8] with the least negative log-likelihood of the truth (`decisions.calibrated`).

    Each score is (raw probabilities, true label). 1.0 when there is nothing to fit on.
    """
    from scipy.optimize import minimize_scalar  # half of what a command that fits nothing would load
    from scipy.special import logsumexp

    if not scores:
        return 1.0
    names = sorted({name for probabilities, _ in scores for name in probabilities})
    columns = {name: column for column, name in enumerate(names)}
    logits = np.full((len(scores), len(names)), -np.inf)
    truths = np.full(len(scores), _IMPOSSIBLE)
    for row, (probabilities, truth) in enumerate(scores):
        for name, probability in probabilities.items():
            logits[row, columns[name]] = math.log(max(probability, _LEAST))
        truths[row] = logits[row, columns[truth]] if truth in probabilities else _IMPOSSIBLE
    known = truths > _IMPOSSIBLE  # for a label that was not asked for, no temperature makes the truth likelier

    def loss(log_temperature: float) -> float:
        temperature = math.exp(log_temperature)
        likelihoods = truths[known] / temperature - logsumexp(logits[known] / temperature, axis=1)
        return -float(np.maximum(likelihoods, math.log(_LEAST)).sum())

    return math.exp(minimize_scalar(loss, bounds=(math.log(0.25), math.log(8.0)), method="bounded").x)  # type: ignore[no-untyped-call]


def label_counts(examples: Sequence[Example]) -> Counter[str]:
    """Label -> the number of its examples."""
    return Counter(example.label for example in examples)
