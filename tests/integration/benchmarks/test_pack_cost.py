"""The measurement of what packs cost runs to its end, and fails if routing gives another answer."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.overhead import Instant
from benchmarks.pack_cost import PACKS, differing, measured
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.embedders import PAIR

pytestmark = pytest.mark.slow


async def test_it_compares_every_message_and_times_every_number_of_questions(tmp_path: Path) -> None:
    held_out = [f"message {number} about an invoice" for number in range(5)]
    changed, times = await measured(Instant(PAIR), tmp_path, 400, ["where is my parcel", "the vpn is down"], held_out)
    assert [row["decisions"] for row in changed.values()] == [5] * len(PACKS)
    assert [(row["decided otherwise"], row["other examples"]) for row in changed.values()] == [(0, 0)] * len(PACKS)
    assert [row["n"] for row in times.values()] == [2] * (len(PACKS) + 1)


def test_another_probability_is_another_decision() -> None:
    one = Decision("routing", "billing", Author.MODEL, Reason.CONFIDENT, {"billing": 0.9, "it": 0.1})
    assert differing([one, one], [one, replace(one, probabilities={"billing": 0.91, "it": 0.09})]) == 1
