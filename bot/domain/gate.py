"""The gate: is the candidate proven better than what serves, or no worse where there is a reason to change?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain import alpha_spending
from bot.domain.label_floor import falls
from bot.domain.languages import by_language, too_few
from bot.domain.learning import Score, Source, Verdict
from bot.domain.paired_tests import USUAL_DISCORDANCE, Paired, at_least, needed, paired
from bot.domain.plural import counted
from bot.domain.score_metrics import accuracy, ece, ece_apart_by_chance, ece_by_chance

BETTER_ERROR = 0.05
"""Chance in any year that a candidate serves as "better" though it is only as good as the champion. Chosen so that of
candidates that are 2 points worse one serves in under 1 % of years, however few messages there are and though the two
differ on 40 % of them; .1 held that only up to 20 % (`benchmarks/gate_simulation.py`, "exactly")."""
NO_WORSE_ERROR, MARGIN = 0.01, 0.02
"""Chance in any year that a candidate serves as "no worse" though it is worse by 2 points or more."""
FIRST_ERROR = 0.05
"""The same chance for a first adapter, by the score test. It replaces no trained adapter, and beside the other voices
it is as loud as it has proved to be, so it differs on few messages; by the rule above, an adapter that is half a point
better would serve one company in a hundred (`benchmarks/gate_simulation.py`)."""
WORTH = 0.02
"""The gain that the missing messages are counted for: smaller gains take thousands."""
MAX_ECE = 0.03
"""With a fitted temperature a model was off by .007 on average (.109 before). A small set needs more room: what chance
explains is allowed, too (.064 with 32 messages, where nothing at all was wrong)."""
MAX_MORE_ECE = 0.02
"""How much more a candidate may be off than the champion if chance explains it: without a limit several candidates in
turn could each be a little worse."""
MIN_HELD_OUT = 30
"""With fewer held-out examples no figure means anything and nothing is promoted: one example is 3 points."""
MAX_MORE_UNASKED = 0.05
"""How many more points of the texts that belong to nobody the candidate may answer unasked, if there are
`MIN_UNASKED_TEXTS` of them; and never more than chance explains, however many there are."""
MIN_UNASKED_TEXTS, UNASKED_ERROR = 50, 0.05


@dataclass(frozen=True, slots=True)
class Unasked:
    """For each text that belongs to no team: whether it was answered without asking, by champion and candidate."""

    champion: Sequence[bool]
    candidate: Sequence[bool]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The other facts that a verdict rests on."""

    new_labels: Sequence[str] = ()
    """Labels that the candidate was trained for and the champion was not: a reason to change if it is no worse."""
    first: bool = False
    """Whether no adapter serves yet: a reason to change to one that is no worse."""
    look: int = 1
    """The number of this look at held-out messages, within a year."""
    unasked: Unasked | None = None
    """None: no texts that belong to nobody are known."""
    objections: Sequence[str] = ()
    """What was found wrong before the comparison."""


def judge(champion: Sequence[Score], candidate: Sequence[Score], about: Circumstances = Circumstances()) -> Verdict:
    """The verdict on a candidate. `champion` is what serves now, which has no adapter before the first."""
    figures = {
        "n": float(len(candidate)),
        "candidate_accuracy": accuracy(candidate),
        "candidate_ece": ece(candidate),
        "champion_accuracy": accuracy(champion),
        "champion_ece": ece(champion),
    }
    figures |= _language_figures("candidate", candidate) | _language_figures("champion", champion)
    verdict = _compared(champion, candidate, about, figures)
    thin = too_few(candidate)
    return replace(verdict, reasons=(*verdict.reasons, thin)) if thin else verdict


def _compared(
    champion: Sequence[Score], candidate: Sequence[Score], about: Circumstances, figures: dict[str, float]
) -> Verdict:
    result = paired(champion, candidate)
    if about.objections:
        return Verdict(False, tuple(about.objections), figures)
    if result.n < MIN_HELD_OUT:
        return Verdict(False, (_too_little(result, about.look),), figures)
    figures |= {"gained": float(result.gained), "lost": float(result.lost), "p_value": result.p_value}
    figures |= {"look": float(about.look), "alpha": BETTER_ERROR * alpha_spending.share(about.look)}
    found = [*_objections(champion, candidate), *_unasked_more(about.unasked)]
    if found:
        return Verdict(False, tuple(found), figures)
    grounds = _grounds(result, about)
    return Verdict(True, grounds, figures) if grounds else Verdict(False, _not_proven(result, about), figures)


