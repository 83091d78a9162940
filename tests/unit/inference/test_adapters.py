import json
import math
import re
import struct
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
from safetensors.numpy import load_file

from bot.domain.errors import Refused, Unreachable
from bot.domain.learning import Adapter
from bot.domain.model_calls import CallKind
from inference.adapters import MAX_LOADED, VllmAdapters, inspect
from inference.http import open_line
from tests.fakes_inference import FakeVllm, write_lora

Weights = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
SHAPE = {"hidden_size": 8, "num_attention_heads": 2, "head_dim": 4, "intermediate_size": 16, "num_hidden_layers": 1}


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(SHAPE), encoding="utf-8")
    return write_lora(tmp_path / "routing-1", tmp_path, seed=1)


@pytest.fixture
async def vllm() -> FakeVllm:
    return FakeVllm()


@pytest.fixture
async def line(vllm: FakeVllm) -> AsyncIterator[httpx.AsyncClient]:
    async with vllm.line() as line:
        yield line


def adapter(path: Path, name: str = "routing-1") -> Adapter:
    return Adapter(name, "routing", path, "starter", {}, 1.0, datetime(2026, 1, 1, tzinfo=UTC))


async def test_loading_twice_changes_nothing(vllm: FakeVllm, line: httpx.AsyncClient, lora: Path) -> None:
    adapters = VllmAdapters(line, lora.parent)
    await adapters.load(adapter(lora))
    await adapters.load(adapter(lora))
    assert await adapters.loaded() == {"routing-1"}
    assert vllm.loads == 1


async def test_adapter_that_another_process_loaded_is_loaded(
    vllm: FakeVllm, line: httpx.AsyncClient, lora: Path
) -> None:
    await VllmAdapters(line, lora.parent).load(adapter(lora))
    await VllmAdapters(line, lora.parent).load(adapter(lora))
    assert vllm.loads == 1


async def test_after_a_restart_everything_wanted_comes_back(
    vllm: FakeVllm, line: httpx.AsyncClient, lora: Path
) -> None:
    adapters = VllmAdapters(line, lora.parent)
    for name in ("routing-1", "routing-2", "routing-3"):
        await adapters.load(adapter(lora, name))
    await adapters.unload("routing-2")
    vllm.restart()
    await adapters.restore()
    assert await adapters.loaded() == {"routing-1", "routing-3"}


async def test_what_nobody_asks_for_any_more_does_not_come_back(
    vllm: FakeVllm, line: httpx.AsyncClient, lora: Path, tmp_path: Path
) -> None:
    adapters = VllmAdapters(line, tmp_path)
    for number in range(MAX_LOADED + 5):
        await adapters.load(adapter(lora, f"routing-{number}"))
        await adapters.load(adapter(lora, "champion"))
    vllm.restart()
    await adapters.restore()
    newest = {f"routing-{number}" for number in range(6, MAX_LOADED + 5)}
    assert set(vllm.adapters) == {"champion", *newest}


async def test_what_was_not_asked_for_longest_is_unloaded_and_a_question_brings_it_back(
    vllm: FakeVllm, line: httpx.AsyncClient, lora: Path, tmp_path: Path
) -> None:
    adapters, champion = VllmAdapters(line, tmp_path), adapter(lora, "champion")
    await adapters.load(champion)
    for number in range(MAX_LOADED + 5):
        await adapters.load(adapter(lora, f"routing-{number}"))
        await adapters.complete(champion, {"model": "champion", "prompt": []}, CallKind.PATIENT)
    newest = {f"routing-{number}" for number in range(6, MAX_LOADED + 5)}
    assert await adapters.loaded() == {"champion", *newest}
    first = adapter(lora, "routing-0")
    assert (await adapters.complete(first, {"model": "routing-0", "prompt": []}, CallKind.PATIENT)).is_success
    assert "routing-0" in await adapters.loaded()


async def test_one_adapter_that_is_gone_does_not_keep_the_others_out(
    vllm: FakeVllm, line: httpx.AsyncClient, lora: Path
) -> None:
    adapters = VllmAdapters(line, lora.parent)
    await adapters.load(adapter(write_lora(lora.parent / "lost", lora.parent, seed=2), "lost"))
    await adapters.load(adapter(lora))
    (lora.parent / "lost" / "adapter_model.safetensors").unlink()
    vllm.restart()
    await adapters.restore()
    assert await adapters.loaded() == {"routing-1"}


async def test_unloading_what_is_not_there_changes_nothing(line: httpx.AsyncClient) -> None:
    await VllmAdapters(line, Path()).unload("never-seen")


async def test_server_that_cannot_see_the_folder_is_refused(
    vllm: FakeVllm, line: httpx.AsyncClient, lora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "is_dir", lambda _: False)
    with pytest.raises(Refused, match=r"routing-1 in .* was refused \(404\)"):
        await VllmAdapters(line, lora.parent).load(adapter(lora))


async def test_loading_into_a_server_that_is_down_may_be_tried_again(lora: Path) -> None:
    async with open_line("http://127.0.0.1:9") as line:
        with pytest.raises(Unreachable):
            await VllmAdapters(line, lora.parent).load(adapter(lora))


