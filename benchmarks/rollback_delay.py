"""How soon a worse champion goes back by itself, and how often one that is not worse does.

    python -m benchmarks.rollback_delay

Each simulated champion replaces one with a history; leads correct a share of the mistakes of both. After every 20
decisions the rule of `bot.domain.automatic_rollback` is asked, which the product asks every five minutes. A decision
counts a day after it was made, so that day comes on top of a delay given in messages. *False alarms*: champions
withdrawn though they are no worse, with a new one every month for a year; per year.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.machine import machine
from bot.domain.automatic_rollback import Corrections, too_often

SEED = 20_261_128
CHAMPIONS, YEARS, MONTHS = 400, 200, 12
STEP = 20
LONGEST = 20_000
"""The number of decisions after which a champion that still serves counts as staying for good."""
MISTAKES = 0.08
"""The share of mistakes of the champion before."""


@dataclass(frozen=True, slots=True)
class World:
    """What leads see of a champion."""

    corrected: float
    """The share of mistakes that they correct."""
    history: int
    """The number of decisions of the champion before."""

    def before(self, rng: np.random.Generator) -> Corrections:
        return Corrections(self.history, int(rng.binomial(self.history, MISTAKES * self.corrected)))


def withdrawn_after(world: World, worse: float, longest: int, rng: np.random.Generator) -> int | None:
    """Decisions until the champion went back; None: it stayed."""
    before = world.before(rng)
    corrected = rng.binomial(STEP, (MISTAKES + worse) * world.corrected, size=longest // STEP).cumsum()
    for step, so_far in enumerate(corrected, start=1):
        if too_often(before, Corrections(step * STEP, int(so_far))):
            return step * STEP
    return None


def delays(world: World, worse: float, rng: np.random.Generator) -> list[str]:
    """Median and 90th percentile of the decisions until a champion goes back, and the share that ever does."""
    found = [withdrawn_after(world, worse, LONGEST, rng) for _ in range(CHAMPIONS)]
    ordered = sorted(LONGEST + 1 if one is None else one for one in found)
    quantiles = [ordered[int(CHAMPIONS * share)] for share in (0.5, 0.9)]
    shown = [f"{value:,}" if value <= LONGEST else "–" for value in quantiles]
    return [*shown, f"{sum(one is not None for one in found) / CHAMPIONS:.1%}"]


def alarms(world: World, a_month: int, rng: np.random.Generator) -> float:
    """How many champions a year are withdrawn though they are no worse."""
    found = [withdrawn_after(world, 0.0, a_month, rng) for _ in range(YEARS * MONTHS)]
    return sum(one is not None for one in found) / YEARS


def main() -> None:
    rng = np.random.default_rng(SEED)
    print(f"{machine()}; seed {SEED}, {CHAMPIONS} champions and {YEARS} years a cell\n")
    print("| leads correct · history | worse by | median | 90 % | ever |\n|---|---|---|---|---|")
    for world in worlds():
        for worse in (0.02, 0.05, 0.1, 0.3):
            tell([named(world), f"{worse:.0%}", *delays(world, worse, rng)])
    print("\n| leads correct · history | false alarms a year, 1,000 decisions a month | 6,000 |\n|---|---|---|")
    for world in worlds():
        tell([named(world), *(f"{alarms(world, a_month, rng):.2f}" for a_month in (1_000, 6_000))])


def worlds() -> list[World]:
    return [World(share, history) for share in (1.0, 0.3) for history in (300, 1_000, 5_000)]


def named(world: World) -> str:
    return f"{world.corrected:.0%} of mistakes · {world.history:,} decisions"


def tell(cells: Sequence[str]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
