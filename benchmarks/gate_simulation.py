"""How often the gate promotes what is truly worse, equal or better: simulated gates, and years of nightly looks.

    python -m benchmarks.gate_simulation
    python -m benchmarks.gate_simulation --plot docs/gate_power.svg

A candidate differs from the champion on a share of all messages; it mends some of these and breaks others, so that it
is truly so many points better or worse. Each simulated gate draws how many of its held-out messages are mended and
broken. *Nightly* draws another candidate each night for a year, all of them that much worse, and counts whether any is
promoted. The comparison is computed on counts (`promotes`); a test checks that `bot.domain.gate.judge` decides the same
on the same counts. The floors, calibration and out-of-scope texts can only refuse more. `--whole` also draws six teams
of unequal size and asks `judge` itself about every message, to show what the floors cost.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom  # type: ignore[attr-defined]

from benchmarks.machine import machine
from bot.domain.alpha_spending import share
from bot.domain.gate import BETTER_ERROR, FIRST_ERROR, MARGIN, NO_WORSE_ERROR, judge
from bot.domain.learning import Score, Source
from bot.domain.paired_tests import Paired

SEED = 20_261_128
GATES = YEARS = 1_000
NIGHTS = 365
SIZES = (50, 100, 200, 400, 1_000, 2_000, 5_000)
POINTS = (-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5)
DISCORDANCE = (0.035, 0.08)
"""Shares of messages on which two models differ: the observed one (`paired_tests.USUAL_DISCORDANCE`), and twice
that."""
WIDE = (0.05, 0.15, 0.2, 0.3, 0.4, 0.5)
TEAMS = (0.35, 0.25, 0.2, 0.1, 0.07, 0.03)

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Truth:
    """What would be measured of a candidate on endless messages."""

    points: float
    """How many points better it is; negative: worse."""
    discordance: float

    @property
    def shares(self) -> tuple[float, float, float]:
        """(mended, broken, neither): they differ on the given share, or on more if the points need it."""
        gain = self.points / 100
        differs = max(self.discordance, abs(gain) + 0.005)
        return (differs + gain) / 2, (differs - gain) / 2, 1 - differs


def promotes(
    n: int, gained: Counts, lost: Counts, looks: Counts, new_label: bool, first: bool = False
) -> NDArray[np.bool_]:
    """Whether each of these comparisons promotes, as `judge` decides if there is no objection."""
    kinds, where = np.unique(np.stack([gained, lost]), axis=1, return_inverse=True)
    results = [Paired(n, int(mended), int(broken)) for mended, broken in kinds.T]
    better = np.array([one.p_value for one in results])[where]
    shares = np.array([share(look) for look in range(1, int(looks.max()) + 1)])[looks - 1]
    promoted: NDArray[np.bool_] = better < BETTER_ERROR * shares
    if new_label:
        no_worse = np.array([one.no_worse_p_value(MARGIN) for one in results])[where]
        promoted |= no_worse <= NO_WORSE_ERROR * shares
    if first:
        usually = np.array([one.usually_no_worse_p_value(MARGIN) for one in results])[where]
        promoted |= usually <= FIRST_ERROR * shares
    return promoted


def nightly(n: int, truth: Truth, new_label: bool, rng: np.random.Generator, first: bool = False) -> float:
    """The share of years in which any of 365 such candidates is promoted."""
    drawn = rng.multinomial(n, truth.shares, size=YEARS * NIGHTS)
    looks = np.tile(np.arange(1, NIGHTS + 1), YEARS)
    promoted = promotes(n, drawn[:, 0], drawn[:, 1], looks, new_label, first)
    return float(promoted.reshape(YEARS, NIGHTS).any(axis=1).mean())


def exactly(n: int, truth: Truth) -> float:
    """The same computed exactly, for promotions as better: every outcome of a night, weighted by its probability."""
    mended, broken, _ = truth.shares
    differ = mended + broken
    limits = BETTER_ERROR * np.array([share(look) for look in range(1, NIGHTS + 1)])
    nights = np.zeros(NIGHTS)
    for discordant in range(n + 1):
        gained = np.arange(discordant + 1)
        ways = binom.pmf(discordant, n, differ) * binom.pmf(gained, discordant, mended / differ)
        values = binom.sf(gained - 1, discordant, 0.5)
        rising = np.concatenate([[0.0], np.cumsum(ways[::-1])])  # the more are mended, the smaller the p-value
        nights += rising[np.searchsorted(values[::-1], limits, side="left")]
    return float(1 - np.prod(1 - nights))


def power(n: int, truth: Truth, look: int, new_label: bool, rng: np.random.Generator, first: bool = False) -> float:
    """The share of gates, each the `look`-th of its year, that promote such a candidate."""
    drawn = rng.multinomial(n, truth.shares, size=GATES)
    return float(promotes(n, drawn[:, 0], drawn[:, 1], np.full(GATES, look), new_label, first).mean())


def whole(n: int, truth: Truth, rng: np.random.Generator) -> float:
    """The same for first looks, by `judge` itself on single messages: with the floors of six teams."""
    mended, broken, _ = truth.shares
    teams = rng.choice(len(TEAMS), size=n, p=TEAMS)
    promoted = 0
    for _gate in range(GATES):
        kind = rng.random(n)
        before = [scored(i, int(team), not one < mended) for i, (team, one) in enumerate(zip(teams, kind, strict=True))]
        after = [
            scored(i, int(team), not mended <= one < mended + broken)
            for i, (team, one) in enumerate(zip(teams, kind, strict=True))
        ]
        promoted += judge(before, after).promoted
    return promoted / GATES


def scored(key: int, team: int, right: bool) -> Score:
    """A message of a team; wrong answers are never sure, so that calibration has no objection."""
    answer = f"team {team}" if right else "another"
    return Score(f"{key}", Source.IMPORT, f"team {team}", answer, {answer: float(right)})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--plot", type=Path, help="where to write the power curve, as SVG")
    parser.add_argument("--whole", action="store_true", help="ask the gate itself, message by message, too: minutes")
    asked = parser.parse_args()
    rng = np.random.default_rng(SEED)
    print(f"{machine()}; seed {SEED}, {GATES} gates or years a cell\n")
    for new_label in (False, True):
        tell_years(new_label, rng)
    rows = [
        [f"{n}", *(f"{exactly(n, Truth(-2, differ)):.4f}" for differ in WIDE)]
        for n in (30, 50, 75, 100, 200, 400, 1_000)
    ]
    print("2 points worse, any promotion in a year, exactly, by the share on which they differ\n")
    print(f"| held-out messages | {' | '.join(f'{differ:.0%}' for differ in WIDE)} |\n{'|---' * (len(WIDE) + 1)}|")
    print("\n".join(f"| {' | '.join(row)} |" for row in rows), "\n", flush=True)
    for look in (1, 12, NIGHTS):
        tell_power(look, rng)
    tell_first(rng)
    if asked.whole:
        rows = [[f"{n}", *(f"{whole(n, Truth(p, DISCORDANCE[0]), rng):.3f}" for p in POINTS)] for n in (200, 400)]
        table("first look, the whole gate with six teams", POINTS, rows)
    if asked.plot:
        draw(asked.plot, rng)


def tell_years(new_label: bool, rng: np.random.Generator) -> None:
    points = (-5, -4, -3, -2, -1, 0)
    rows = [
        [f"{n} · {share_:.1%} differ", *(f"{nightly(n, Truth(p, share_), new_label, rng):.4f}" for p in points)]
        for n in SIZES
        for share_ in DISCORDANCE
    ]
    table(f"any promotion in a year of nightly looks{', with a new label' if new_label else ''}", points, rows)


def tell_power(look: int, rng: np.random.Generator) -> None:
    rows = [
        [f"{n} · {share_:.1%} differ", *(f"{power(n, Truth(p, share_), look, False, rng):.3f}" for p in POINTS)]
        for n in SIZES
        for share_ in DISCORDANCE
    ]
    table(f"promoted as better at look {look} of the year", POINTS, rows)


def tell_first(rng: np.random.Generator) -> None:
    """Print for first adapters how often a worse one serves in a year of looks, and what the first look promotes."""
    points = (-3, -2, -1, 0, 1, 2)

    def ever(n: int, truth: Truth) -> float:
        return nightly(n, truth, False, rng, first=True)

    def at_once(n: int, truth: Truth) -> float:
        return power(n, truth, 1, False, rng, first=True)

    for title, of in (("any promotion in a year of nightly looks", ever), ("promoted at the first look", at_once)):
        rows = [
            [f"{n} · {differ:.1%} differ", *(f"{of(n, Truth(p, differ)):.3f}" for p in points)]
            for n in SIZES
            for differ in DISCORDANCE
        ]
        table(f"a first adapter: {title}", points, rows)


def table(title: str, points: Sequence[int], rows: Sequence[Sequence[str]]) -> None:
    print(f"{title}\n\n| held-out messages | {' | '.join(f'{p:+d}' for p in points)} |")
    print("|---" * (len(points) + 1) + "|")
    print("\n".join(f"| {' | '.join(row)} |" for row in rows), "\n", flush=True)


WIDTH, HEIGHT, EDGE = 640, 360, 50
COLOURS = ("#999999", "#56b4e9", "#0072b2", "#009e73", "#e69f00", "#d55e00", "#cc79a7")
"""Okabe and Ito's colours, which people with any colour vision can tell apart."""


