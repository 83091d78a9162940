"""A base of another shape than the starter, prompted with its own vLLM: `switchboard compare --base`."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from bot.demo import company
from bot.domain.few_shot import ShownExamples, Variant
from bot.domain.learning import Example, Side, Source
from bot.domain.prompted_arms import Asking
from bot.flow.local_arms import LocalArms
from bot.prompted_models import open_answers, other_base
from bot.settings import load
from tests.llama_instruct import llama_instruct
from tests.samples import NOW, TASK

pytestmark = [pytest.mark.vllm, pytest.mark.slow]


async def test_another_llama_is_served_prompted_and_gone(tmp_path: Path) -> None:
    settings = load(company.SETTINGS, {}, home=tmp_path)
    folder = llama_instruct(tmp_path / "Llama-3.2-1B-Instruct", ["my bill is wrong"] * 20)
    plain = replace(TASK, labels=TASK.labels[:2], fallback=TASK.labels[0].name)
    judging = [Example(f"bill {n}", TASK.names[0], Source.IMPORT, Side.HELD_OUT, NOW) for n in range(45)]
    asking = Asking(plain, judging, ShownExamples([("my bill", TASK.names[0])], {}))
    with open_answers(settings) as cache:
        async with other_base(settings, str(folder)) as base:
            arms = await LocalArms(base, "llama", cache).ask(asking, [Variant(0), Variant(1)], lambda _: None)
    assert [(len(arm.told), arm.stopped) for arm in arms] == [(45, ""), (45, "")]
    for arm in arms:
        assert all(math.isclose(sum(told.probabilities.values()), 1.0, abs_tol=1e-3) for told in arm.told.values())
    assert {told.shots for told in arms[1].told.values()} == {1}
    assert arms[0].told != arms[1].told, "the example is read"
    assert not (settings.model.runs.parent / "compare" / "server.json").exists()
