"""The fault campaign's plan: every step exists in the product, and every seed runs all of them."""

import importlib
import inspect
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks.chaos.__main__ import summary, wrong
from benchmarks.chaos.campaign import Round, finished, plans
from benchmarks.chaos.faults import CLOCKS, FAULTS
from benchmarks.chaos.victim import STEPS, Step

PLAYED = Round(0, "model asked", "slack 429", 60.0, 4.0, {}, {"model asked": 2}, [9.0], {"requests": 8}, {}, {}, {})


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_step_is_a_method_of_the_product(step: Step) -> None:
    owner = getattr(importlib.import_module(step.module), step.owner)
    assert inspect.iscoroutinefunction(getattr(owner, step.method))


def test_a_seed_plans_the_same_rounds_and_leaves_nothing_out() -> None:
    assert plans(1) == plans(1) != plans(2)
    assert {plan.step for plan in plans(1)} == set(STEPS)
    assert {plan.fault for plan in plans(1)} == set(FAULTS)
    assert {plan.fault for plan in plans(1, "database k")} == {"database killed"}
    assert {plan.fault for plan in plans(1, "pool|clock")} == {"pool exhausted", *CLOCKS}


def test_an_interrupted_campaign_goes_on_after_what_it_has(tmp_path: Path) -> None:
    out = tmp_path / "rounds.jsonl"
    assert finished(out) == []
    out.write_text(json.dumps(asdict(PLAYED)) + "\n", "utf-8")
    assert finished(out) == [PLAYED]


def test_what_must_not_be_is_told_and_a_copy_on_telegram_is_counted() -> None:
    assert wrong([PLAYED]) == []
    broken = Round(
        *(1, "model asked", "slack 429", 60.0, None, {"posts unsaid": 1}, {}, [], {}),
        doubled={"slack": ["a"], "telegram": ["b"]},
        lost={"telegram": ["c"]},
        broken={"one answer": ["d"]},
    )
    assert wrong([broken]) == [
        "round 1: one answer: d",
        "round 1: lost on telegram: c",
        "round 1: doubled on Slack: a",
        "round 1: not drained: {'posts unsaid': 1}",
    ]
    assert summary([PLAYED, broken])["doubled"] == {"slack": 1, "telegram": 1}