def _grounds(result: Paired, about: Circumstances) -> tuple[str, ...]:
    share, reasons = alpha_spending.share(about.look), []
    if result.p_value < BETTER_ERROR * share:
        reasons.append(f"{_changed(result)} (p = {result.p_value:.2g})")
    if about.new_labels and result.no_worse_p_value(MARGIN) <= NO_WORSE_ERROR * share:
        reasons.append(
            f"knows {', '.join(about.new_labels)}, which the champion does not, and loses under {MARGIN:.0%} overall"
        )
    if about.first and result.usually_no_worse_p_value(MARGIN) <= FIRST_ERROR * share:
        reasons.append(f"the first: {_changed(result)}: no {MARGIN:.0%} worse")
    return tuple(reasons)


def _not_proven(result: Paired, about: Circumstances) -> tuple[str, ...]:
    share = alpha_spending.share(about.look)
    alpha = BETTER_ERROR * share
    reasons = [
        f"not proven better: {_changed(result)} "
        f"(p = {result.p_value:.2g}; under {alpha:.2g} needed at look {about.look} within a year)"
    ]
    if about.first or about.new_labels:
        usually, surely = result.usually_worst_net_loss, result.worst_net_loss
        worst = usually(FIRST_ERROR * share) if about.first else surely(NO_WORSE_ERROR * share)
        reasons.append(f"nor proven no worse: it could lose up to {worst:.1%} overall; less than {MARGIN:.0%} allowed")
    missing = _missing(result, alpha)
    if missing > 0:
        reasons.append(
            f"to tell a gain of {WORTH:.0%} takes about {result.n + missing} held-out messages: {missing} more"
        )
    return tuple(reasons)


def _changed(result: Paired) -> str:
    return f"{counted(result.gained, 'mistake')} mended, {result.lost} made, of {result.n}"


def _too_little(result: Paired, look: int) -> str:
    missing = _missing(Paired(result.n, 0, 0), BETTER_ERROR * alpha_spending.share(look))
    return (
        f"only {counted(result.n, 'held-out message')}; {MIN_HELD_OUT} are the least, and to tell a gain of "
        f"{WORTH:.0%} takes about {result.n + missing}: {missing} more"
    )


def _missing(result: Paired, alpha: float) -> int:
    """How many more held-out messages would show a gain that is worth it; 0 if there are enough."""
    seen = (result.gained + result.lost) / result.n if result.n else 0.0
    return max(needed(WORTH, max(seen, USUAL_DISCORDANCE), alpha) - result.n, 0)


def _objections(champion: Sequence[Score], candidate: Sequence[Score]) -> list[str]:
    found = list(falls(champion, candidate))
    allowed = _allowed_ece(champion, candidate)
    if ece(candidate) > allowed:
        found.append(f"its probabilities are off by {ece(candidate):.3f} on average; {round(allowed, 3)} allowed")
    repeated = [s for s in candidate if s.source is Source.CORRECTION and not s.right]
    were_right = {s.text_key for s in champion if s.source is Source.CORRECTION and s.right}
    again = sum(s.text_key in were_right for s in repeated)
    if again:
        found.append(f"repeats {counted(again, 'mistake')} that leads had corrected")
    return found


def _allowed_ece(champion: Sequence[Score], candidate: Sequence[Score]) -> float:
    """How far off its probabilities may be: as far as the champion's, and what chance explains."""
    allowed = max(MAX_ECE, ece(champion), ece_by_chance(candidate))
    if ece(candidate) <= allowed:
        return allowed
    return max(allowed, ece(champion) + min(MAX_MORE_ECE, ece_apart_by_chance(champion, candidate)))


def _unasked_more(texts: Unasked | None) -> list[str]:
    """A reason, if texts that belong to nobody are answered unasked more often than before and than chance explains."""
    if texts is None or not texts.candidate:
        return []
    pairs = list(zip(texts.champion, texts.candidate, strict=True))
    more, fewer = sum(new and not old for old, new in pairs), sum(old and not new for old, new in pairs)
    n = len(pairs)
    large = n >= MIN_UNASKED_TEXTS and more - fewer > MAX_MORE_UNASKED * n
    if not large and at_least(more, more + fewer, 0.5) >= UNASKED_ERROR:
        return []
    before, after = sum(texts.champion), sum(texts.candidate)
    return [f"of {n} messages that belong to no team it answers {after} without asking, the champion {before}"]


def _language_figures(who: str, scores: Sequence[Score]) -> dict[str, float]:
    """The number of messages in each language, and of right answers among them."""
    rows = by_language(scores).items()
    return {f"n_{language}": float(len(of)) for language, of in rows} | {
        f"{who}_accuracy_{language}": accuracy(of) for language, of in rows
    }