def draw(file: Path, rng: np.random.Generator) -> None:
    """Draw the power curve of the first look as SVG, one line for each size."""
    low, high = POINTS[0] / 2, POINTS[-1]
    fine = [low + quarter / 4 for quarter in range(round(4 * (high - low)) + 1)]

    def at(points: float, promoted: float) -> str:
        across = EDGE + (points - low) / (high - low) * (WIDTH - 2 * EDGE)
        return f"{across:.1f},{HEIGHT - EDGE - promoted * (HEIGHT - 2 * EDGE):.1f}"

    parts = [f'<polyline points="{at(low, 1)} {at(low, 0)} {at(high, 0)}" fill="none" stroke="black"/>']
    parts += [written(at(p, -0.07), f"{p:+d}") for p in range(-2, 6)]
    parts += [written(at(low - 0.4, tenth / 10), f"{tenth * 10}%") for tenth in range(0, 11, 2)]
    parts.append(written(at(0.8, -0.14), "points that the candidate is truly better"))
    for row, (n, colour) in enumerate(zip(SIZES, COLOURS, strict=True)):
        line = " ".join(at(p, power(n, Truth(p, DISCORDANCE[0]), 1, False, rng)) for p in fine)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(written(at(low + 0.2, 0.95 - row * 0.07), f"{n} held-out messages", colour))
    about = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12"'
    file.write_text(f'<svg {about}><rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n', "utf-8")


def written(at: str, text: str, colour: str = "black") -> str:
    across, down = at.split(",")
    return f'<text x="{across}" y="{down}" fill="{colour}">{text}</text>'


if __name__ == "__main__":
    main()
