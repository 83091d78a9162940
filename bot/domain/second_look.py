"""A second look at corrections, a day later: which of them does everything learned since make unlikely? Pure.

When a correction is made the guards (`guards.py`) have only what lies near it to go by. Later there is more: other
corrections, files, and voices that were fitted without the very text. A correction is taken for one of three things:
right (the text is the named team's), a slip (it is some third team's), or a push (it was where it belonged, and was
moved). How often each lead does which is unknown and is estimated along with it by expectation-maximisation: Dawid and
Skene 1979, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm", with the fitted voices in
place of the other observers. A lead who pushes again and again is therefore believed less, and one who does not is
believed even against a sure mistake of the voices: corrections are made where the bot was wrong, so voices that agree
with it say less against them than their probabilities sound.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from bot.domain.mixture import LEAST
from bot.domain.model_ports import Vector

PATIENCE = timedelta(days=1)
"""A correction works at once, and for so long whatever the voices say: a mistake of theirs is why it was made."""
MOST = 5_000
"""The newest corrections are looked at, and of a year at most."""
LEAST_EXAMPLES = 20
"""A team with fewer is not judged: voices that hardly know a new team take every text of it for another's."""
HELD_BELOW, FREED_FROM = 0.7, 0.85
"""Probabilities of being right. Between them a correction stays what it is, so that none goes to and fro. The first is
above one half because a wrong correction that teaches does more harm than a right one that waits does without."""
_Kinds: TypeAlias = tuple[float, float, float]
"""A figure each of a right correction, a slip and a push."""
_USUAL: _Kinds = (0.898, 0.10, 0.002)
"""Shares of right ones, slips and pushes among the corrections of a lead of whom nothing is known."""
_WORTH = 200.0
"""How many corrections the usual shares are worth beside a lead's own (a Dirichlet prior). With few, a lead whose right
corrections the voices contradict seems to push, and more and more of theirs is held back. Of the corrections of four
simulated years with slips, looked at again and again until nothing changed, 71 of 114 wrong ones and 28 of 449 right
ones were held back; with 50 and a limit of 0.5 it was 55 and 46. For that the first look at a month of a malicious
lead's pushes finds 43 and 33 % of them instead of 61 and 50; what it starts ends at 82 and 88 % two months later, and
84 and 89. By a script that looked again at what these years' looks had seen; it is not in `benchmarks/`."""
_ROUNDS = 25
_SUREST = 0.95
"""The voices' share of right decisions counts up to here: of few examples they may seem never to be wrong."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """A correction that one lead alone made, long enough ago."""

    example: int
    lead: str
    before: str | None
    """The team it was moved from."""
    label: str
    key: str
    """Of its text, as `learning.text_key` has it."""
    text: str
    held: bool = False
    """It is held back because others contradict it."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Examples whose standing changes."""

    hold: tuple[int, ...] = ()
    free: tuple[int, ...] = ()


class SecondLooks(Protocol):
    """The corrections that may be looked at again."""

    async def rulings(self, task: str, now: datetime) -> list[Ruling]:
        """Those of one lead alone, older than `PATIENCE`, newest first; none where no second lead is about."""

    async def vectors(self, embedder: str, examples: Sequence[int]) -> Mapping[int, Vector]:
        """Example -> its vector by this embedder, of those that have one."""

    async def settle(self, task: str, verdicts: Verdicts, now: datetime) -> int:
        """Hold back and free; how many changed. Those that changed otherwise meanwhile stay as they are."""


def verdicts(
    rulings: Sequence[Ruling], likely: Mapping[int, Mapping[str, float]], voices_right: float = 0.5
) -> Verdicts:
    """Who is held back and who is freed. `likely`: example -> what the voices say of it, not having learned from it;
    `voices_right`: the share of texts that they tell rightly so."""
    known = [one for one in rulings if likely.get(one.example)]
    right = dict(zip((one.example for one in known), rightness(known, likely, voices_right), strict=True))
    return Verdicts(
        tuple(one.example for one in known if not one.held and right[one.example] < HELD_BELOW),
        tuple(one.example for one in known if one.held and right[one.example] >= FREED_FROM),
    )


def rightness(
    rulings: Sequence[Ruling], likely: Mapping[int, Mapping[str, float]], voices_right: float = 0.5
) -> list[float]:
    """How likely each is right, in order. What one lead does says nothing about another."""
    share = min(max(voices_right, 0.5), _SUREST)
    odds = math.sqrt(share / (1.0 - share))
    of_lead: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(rulings):
        of_lead[one.lead].append(place)
    right = [0.0] * len(rulings)
    for places in of_lead.values():
        evidence = [_evidence(rulings[place], likely[rulings[place].example], odds) for place in places]
        for place, found in zip(places, _of_one_lead(evidence), strict=True):
            right[place] = found
    return right


def _of_one_lead(evidence: Sequence[_Kinds]) -> list[float]:
    """Each is weighed by the shares of the lead's other corrections, a lone one by the usual shares: a correction of a
    sure mistake of the voices does not speak against its own lead."""
    belongs = [_weighed(row, _USUAL) for row in evidence]
    for _ in range(_ROUNDS):
        sums = [sum(kind) for kind in zip(*belongs, strict=True)]
        belongs = [
            _weighed(row, _shares(sums, own, len(evidence) - 1)) for row, own in zip(evidence, belongs, strict=True)
        ]
    return [right for right, _, _ in belongs]


def _evidence(ruling: Ruling, likely: Mapping[str, float], odds: float) -> _Kinds:
    """How likely such a correction is if it is right, a slip, or a push, up to one factor for all three.

    A right correction and a slip presuppose that the bot was wrong, a push that it was right. If these voices had made
    the decision, the first two would by Bayes' theorem be as many times likelier than their probabilities alone have it
    as a decision is oftener right than wrong; if they had nothing to do with it, not at all. Since the decision the
    voices have learned more, so `odds` is the geometric mean of both.

    Right: the text is the named team's, and the bot chose one of the other teams by mistake. A push: the text is that
    of the team that the bot chose, and the lead named one of the others. Both times one of the other teams is as good
    as any, so that factor is left out. A slip: it is some third team's, and the lead named one that is wrong as well.
    """
    own, labels = likely.get(ruling.label, 0.0), len(likely)
    moved = ruling.before is not None and ruling.before != ruling.label
    there = likely.get(ruling.before or "", 0.0) if moved else 0.0
    third = max(1.0 - own - there, 0.0)
    return odds * max(own, LEAST), odds * third / max(labels - 2, 1), there


def _weighed(evidence: _Kinds, shares: _Kinds) -> _Kinds:
    right, slip, push = (share * row for share, row in zip(shares, evidence, strict=True))
    total = right + slip + push
    return right / total, slip / total, push / total


def _shares(sums: Sequence[float], own: _Kinds, others: int) -> _Kinds:
    """The shares among the other corrections, whose sums are these less its own."""
    right, slip, push = (
        (whole - mine + _WORTH * usual) / (others + _WORTH)
        for whole, mine, usual in zip(sums, own, _USUAL, strict=True)
    )
    return right, slip, push
