"""What only a real vLLM can show: agreement with the library that trains, and recovery after a crash."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.errors import Refused
from bot.domain.learning import Adapter
from bot.domain.model_ports import Query
from bot.domain.tasks import Label, Task
from inference.adapters import VllmAdapters
from inference.base_models import STARTER, positions
from inference.client import VllmPredictor
from inference.prompt import PromptBuilder
from inference.server import EmbeddedServer
from inference.server_proof import proofs
from tests.fakes_inference import write_lora

pytestmark = pytest.mark.vllm
TASK = Task("routing", "Which team?", tuple(Label(f"team-{n}", "") for n in range(8)), "team-0")
CODES = {label.name: f"<label_{n:03}>" for n, label in enumerate(TASK.labels)}
THINGS = "invoice parcel laptop password refund contract delivery holiday printer subscription".split()
TEXTS = [
    f"{start} my {thing}{end}" for start in ("where is", "please cancel") for thing in THINGS for end in ("", "??")
]


def random_adapter(folder: Path, name: str, scale: float = 0.05) -> Adapter:
    path = write_lora(folder / name, STARTER, seed=7, scale=scale)
    return Adapter(name, TASK.name, path, "starter", CODES, 1.0, datetime(2026, 1, 1, tzinfo=UTC))


def by_transformers(adapter: Adapter, prompts: PromptBuilder) -> list[dict[str, float]]:
    """The same probabilities as training computes."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(STARTER, dtype=torch.bfloat16)
    model = PeftModel.from_pretrained(base, str(adapter.path)).eval()
    ids = [prompts.code_id(code) for code in CODES.values()]
    rows = []
    with torch.no_grad():
        for text in TEXTS:
            logits = model(torch.tensor([prompts.prompt_ids(TASK, CODES, text)])).logits[0, -1, ids]
            rows.append(dict(zip(CODES, torch.softmax(logits.float(), 0).tolist(), strict=True)))
    return rows


async def test_vllm_and_transformers_agree_on_a_lora(vllm_server: EmbeddedServer, tmp_path: Path) -> None:
    prompts, adapters = PromptBuilder(STARTER), VllmAdapters(vllm_server.line, STARTER)
    adapter = random_adapter(tmp_path, "agreement")
    predictor = VllmPredictor(prompts, "starter", adapters)
    served = [p.probabilities for p in await predictor.predict(Query(TASK, CODES, adapter), TEXTS)]
    trained = await asyncio.to_thread(by_transformers, adapter, prompts)
    gaps = [abs(a[name] - b[name]) for a, b in zip(served, trained, strict=True) for name in CODES]
    same = sum(max(a, key=a.__getitem__) == max(b, key=b.__getitem__) for a, b in zip(served, trained, strict=True))
    print(f"mean |dp| {sum(gaps) / len(gaps):.5f}, max {max(gaps):.4f}, same answer {same}/{len(TEXTS)}")  # noqa: T201
    assert len({tuple(row.values()) for row in served}) > len(TEXTS) / 2, "the adapter tells texts apart"
    assert sum(gaps) / len(gaps) < 0.005
    assert same >= 0.9 * len(TEXTS)


async def test_adapter_of_another_shape_is_refused_and_the_server_lives(
    vllm_server: EmbeddedServer, tmp_path: Path
) -> None:
    wide = {"hidden_size": 64, "num_attention_heads": 2, "head_dim": 32, "num_hidden_layers": 1}
    (tmp_path / "config.json").write_text(json.dumps(wide), encoding="utf-8")
    path = write_lora(tmp_path / "foreign", tmp_path, seed=1)
    foreign = Adapter("foreign", TASK.name, path, "starter", CODES, 1.0, datetime(2026, 1, 1, tzinfo=UTC))
    adapters = VllmAdapters(vllm_server.line, STARTER)
    with pytest.raises(Refused):
        await adapters.load(foreign)
    await adapters.load(random_adapter(tmp_path, "after-foreign"))
    assert "foreign" not in await adapters.loaded()


async def test_adapters_beyond_the_servers_memory_still_answer(vllm_server: EmbeddedServer, tmp_path: Path) -> None:
    adapters = VllmAdapters(vllm_server.line, STARTER)
    predictor = VllmPredictor(PromptBuilder(STARTER), "starter", adapters)
    crowd = [random_adapter(tmp_path, f"crowd-{n}") for n in range(12)]
    for adapter in crowd:
        await adapters.load(adapter)
    heard = await asyncio.gather(*(predictor.predict(Query(TASK, CODES, adapter), ["hello"]) for adapter in crowd))
    assert [answer[0].adapter for answer in heard] == [adapter.name for adapter in crowd]
    shutil.rmtree(crowd[-1].path)
    await predictor.predict(Query(TASK, CODES, crowd[-1]), ["hello"])  # in memory: the folder is not needed
    for adapter in crowd:
        await adapters.unload(adapter.name)


@pytest.mark.slow
async def test_server_killed_without_warning_comes_back_with_its_adapters(
    vllm_server: EmbeddedServer, tmp_path: Path
) -> None:
    adapters = VllmAdapters(vllm_server.line, STARTER)
    predictor = VllmPredictor(PromptBuilder(STARTER), "starter", adapters)
    adapter = random_adapter(tmp_path, "survivor")
    await adapters.load(adapter)
    restored = asyncio.Event()

    async def restore() -> None:
        await adapters.restore()
        restored.set()

    watching = asyncio.create_task(vllm_server.watch(restore), name="watch")
    os.kill(engine(), signal.SIGKILL)
    await asyncio.wait_for(restored.wait(), 300)
    assert adapter.name in await adapters.loaded()
    (heard,) = await predictor.predict(Query(TASK, CODES, adapter), ["hello"])
    assert heard.adapter == adapter.name
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


def engine() -> int:
    """The engine's process: the one with that name below our lifeline's child."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cmdline").read_bytes().startswith(b"VLLM::EngineCore") and _ours(int(folder.name)):
                return int(folder.name)
    raise AssertionError("no engine of ours runs")


def _ours(pid: int) -> bool:
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        if pid == os.getpid():
            return True
    return False


async def test_a_server_of_ours_is_all_that_somebody_elses_must_be(vllm_server: EmbeddedServer) -> None:
    prompts = PromptBuilder(STARTER)
    ids = [prompts.code_id(code) for code in prompts.alphabet()[:8]]
    found = [proof async for proof in proofs(vllm_server.line, "starter", positions(STARTER), ids)]
    assert [(proof.what, proof.remedy) for proof in found if not proof.works] == []
    assert len(found) == 4
