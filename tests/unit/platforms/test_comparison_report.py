"""The weekly comparison in every language: one verdict, a short line for each arm, and no message text."""

from dataclasses import replace

import pytest

from bot.domain.worth import Ruling
from bot.locales import available
from bot.platforms.comparison_report import comparison
from tests.samples import COMPARED


def test_the_verdict_comes_first_and_then_every_arm() -> None:
    assert comparison(COMPARED, "en") == [
        "Fine-tuning is worth it: +4.1 ± 1.2 points over the same without the Llama.",
        "Is fine-tuning worth it for routing? By 400 messages of the past weeks whose team was settled later:",
        "majority: 25.0% right, $0.00 per 1,000",
        "words: 88.0% right",
        "mixture: 92.1% right, $0.0200 per 1,000",
        "mixture without adapter: 88.0% right, $0.0040 per 1,000",
        "More: switchboard compare --since 90d; the weeks before: switchboard compare --history",
    ]


@pytest.mark.parametrize("language", available())
@pytest.mark.parametrize("ruling", Ruling)
def test_every_ruling_is_a_sentence_in_every_language(ruling: Ruling, language: str) -> None:
    first = comparison(replace(COMPARED, ruling=ruling.value), language)[0]
    numbers = {Ruling.ONE_LABEL: ["400"], Ruling.TOO_FEW: ["400", "100"], Ruling.NO_MODEL: []}
    assert all(number in first for number in numbers.get(ruling, ["4.1 ± 1.2"]))


def test_what_doing_without_the_model_brings_is_said_from_that_side() -> None:
    better = replace(COMPARED, ruling=Ruling.STOP_BETTER_WITHOUT.value, gain=0.03)
    assert comparison(better, "en")[0] == "Stop fine-tuning: the same without the Llama is better by +3.0 ± 1.2 points."
    too_few = replace(COMPARED, ruling=Ruling.TOO_FEW.value, gain=None, margin=None)
    assert "–" not in comparison(too_few, "en")[0]


@pytest.mark.parametrize("language", available())
def test_a_ruling_that_only_a_newer_version_knows_leaves_the_figures(language: str) -> None:
    lines = comparison(replace(COMPARED, ruling="worth_it_on_tuesdays"), language)
    assert len(lines) == 6 and "400" in lines[0]
