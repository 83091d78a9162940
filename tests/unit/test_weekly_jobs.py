"""What is reported and stored of a weekly comparison: its ruling, the decisive difference, each arm in short."""

from dataclasses import replace

from bot.domain.comparison import WITHOUT
from bot.domain.report_posts import ReportedArm
from bot.domain.worth import Ruling
from bot.platforms.comparison_report import comparison
from bot.weekly_jobs import in_short
from tests.samples import NOW
from tests.unit.test_comparison import NAMES, compared


async def test_a_comparison_in_short_is_its_ruling_its_figures_and_its_words() -> None:
    made = await compared()
    past = in_short(made, NOW)
    assert (past.verdict, past.adapter, past.at) == (made.verdict, made.adapter, NOW)
    report = past.report
    assert (report.task, report.ruling, report.messages, report.currency) == ("routing", Ruling.TOO_FEW, 40, "USD")
    assert [arm.name for arm in report.arms] == NAMES
    [served] = [arm for arm in report.arms if arm.low is None]
    assert (served.name, served.accuracy, served.high) == ("mixture", 1.0, None)


async def test_the_ruling_is_told_by_the_difference_it_rests_on() -> None:
    made = await compared()
    [without] = [row.difference for row in made.rows if row.arm == WITHOUT]
    assert without is not None
    past = in_short(replace(made, ruled=(Ruling.WORTH_IT, without)), NOW)
    assert (past.report.gain, past.report.margin) == (without.gain, without.margin)
    assert comparison(past.report, "en")[0].startswith("Fine-tuning is worth it: +50.0 ± ")
    told = in_short(replace(made, ruled=(Ruling.ONE_LABEL, None)), NOW).report
    assert (told.gain, told.margin) == (None, None)


async def test_an_arm_without_a_price_has_none() -> None:
    made = await compared()
    free = replace(made, rows=[replace(made.rows[0], per_1000=None)])
    difference = free.rows[0].difference
    assert difference is not None
    [arm] = in_short(free, NOW).report.arms
    assert arm == ReportedArm("majority", 0.5, difference.low, difference.high, None)
