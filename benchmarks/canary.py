"""How soon a worse canary is withdrawn, and how often one that is no worse is.

    python -m benchmarks.canary

Each simulated canary has a share of the requests while it is out; leads correct the champion's decisions at one rate
and the canary's at another. After every hundred requests the rule of `bot.domain.canary` is asked, which the product
asks every five minutes. *Ever* is the share of canaries withdrawn before the last request.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.machine import machine
from bot.domain.automatic_rollback import Corrections
from bot.domain.canary import Record, worse

SEED = 20_261_128
TRIALS, REQUESTS, STEP = 400, 20_000, 100
CORRECTED = 0.08
"""The share of the champion's decisions that leads correct."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A canary, and how often it is corrected for each correction of the champion."""

    share: float
    times: float

    def withdrawn_after(self, rng: np.random.Generator) -> int | None:
        """How many decisions the canary made until it was withdrawn; None: it never was."""
        decided = rng.binomial(STEP, self.share, size=REQUESTS // STEP)
        mine = rng.binomial(decided, min(1.0, CORRECTED * self.times)).cumsum()
        others = rng.binomial(STEP - decided, CORRECTED).cumsum()
        served = decided.cumsum()
        for step in range(len(served)):
            beside = (step + 1) * STEP - int(served[step])
            seen = Record(Corrections(int(served[step]), int(mine[step])), Corrections(beside, int(others[step])))
            if worse(seen):
                return int(served[step])
        return None


def row(trial: Trial, rng: np.random.Generator) -> str:
    """Median and 90th percentile of the canary's decisions until its withdrawal, and the share that was ever
    withdrawn."""
    found = [trial.withdrawn_after(rng) for _ in range(TRIALS)]
    ordered = sorted(REQUESTS + 1 if one is None else one for one in found)
    shown = [f"{v:,}" if (v := ordered[int(TRIALS * share)]) <= REQUESTS else "–" for share in (0.5, 0.9)]
    ever = sum(one is not None for one in found) / TRIALS
    return f"| {trial.share:.0%} | {trial.times:g} | {shown[0]} | {shown[1]} | {ever:.1%} |"


def main() -> None:
    rng = np.random.default_rng(SEED)
    print(f"{machine()}; seed {SEED}, {TRIALS} canaries a row, {REQUESTS:,} requests each, {CORRECTED:.0%} corrected\n")
    print("| share | corrected so many times as often | median | 90 % | ever |\n|---|---|---|---|---|")
    for share in (0.05, 0.1, 0.25):
        for times in (1.0, 1.25, 1.5, 2.0, 3.0):
            print(row(Trial(share, times), rng), flush=True)


if __name__ == "__main__":
    main()
