"""Adapters reach a server that knows our folder under another path, and one that shares no folder with us."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.responses import JSONResponse

from bot.domain.errors import Refused
from bot.domain.learning import Adapter
from inference.adapter_delivery import delivery
from inference.adapters import VllmAdapters
from tests.fakes_inference import FakeVllm, completion, write_lora
from tests.unit.inference.test_adapters import SHAPE


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(SHAPE), encoding="utf-8")
    return write_lora(tmp_path / "runs" / "routing-1" / "adapter", tmp_path, seed=1)


@pytest.fixture
def vllm() -> FakeVllm:
    return FakeVllm()


@pytest.fixture
async def line(vllm: FakeVllm) -> AsyncIterator[httpx.AsyncClient]:
    async with vllm.line() as line:
        yield line


def adapter(path: Path) -> Adapter:
    return Adapter("routing-1", "routing", path, "starter", {}, 1.0, datetime(2026, 1, 1, tzinfo=UTC))


async def test_the_servers_name_for_our_folder_is_what_it_is_told(
    vllm: FakeVllm, line: httpx.AsyncClient, lora: Path, tmp_path: Path
) -> None:
    (tmp_path / "seen").symlink_to(tmp_path / "runs")
    adapters = VllmAdapters(line, tmp_path, delivery(str(tmp_path / "seen"), tmp_path / "runs"))
    await adapters.load(adapter(lora))
    assert vllm.adapters == {"routing-1": str(tmp_path / "seen" / "routing-1" / "adapter")}


async def test_what_lies_outside_that_folder_is_refused_before_the_server_is_asked(
    vllm: FakeVllm, line: httpx.AsyncClient, lora: Path, tmp_path: Path
) -> None:
    adapters = VllmAdapters(line, tmp_path, delivery("/seen", tmp_path / "elsewhere"))
    with pytest.raises(Refused, match=r"not below .*elsewhere.*server_adapters = .fetch."):
        await adapters.load(adapter(lora))
    assert vllm.loads == 0


async def test_a_server_that_fetches_is_asked_for_it_by_name(
    vllm: FakeVllm, line: httpx.AsyncClient, tmp_path: Path
) -> None:
    """Also by a process that has none of its files."""
    vllm.failure = completion({})
    await VllmAdapters(line, tmp_path, delivery("fetch", tmp_path)).load(adapter(tmp_path / "nowhere"))
    assert [asked["model"] for asked in vllm.requests] == ["routing-1"]
    assert vllm.loads == 0


async def test_a_process_that_has_the_files_looks_them_over_first(
    vllm: FakeVllm, line: httpx.AsyncClient, lora: Path, tmp_path: Path
) -> None:
    (lora / "adapter_model.safetensors").write_bytes(b"half")
    with pytest.raises(Refused, match="missing or half written"):
        await VllmAdapters(line, tmp_path, delivery("fetch", tmp_path)).load(adapter(lora))
    assert not vllm.requests


@pytest.mark.parametrize(
    ("status", "said"), [(404, r"does not find it.*SWITCHBOARD_ADAPTERS_URL"), (400, "fetched it and cannot use it")]
)
async def test_why_it_could_not_be_fetched_is_said(
    vllm: FakeVllm, line: httpx.AsyncClient, tmp_path: Path, status: int, said: str
) -> None:
    vllm.failure = JSONResponse({}, status)
    with pytest.raises(Refused, match=said):
        await VllmAdapters(line, tmp_path, delivery("fetch", tmp_path)).load(adapter(tmp_path / "nowhere"))
