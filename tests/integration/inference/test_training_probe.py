"""The probe runs real, very small Llamas; whatever it does, an estimate stops no training."""

import json
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from transformers import AutoConfig

from bot.domain.errors import TrainingFailed
from bot.domain.model_ports import TrainingProbe, TrainingRun
from inference import training_probe
from inference.prompt import PromptBuilder
from inference.recipe import PRETRAINED, STARTER
from inference.training_probe import Tried
from inference.training_probe_process import ProbeProcess
from inference.training_rows import Row, prompted
from tests.fakes import FakeProbe
from tests.runs import a_run
from tests.tiny_llamas import chat_like, starter_like


def run_of(base: Path) -> TrainingRun:
    codes = PromptBuilder(base).alphabet()
    return a_run(Path("nowhere"), base, (codes[0], codes[1], codes[2]))


@pytest.mark.parametrize("probe", [ProbeProcess(), FakeProbe()], ids=["real", "fake"])
async def test_a_pace_is_measured_and_nothing_is_written(probe: TrainingProbe, tmp_path: Path) -> None:
    run = run_of(starter_like(tmp_path / "base"))
    pace = await probe.pace(run, [15, 100_000])
    assert pace.steps == [STARTER.steps(15), STARTER.steps(100_000)]
    assert min(pace.begin_seconds, pace.step_seconds, pace.ask_seconds) > 0
    assert pace.ask_seconds < pace.step_seconds < pace.begin_seconds
    assert 10_000_000 < pace.memory_bytes < 10_000_000_000
    assert not run.folder.exists()


async def test_another_kind_of_base_has_its_own_recipe(tmp_path: Path) -> None:
    found = Tried("NVIDIA H100", time.time() + 7, 0.5, 0.01, 10**9)
    says = ("sh", "-c", f"cat > {tmp_path}/heard; echo '{json.dumps(asdict(found))}'")
    pace = await ProbeProcess(says).pace(run_of(chat_like(tmp_path / "base")), [15])
    assert pace.steps == [PRETRAINED.steps(15)]
    assert (pace.device, pace.step_seconds, pace.ask_seconds) == ("NVIDIA H100", 0.5, 0.01)
    assert pace.begin_seconds == pytest.approx(7, abs=5)


def test_of_a_deep_base_some_layers_stand_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = chat_like(tmp_path / "base")
    prompts, run = PromptBuilder(base), run_of(base)
    rows = [
        Row(tuple(id % training_probe.VOCABULARY for id in row.ids), row.label)
        for row in prompted(run, prompts, run.examples)
    ]
    whole = AutoConfig.from_pretrained(str(base))
    all_built = training_probe.shaped_like(whole, PRETRAINED, rows)
    monkeypatch.setattr(training_probe, "LAYERS", whole.num_hidden_layers - 1)
    monkeypatch.setattr(training_probe, "BUDGET", 0.0)
    model = training_probe.shaped_like(whole, PRETRAINED, rows)
    assert len(model.prefix) > 100, "what all prompts begin with is tried as it is trained"
    assert len(model.llama.model.layers) == whole.num_hidden_layers - 1
    layer = sum(weight.nbytes for weight in model.llama.model.layers[0].parameters())
    missing, words = (training_probe.missing_bytes(whole, one.llama) for one in (model, all_built))
    assert missing - words == layer
    assert training_probe.tried(base, PRETRAINED, rows).step_seconds > 0


async def fails(probe: ProbeProcess, run: TrainingRun) -> str:
    with pytest.raises(TrainingFailed) as caught:
        await probe.pace(run, [15])
    return str(caught.value)


async def test_what_goes_wrong_is_one_sentence(tmp_path: Path) -> None:
    run = run_of(starter_like(tmp_path / "base"))
    assert await fails(ProbeProcess(("false",)), run) == "the probe ended with 1: it said nothing"
    assert await fails(ProbeProcess(("true",)), run) == "the probe said what nobody understands (JSONDecodeError)"
    assert (await fails(ProbeProcess(("/nowhere/python",)), run)).startswith(
        "the probe cannot be started: No such file"
    )
    (tmp_path / "empty").mkdir()
    missing = await fails(ProbeProcess(), replace(run, base=tmp_path / "empty"))
    assert "has no config.json and no tokenizer.json" in missing


async def test_no_words_leave_for_the_probe(tmp_path: Path) -> None:
    run = run_of(starter_like(tmp_path / "base"))
    keeps = ("sh", "-c", f"cat > {tmp_path}/heard; exit 1")
    await fails(ProbeProcess(keeps), run)
    heard = (tmp_path / "heard").read_text()
    assert '"rows": [[[' in heard
    assert not any(word in heard for word in ("charged", "parcel", "password"))
