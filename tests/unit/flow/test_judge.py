"""What a candidate is judged against, and by how much, through the serving path."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.domain.learning import Example, Phase, Side, Source, Verdict, keep_apart
from bot.domain.serving_agreement import Validation
from bot.domain.tasks import Learning
from tests.samples import NOW, TASK
from tests.unit.flow.test_learn import AFTER, BEFORE, WORDS, School, poor, right

FIRST = BEFORE
"""The name of an adapter that had no predecessor."""


def by_itself(text: str) -> str | None:
    """The answers of the voices without an adapter: wrong about a vpn and the weather."""
    return poor(text)


@pytest.fixture
def school() -> School:
    """No adapter serves, only the voices."""
    return School()


async def verdict(school: School) -> Verdict:
    cycle = await school.learns()
    assert (cycle.phase, cycle.problem) == (Phase.DONE, "")
    assert cycle.verdict is not None
    return cycle.verdict


async def test_the_first_adapter_is_compared_with_what_served_without_it(school: School) -> None:
    school.predictor.rules |= {None: by_itself, FIRST: right}
    given = await verdict(school)
    assert given.promoted
    assert (given.figures["champion_accuracy"], given.figures["candidate_accuracy"]) == (0.5, 1.0)
    assert await school.serving() == FIRST


async def test_a_first_adapter_that_adds_nothing_does_not_serve_however_much_better_than_guessing(
    school: School,
) -> None:
    school.predictor.rules |= {None: right, FIRST: right}
    given = await verdict(school)
    assert not given.promoted
    assert given.reasons[0].startswith("not proven better: 0 mistakes mended, 0 made, of 120")
    assert await school.serving() is None


async def test_a_first_adapter_with_three_messages_to_judge_by_does_not_serve(school: School) -> None:
    school.predictor.rules |= {None: by_itself, FIRST: right}
    held_out = [e for e in school.examples.kept if e.side is Side.HELD_OUT]
    school.examples.kept = [e for e in school.examples.kept if e.side is Side.TRAIN] + held_out[-3:]
    given = await verdict(school)
    assert not given.promoted
    assert given.reasons[0].startswith("only 3 held-out messages")


async def test_every_look_within_a_year_makes_the_next_one_stricter(school: School) -> None:
    await school.has_champion()
    assert [(await verdict(school)).figures["look"] for _ in range(3)] == [1.0, 2.0, 3.0]


def many() -> list[Example]:
    return [
        Example(f"{word} number {n} {label}", label, Source.IMPORT, Side.TRAIN, NOW)
        for label, word in WORDS.items()
        for n in range(400)
    ]


async def test_an_adapter_that_answers_elsewhere_than_it_was_trained_is_refused_with_both_figures(
    school: School,
) -> None:
    await school.has_champion()
    school.examples.kept += many()
    school.predictor.rules |= {BEFORE: poor, AFTER: right}
    _, apart = keep_apart([e for e in school.examples.kept if e.side is Side.TRAIN])
    school.trainer.validated = Validation(0.62, len(apart))
    given = await verdict(school)
    assert not given.promoted
    assert "serving and training disagree" in given.reasons[0]
    assert f"training got 62.0% right ({len(apart)}), the server gets 100.0% ({len(apart)})" in given.reasons[0]
    school.trainer.validated = Validation(0.99, len(apart))
    school.predictor.rules["routing-3"] = right
    assert (await verdict(school)).promoted


STRANGE = tuple(f"is it friday yet {n}" for n in range(60))


def boasts(text: str) -> str | None:
    return "billing" if "friday" in text else right(text)


def asks(text: str) -> str | None:
    return None if "friday" in text else poor(text)


async def test_a_candidate_that_is_sure_about_what_belongs_to_nobody_does_not_serve(school: School) -> None:
    await school.has_champion()
    school.predictor.rules |= {BEFORE: asks, AFTER: boasts}
    learner = replace(school.learner, tasks={"routing": replace(TASK, learning=_with(STRANGE))})
    await school.registry.request_cycle("routing", "test", "k", NOW)
    assert await learner.step() == 1
    given = school.registry.known[-1].verdict
    assert given is not None
    assert not given.promoted
    assert given.reasons[0] == "of 60 messages that belong to no team it answers 60 without asking, the champion 0"


def _with(texts: Sequence[str]) -> Learning:
    return replace(TASK.learning, out_of_scope=tuple(texts))