def test_whole_adapter_passes(lora: Path) -> None:
    inspect(lora, lora.parent)


@pytest.mark.parametrize("name", ["adapter_config.json", "adapter_model.safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99, None])
def test_half_written_adapter_is_refused_in_a_sentence(lora: Path, name: str, share: float | None) -> None:
    content = (lora / name).read_bytes()
    (lora / name).unlink()
    if share is not None:
        (lora / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(Refused, match=f"{name} is missing or half written"):
        inspect(lora, lora.parent)


@pytest.mark.parametrize("config", [{"r": 17}, {"r": 0}, {"r": "8"}, {}])
def test_rank_that_the_server_does_not_take_is_refused(lora: Path, config: dict[str, object]) -> None:
    (lora / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(Refused, match="rank"):
        inspect(lora, lora.parent)


@pytest.mark.parametrize(
    "change", [{"hidden_size": 4}, {"hidden_size": 16}, {"num_attention_heads": 1}, {"num_attention_heads": 4}]
)
def test_adapter_of_another_base_is_refused(lora: Path, tmp_path: Path, change: dict[str, int]) -> None:
    (tmp_path / "config.json").write_text(json.dumps(SHAPE | change), encoding="utf-8")
    with pytest.raises(Refused, match="made for another base model"):
        inspect(lora, tmp_path)


def test_adapter_of_another_rank_than_it_says_is_refused(lora: Path) -> None:
    (lora / "adapter_config.json").write_text(json.dumps({"r": 8}), encoding="utf-8")
    with pytest.raises(Refused, match="made for another base model"):
        inspect(lora, lora.parent)


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("precision", ["F64", "F32", "F16", "BF16"])
def test_weights_that_are_no_numbers_are_refused(lora: Path, tmp_path: Path, bad: float, precision: str) -> None:
    file = lora / "adapter_model.safetensors"
    weights = load_file(file)
    one = sorted(weights)[0]
    inspect(lora, tmp_path)
    write_tensors(file, weights, precision)
    inspect(lora, tmp_path)
    weights[one].flat[5] = bad
    write_tensors(file, weights, precision)
    with pytest.raises(Refused, match=f"{re.escape(one)} holds weights that are no finite numbers"):
        inspect(lora, tmp_path)


def write_tensors(file: Path, weights: Mapping[str, Weights], precision: str) -> None:
    """A safetensors file in that precision, including bfloat16, which numpy lacks."""
    header, body = {}, b""
    for name, weight in weights.items():
        kind = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<f4"}[precision]
        raw = np.ascontiguousarray(weight.astype(kind))
        stored = raw.tobytes() if precision != "BF16" else (raw.view("<u4") >> 16).astype("<u2").tobytes()
        header[name] = {"dtype": precision, "shape": weight.shape, "data_offsets": [len(body), len(body) + len(stored)]}
        body += stored
    told = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(told)) + told + body)


async def test_files_that_were_changed_since_they_were_judged_are_not_loaded(
    vllm: FakeVllm, line: httpx.AsyncClient, lora: Path
) -> None:
    adapters = VllmAdapters(line, lora.parent)
    judged = replace(adapter(lora), digest=await adapters.digest(lora))
    await adapters.load(judged)
    other = write_lora(lora.parent / "other", lora.parent, seed=2)
    (lora / "adapter_model.safetensors").write_bytes((other / "adapter_model.safetensors").read_bytes())
    later = VllmAdapters(line, lora.parent)
    with pytest.raises(Refused, match=r"routing-1 cannot be loaded: the files in .*routing-1 were changed since"):
        await later.load(judged)
    assert vllm.loads == 1
    await later.load(replace(judged, digest=None))


async def test_a_digest_is_of_every_file_and_its_name(line: httpx.AsyncClient, lora: Path) -> None:
    adapters = VllmAdapters(line, lora.parent)
    whole = await adapters.digest(lora)
    assert whole == await adapters.digest(lora)
    (lora / "README.md").write_text("more", "utf-8")
    more = await adapters.digest(lora)
    (lora / "README.md").rename(lora / "READ.md")
    assert len({whole, more, await adapters.digest(lora)}) == 3
    with pytest.raises(Refused, match="adapter in "):
        await adapters.digest(lora / "nowhere")


async def test_workspaces_that_share_a_server_never_use_each_others_adapter(
    vllm: FakeVllm, line: httpx.AsyncClient, lora: Path
) -> None:
    """Two adapters of one name: the second is loaded in addition to the first, and not confused with it."""
    main, acme, beta = (VllmAdapters(line, lora.parent, workspace=name) for name in ("", "acme", "beta"))
    await main.load(adapter(lora))
    assert (await acme.loaded(), await beta.loaded()) == (frozenset(), frozenset())
    await acme.load(adapter(lora))
    assert vllm.loads == 2
    assert [one.served("routing-1") for one in (main, acme, beta)] == ["routing-1", "acme/routing-1", "beta/routing-1"]
    await main.unload("routing-1")
    held = [await one.loaded() for one in (main, acme, beta)]
    assert held == [frozenset(), frozenset({"routing-1"}), frozenset()]
