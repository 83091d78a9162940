"""The weekly comparison in sentences: the verdict, then a line for each arm; used by every platform."""

from collections.abc import Iterator

from bot.domain.report_posts import ComparisonReport, ReportedArm
from bot.domain.worth import LEAST, Ruling, money
from bot.locales import sentence

_OF_THE_MODEL = (Ruling.WORTH_IT, Ruling.UNDECIDED, Ruling.TOO_FEW)
"""Rulings told from the model's side: what the model brings, not what doing without it would bring."""


def comparison(content: ComparisonReport, language: str) -> list[str]:
    """The verdict first, then a line for each arm."""
    return list(_lines(content, language))


def _lines(content: ComparisonReport, language: str) -> Iterator[str]:
    if content.ruling in set(Ruling):  # a newer version may have further rulings: then only the figures are shown
        yield sentence(
            language, f"worth_{content.ruling}", points=_points(content), messages=content.messages, least=LEAST
        )
    yield sentence(language, "worth_title", task=content.task, messages=content.messages)
    for arm in content.arms:
        yield _arm(arm, content.currency, language)
    yield sentence(language, "worth_more")


def _points(content: ComparisonReport) -> str:
    """The gain with its margin in percentage points, such as +4.1 ± 1.2; a dash where either is missing."""
    if content.gain is None or content.margin is None:
        return "–"
    gain = -content.gain if content.ruling in _OF_THE_MODEL else content.gain
    return f"{gain * 100 + 0.0:+.1f} ± {content.margin * 100:.1f}"


def _arm(arm: ReportedArm, currency: str, language: str) -> str:
    words = {"arm": arm.name, "accuracy": f"{arm.accuracy:.1%}"}
    if arm.per_1000 is None:
        return sentence(language, "worth_arm", **words)
    return sentence(language, "worth_arm_priced", **words, price=money(arm.per_1000, currency))
