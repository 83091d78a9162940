"""The gate: does the candidate prove better than the champion, or at least no worse with a reason to change?"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.domain.languages import FLOOR, by_language, too_few
from bot.domain.learning import Score, Source, Verdict

SIGNIFICANCE = 0.05
MIN_DISCORDANT = 5
"""Under five discordant pairs the exact test cannot fall below .05, whatever they are: 1 / 2**4 = .0625."""
MAX_NET_LOSS_SMALL, MAX_NET_LOSS_LARGE, LARGE = 0.04, 0.02, 1_000
"""What the bound may be. Two equally good models that disagree on 3.5 % of the examples, as ours were seen to, have one
of 1.5 points at n = 400 and of 1.0 at 1,000. The 4 points were chosen on the runs that they judged."""
MAX_LABEL_DROP, LABEL_FLOOR = 0.05, FLOOR
"""Share that one team may lose, and how many of its examples it takes to say so: of fewer, one is over 2 points.
A language may lose as much, and needs as many (`languages.FLOOR`)."""
MAX_ECE = 0.03
"""After its temperature was fitted a model was off by .007 on average (.109 before); a small set needs more room."""
MIN_HELD_OUT = 30
"""Held-out examples under which no figure means anything and nothing is promoted over a champion: one is 3 points."""
_Z95 = 1.645
"""The one-sided 95 % quantile of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Champion and candidate on the same examples: how often only one of them was right."""

    n: int
    gained: int
    lost: int

    @property
    def p_value(self) -> float:
        """Exact one-sided McNemar: chance of at least `gained` of the discordant pairs if both were equally good.

        McNemar 1947, "Note on the sampling error of the difference between correlated proportions".
        """
        discordant = self.gained + self.lost
        tail = sum(math.comb(discordant, k) for k in range(self.gained, discordant + 1))
        return float(tail / 2**discordant)

    @property
    def worst_net_loss(self) -> float:
        """One-sided 95 % upper bound of (lost - gained) / n: the Wald bound on a difference of paired proportions.

        Its standard error is sqrt(lost + gained - (lost - gained)**2 / n) / n (Agresti, "Categorical Data Analysis",
        10.1.1). With hardly any discordant pairs it is too narrow, which `MIN_HELD_OUT` and the exact test make up for.
        """
        net = self.lost - self.gained
        spread = math.sqrt(max(self.lost + self.gained - net**2 / self.n, 0.0))
        return (net + _Z95 * spread) / self.n


def paired(champion: Sequence[Score], candidate: Sequence[Score]) -> Paired:
    """Compare two systems on the same examples, in the same order. Raises ValueError when they differ."""
    pairs = list(zip(champion, candidate, strict=True))
    if any(old.text_key != new.text_key for old, new in pairs):
        raise ValueError("champion and candidate were scored on different examples")
    gained = sum(new.right and not old.right for old, new in pairs)
    lost = sum(old.right and not new.right for old, new in pairs)
    return Paired(len(pairs), gained, lost)


def judge(champion: Sequence[Score] | None, candidate: Sequence[Score], new_labels: Sequence[str] = ()) -> Verdict:
    """The verdict on a candidate. `champion` is None when nothing serves yet; `new_labels` it cannot know."""
    figures = {
        "n": float(len(candidate)),
        "candidate_accuracy": accuracy(candidate),
        "candidate_ece": ece(candidate),
    }
    figures |= _language_figures("candidate", candidate)
    verdict = _first(candidate, figures) if champion is None else _against(champion, candidate, new_labels, figures)
    thin = too_few(candidate)
    return replace(verdict, reasons=(*verdict.reasons, thin)) if thin else verdict


def _against(
    champion: Sequence[Score], candidate: Sequence[Score], new_labels: Sequence[str], figures: dict[str, float]
) -> Verdict:
    figures |= {"champion_accuracy": accuracy(champion), "champion_ece": ece(champion)}
    figures |= _language_figures("champion", champion)
    if len(candidate) < MIN_HELD_OUT:
        return Verdict(False, (f"only {len(candidate)} held-out examples; {MIN_HELD_OUT} are needed to tell",), figures)
    result = paired(champion, candidate)
    figures |= {"gained": float(result.gained), "lost": float(result.lost), "p_value": result.p_value}
    objections = _objections(champion, candidate, result)
    if objections:
        return Verdict(False, tuple(objections), figures)
    grounds = _grounds(result, new_labels)
    if not grounds:
        return Verdict(False, (_not_proven(result),), figures)
    return Verdict(True, tuple(grounds), figures)


def _first(candidate: Sequence[Score], figures: Mapping[str, float]) -> Verdict:
    """Nothing serves yet: anything better than always naming the commonest label is an improvement."""
    commonest = max((sum(s.truth == t for s in candidate) for t in {s.truth for s in candidate}), default=0)
    baseline = commonest / len(candidate) if candidate else 0.0
    if candidate and accuracy(candidate) > baseline:
        return Verdict(True, (f"first model: {accuracy(candidate):.1%} right, {baseline:.1%} by guessing",), figures)
    return Verdict(False, (f"first model is no better than guessing ({baseline:.1%})",), figures)


def _grounds(result: Paired, new_labels: Sequence[str]) -> list[str]:
    reasons = []
    if result.gained + result.lost >= MIN_DISCORDANT and result.p_value < SIGNIFICANCE:
        reasons.append(f"{result.gained} mistakes mended, {result.lost} made, of {result.n} (p = {result.p_value:.3f})")
    if new_labels and result.lost <= result.gained:
        reasons.append(f"knows {', '.join(new_labels)}, which the champion does not, and loses nothing")
    return reasons


def _not_proven(result: Paired) -> str:
    return (
        f"not proven better: {result.gained} mistakes mended, {result.lost} made, of {result.n} "
        f"(p = {result.p_value:.2f}; under {SIGNIFICANCE} and {MIN_DISCORDANT} differences needed)"
    )


def _objections(champion: Sequence[Score], candidate: Sequence[Score], result: Paired) -> list[str]:
    found = []
    allowed = MAX_NET_LOSS_LARGE if result.n >= LARGE else MAX_NET_LOSS_SMALL
    if result.worst_net_loss > allowed:
        found.append(f"could lose up to {result.worst_net_loss:.1%} overall; {allowed:.0%} allowed")
    found += _falls(champion, candidate, lambda score: score.truth)
    found += _falls(champion, candidate, lambda score: score.language and f"the language {score.language}")
    if ece(candidate) > max(MAX_ECE, ece(champion)):
        found.append(f"its probabilities are off by {ece(candidate):.3f} on average; {MAX_ECE} allowed")
    repeated = [s for s in candidate if s.source is Source.CORRECTION and not s.right]
    were_right = {s.text_key for s in champion if s.source is Source.CORRECTION and s.right}
    again = sum(s.text_key in were_right for s in repeated)
    if again:
        found.append(f"repeats {again} mistakes that leads had corrected")
    return found


def _falls(champion: Sequence[Score], candidate: Sequence[Score], of: Callable[[Score], str | None]) -> Iterator[str]:
    """Every group of the scores, where it is large enough, of which the candidate loses too much; None: of no group."""
    rows: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for old, new in zip(champion, candidate, strict=True):
        if (group := of(old)) is not None:
            rows[group].append((old.right, new.right))
    for group, pairs in rows.items():
        n, before, after = len(pairs), sum(old for old, _ in pairs), sum(new for _, new in pairs)
        if n >= LABEL_FLOOR and before - after > MAX_LABEL_DROP * n:  # in messages: 1.00 - 0.95 is more than 0.05
            yield f"{group} falls from {before / n:.1%} to {after / n:.1%}"


def _language_figures(who: str, scores: Sequence[Score]) -> dict[str, float]:
    """How many messages there are of each language, and how many of these are answered right."""
    rows = by_language(scores).items()
    return {f"n_{language}": float(len(of)) for language, of in rows} | {
        f"{who}_accuracy_{language}": accuracy(of) for language, of in rows
    }


def accuracy(scores: Sequence[Score]) -> float:
    """Share of right answers; 0 for no scores."""
    return sum(score.right for score in scores) / len(scores) if scores else 0.0


def macro_f1(scores: Sequence[Score]) -> float:
    """Mean over the labels that occur as truth of the harmonic mean of precision and recall."""
    values = []
    for label in sorted({score.truth for score in scores}):
        hit = sum(s.truth == label == s.answer for s in scores)
        claimed = sum(s.answer == label for s in scores)
        actual = sum(s.truth == label for s in scores)
        values.append(2 * hit / (claimed + actual))
    return sum(values) / len(values) if values else 0.0


def ece(scores: Sequence[Score], bins: int = 15) -> float:
    """Expected calibration error, equal-width bins over the answer's probability (Guo et al. 2017)."""
    rows: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for score in scores:
        confidence = score.probabilities.get(score.answer, 0.0)
        rows[min(int(confidence * bins), bins - 1)].append((confidence, score.right))
    gaps = (abs(sum(c for c, _ in row) - sum(r for _, r in row)) for row in rows.values())
    return sum(gaps) / len(scores) if scores else 0.0


def coverage_at(scores: Sequence[Score], wanted: float = 0.95) -> float:
    """The largest share of messages that can be answered, surest first, with at least `wanted` of them right."""
    ordered = sorted(scores, key=lambda s: -s.probabilities.get(s.answer, 0.0))
    covered, right = 0, 0
    for position, score in enumerate(ordered, start=1):
        right += score.right
        if right / position >= wanted:
            covered = position
    return covered / len(scores) if scores else 0.0
