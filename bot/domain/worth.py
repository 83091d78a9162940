"""Whether fine-tuning is worth it, in one sentence that follows from the figures by the rule below. Pure.

1. Messages of one label alone tell nothing. Fewer than LEAST tell too little, whatever they show.
2. Without a fine-tuned model among the voices there is nothing to judge.
3. What serves must be proven better than always giving the commonest label. Where that is proven to lose less than
   AS_GOOD, nothing here is worth it; else there are too few messages to tell.
4. Words alone that are proven to lose less than AS_GOOD, and are not proven worse: stop.
5. The same voices without the model: proven better, stop; proven worse, worth it; proven to lose less than AS_GOOD,
   stop; else too few messages to tell.

"Proven better" takes the paired bootstrap's 95 % interval and the exact McNemar test both. Whatever the verdict, a
file of predictions, a prompted model or a cascade that is proven better than what serves is named after it; else the
best of the prompted models, and how far it is from what serves.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from bot.domain.comparison import MAJORITY, SERVED, WITHOUT, Difference, Figures
from bot.domain.mixture import ADAPTER, WORDS
from bot.domain.paired_tests import USUAL_DISCORDANCE, needed

LEAST = 100
"""With fewer messages nothing is decided: one of them is more than a point."""
AS_GOOD = 0.015
"""The share of the messages that something simpler may lose and still count as good as what serves."""
_ERROR = 0.025
_LEAST_SHOWN = 0.0001


class Ruling(StrEnum):
    """The result of the rule."""

    ONE_LABEL = "one_label"
    TOO_FEW = "too_few"
    NO_MODEL = "no_model"
    NOTHING = "nothing"
    """Always giving the commonest label is as good."""
    NOTHING_PROVEN = "nothing_proven"
    """Not even that is proven worse."""
    STOP_FOR_WORDS = "stop_for_words"
    STOP_BETTER_WITHOUT = "stop_better_without"
    STOP_AS_GOOD_WITHOUT = "stop_as_good_without"
    WORTH_IT = "worth_it"
    UNDECIDED = "undecided"


def verdict(
    rows: Mapping[str, Figures], n: int, truths: Collection[str], others: Collection[str] = (), currency: str = "USD"
) -> str:
    """The verdict in one sentence. `rows` by arm's name; `others` are the arms that were read from files."""
    return f"{_own(rows, n, truths, currency)}{_beaten(rows, n, others, currency)}."


def ruling(rows: Mapping[str, Figures], n: int, truths: Collection[str]) -> tuple[Ruling, Difference | None]:
    """The result of the rule, and the difference that it rests on; None: on none."""
    if len(truths) < 2:
        return Ruling.ONE_LABEL, None
    if n < LEAST:
        return Ruling.TOO_FEW, rows[WITHOUT].difference if WITHOUT in rows and ADAPTER in rows else None
    if ADAPTER not in rows or WITHOUT not in rows:
        return Ruling.NO_MODEL, None
    common = rows[MAJORITY].difference if MAJORITY in rows else None
    if common is not None and not common.worse:
        proven = common.better or common.no_worse(AS_GOOD)
        return Ruling.NOTHING if proven else Ruling.NOTHING_PROVEN, common
    words = rows[WORDS].difference if WORDS in rows else None
    if words is not None and words.no_worse(AS_GOOD):
        return Ruling.STOP_FOR_WORDS, words
    return _the_model(rows[WITHOUT].difference)


def _the_model(without: Difference | None) -> tuple[Ruling, Difference]:
    """The ruling by the same voices without the model."""
    if without is None:
        raise ValueError("the voices without the model were not compared")
    if without.better:
        return Ruling.STOP_BETTER_WITHOUT, without
    if without.worse:
        return Ruling.WORTH_IT, without
    return Ruling.STOP_AS_GOOD_WITHOUT if without.no_worse(AS_GOOD) else Ruling.UNDECIDED, without


def _own(rows: Mapping[str, Figures], n: int, truths: Collection[str], currency: str) -> str:
    ruled, found = ruling(rows, n, truths)
    if ruled is Ruling.TOO_FEW:
        return _too_few_at_all(rows, n)
    if found is None:
        if ruled is Ruling.NO_MODEL:
            return "There is no fine-tuned model to judge: none takes part in the decisions"
        have = "the only message has" if n == 1 else f"all {n} messages have"
        return f"Nothing to tell: {have} one label, and whoever always answers with it is right"
    return _by_difference(ruled, found, rows, currency)


def _by_difference(ruled: Ruling, found: Difference, rows: Mapping[str, Figures], currency: str) -> str:
    gain, loss = points(found), points(found, -1)
    without = "Stop fine-tuning: the same voices without the Llama are"
    match ruled:
        case Ruling.NOTHING:
            return f"Nothing here is worth it: always giving the commonest label is as good ({gain})"
        case Ruling.NOTHING_PROVEN:
            few = f"Too few messages to tell: even the commonest label is not proven worse ({gain})"
            return f"{few}; {_wanted(found)}"
        case Ruling.STOP_FOR_WORDS:
            return f"Stop fine-tuning: the words alone are as good ({gain}){_costs(rows, WORDS, currency)}"
        case Ruling.STOP_BETTER_WITHOUT:
            return f"{without} better by {gain}"
        case Ruling.STOP_AS_GOOD_WITHOUT:
            return f"{without} as good ({gain}){_costs(rows, WITHOUT, currency)}"
        case Ruling.WORTH_IT:
            return f"Worth it: {loss} over the same voices without the Llama{_against(rows, currency)}"
        case _:
            return f"Too few messages to tell: the Llama brings {loss}; {_wanted(found)}"


def _too_few_at_all(rows: Mapping[str, Figures], n: int) -> str:
    without = rows[WITHOUT].difference if WITHOUT in rows and ADAPTER in rows else None
    seen = f"; on these the Llama brings {points(without, -1)}" if without is not None else ""
    right = rows[SERVED].accuracy
    # Wilson 1927: valid even where few messages, or all of them, are right
    z, share = 1.96, right
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    allowed = f"so few say that what serves is right {middle - half:.0%} to {middle + half:.0%} of the time"
    return f"Too few messages to tell: {n} of at least {LEAST}; {allowed}{seen}"


def _wanted(found: Difference) -> str:
    differ = (found.pairs.gained + found.pairs.lost) / found.pairs.n
    gain = max(abs(found.gain), AS_GOOD)
    many = max(found.pairs.n + 1, needed(gain, max(differ, USUAL_DISCORDANCE), _ERROR))
    return f"about {many:,} messages would show a difference of {gain * 100:.1f} points"


def _beaten(rows: Mapping[str, Figures], n: int, others: Collection[str], currency: str) -> str:
    """The best of the others that are proven better than what serves, on enough messages.

    The more of them there are, the likelier chance makes one look better: the exact test's error is shared among them.
    """
    compared = [(name, one) for name in others if (one := rows[name].difference) is not None and one.pairs.n >= LEAST]
    allowed = 0.05 / max(1, len(compared))
    proven = [(name, one) for name, one in compared if one.better and one.p_value <= allowed]
    found = [(one.gain, -(rows[name].per_1000 or 0.0), name) for name, one in proven]  # of equals the cheapest
    if n < LEAST or not found:
        return _prompted(rows, compared, currency) if n >= LEAST else ""
    name = max(found)[2]
    best = rows[name].difference
    price = rows[name].per_1000
    costs = "" if price is None else f" at {money(price, currency)} per 1,000"
    return f"; {name} would be better by {points(best)}{costs}" if best is not None else ""


def _prompted(rows: Mapping[str, Figures], compared: Sequence[tuple[str, Difference]], currency: str) -> str:
    """How far the best prompted model is from what serves, where none is proven better."""
    alone = [(one.gain, name) for name, one in compared if rows[name].tokens and rows[name].handed_on is None]
    if not alone:
        return ""
    name = max(alone)[1]
    one = dict(compared)[name]
    if one.worse:
        said = f"is worse by {points(one, -1).removeprefix('+')}"
    elif one.no_worse(AS_GOOD):
        said = f"is as good ({points(one)})"
    else:
        said = f"is proven neither better nor worse ({points(one)})"
    price, own = rows[name].per_1000, rows[SERVED].per_1000
    costs = "" if price is None or own is None else f", at {money(price, currency)} against {money(own, currency)}"
    return f"; {name}, the best of the prompted models, {said}{costs and costs + ' per 1,000'}"


def _costs(rows: Mapping[str, Figures], simple: str, currency: str) -> str:
    cheap, whole = rows[simple].per_1000, rows[SERVED].per_1000
    if cheap is None or whole is None:
        return ""
    if cheap <= whole:
        return " and cost nothing more"
    return f", at {money(cheap, currency)} against {money(whole, currency)} per 1,000"


def _against(rows: Mapping[str, Figures], currency: str) -> str:
    whole, cheap = rows[SERVED].per_1000, rows[WITHOUT].per_1000
    if whole is None or cheap is None:
        return ""
    return f", {money(whole, currency)} against {money(cheap, currency)} per 1,000"


def points(found: Difference, sign: int = 1) -> str:
    """Percentage points with the half width of their interval: +4.1 ± 1.2 points."""
    return f"{sign * found.gain * 100 + 0.0:+.1f} ± {found.margin * 100:.1f} points"


def money(amount: float, currency: str) -> str:
    """$0.0021, or 0.0021 EUR; an amount too small to be written so is not shown as nothing."""
    if 0 < amount < _LEAST_SHOWN:
        return f"under {money(_LEAST_SHOWN, currency)}"
    digits = 2 if amount >= 1 or amount == 0 else 4
    return f"${amount:.{digits}f}" if currency == "USD" else f"{amount:.{digits}f} {currency}"
