"""Several servers are used as one: an absent one fails no question, and none answers without its adapters."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.responses import JSONResponse

from bot.domain.errors import Refused, Unreachable
from bot.domain.learning import Adapter
from bot.domain.model_calls import CallKind, ModelCall
from bot.domain.model_ports import Query
from bot.domain.tasks import Label, Task
from inference.adapters import VllmAdapters
from inference.client import VllmPredictor
from inference.prompt import PromptBuilder
from inference.replicas import Replicas
from tests.fakes_inference import FakeVllm, write_lora
from tests.small_bases import listed_base

TASK = Task("routing", "Which?", (Label("billing", "Money"), Label("it", "Machines")), "billing")
CODES = {"billing": "A", "it": "B"}
SHAPE = {"hidden_size": 8, "num_attention_heads": 2, "head_dim": 4, "intermediate_size": 16, "num_hidden_layers": 1}


@dataclass
class Servers:
    """Two servers of one base, the client that asks them, and an adapter."""

    one: FakeVllm
    two: FakeVllm
    replicas: Replicas
    predictor: VllmPredictor
    adapter: Adapter
    calls: list[ModelCall] = field(default_factory=list)

    async def asks(self, adapter: Adapter | None = None) -> None:
        await self.predictor.predict(Query(TASK, CODES, adapter, 60.0), ["hi"])

    def asked(self) -> tuple[int, int]:
        return len(self.one.requests), len(self.two.requests)


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[Servers]:
    one, two = FakeVllm("base"), FakeVllm("base")
    folder = tmp_path / "shape"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(SHAPE), encoding="utf-8")
    lora = write_lora(tmp_path / "routing-1", folder, seed=1)
    adapter = Adapter("routing-1", "routing", lora, "base", CODES, 1.0, datetime(2026, 1, 1, tzinfo=UTC))
    calls: list[ModelCall] = []
    async with one.line() as first, two.line() as second:
        replicas = Replicas([VllmAdapters(line, folder, saw=calls.append) for line in (first, second)])
        predictor = VllmPredictor(PromptBuilder(listed_base(tmp_path / "base")), "base", replicas)
        yield Servers(one, two, replicas, predictor, adapter, calls)


async def test_questions_are_shared_out(servers: Servers) -> None:
    for _ in range(6):
        await servers.asks()
    assert servers.asked() == (3, 3)


async def test_an_adapter_is_loaded_on_every_server_before_it_counts_as_loaded(servers: Servers) -> None:
    await servers.replicas.load(servers.adapter)
    assert set(servers.one.adapters) == set(servers.two.adapters) == {"routing-1"}
    assert await servers.replicas.loaded() == {"routing-1"}
    servers.two.restart()
    assert await servers.replicas.loaded() == frozenset(), "one of them would not answer by it"
    await servers.replicas.load(servers.adapter)
    assert set(servers.two.adapters) == {"routing-1"}
    await servers.replicas.unload("routing-1")
    assert (servers.one.adapters, servers.two.adapters) == ({}, {})


async def test_one_that_is_killed_fails_no_question_and_is_asked_no_more(servers: Servers) -> None:
    servers.two.down = True
    for _ in range(4):
        await servers.asks()
    assert len(servers.one.requests) == 4
    assert servers.predictor.breaker.closed, "who waits noticed nothing"


async def test_a_swap_goes_on_without_the_one_that_is_away_which_gets_it_before_it_is_asked_again(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    servers.two.down = True
    await servers.replicas.load(servers.adapter)
    await servers.asks(servers.adapter)
    assert set(servers.one.adapters) == {"routing-1"}
    await servers.replicas.look()
    servers.two.down = False
    servers.two.restart()
    before = len(servers.two.requests)
    await servers.replicas.look()
    assert (set(servers.two.adapters), len(servers.two.requests)) == ({"routing-1"}, before)
    for _ in range(4):
        await servers.asks(servers.adapter)
    assert len(servers.two.requests) > before
    told = [record.message for record in caplog.records if record.name == "inference.replicas"]
    assert told == ["model server not asked until it is back", "model server back, with its adapters"]


async def test_one_that_restarted_unnoticed_is_given_the_adapter_on_the_way(servers: Servers) -> None:
    await servers.replicas.load(servers.adapter)
    servers.one.restart()
    servers.two.restart()
    for _ in range(2):
        await servers.asks(servers.adapter)
    assert set(servers.one.adapters) == set(servers.two.adapters) == {"routing-1"}


async def test_what_is_unloaded_while_one_is_away_does_not_come_back_with_it(servers: Servers) -> None:
    await servers.replicas.load(servers.adapter)
    servers.two.down = True
    await servers.replicas.unload("routing-1")
    servers.two.down = False
    servers.two.restart()
    await servers.replicas.look()
    assert servers.two.adapters == {}


async def test_what_one_refuses_another_is_asked(servers: Servers) -> None:
    servers.one.failure = JSONResponse({}, 400)
    for _ in range(3):
        await servers.asks()
    servers.two.failure = servers.one.failure
    with pytest.raises(Refused, match=r"refused \(400\)"):
        await servers.asks()


async def test_an_adapter_that_none_can_use_is_refused(servers: Servers) -> None:
    (servers.adapter.path / "adapter_model.safetensors").unlink()
    with pytest.raises(Refused, match="missing or half written"):
        await servers.replicas.load(servers.adapter)


async def test_where_all_are_away_it_is_said_and_each_is_tried_again(servers: Servers) -> None:
    servers.one.down = servers.two.down = True
    for act in (servers.asks(), servers.replicas.load(servers.adapter), servers.replicas.loaded()):
        with pytest.raises(Unreachable):
            await act
    servers.one.down = servers.two.down = False
    await servers.asks()


async def test_every_call_is_told_of_with_its_kind(servers: Servers) -> None:
    await servers.replicas.load(servers.adapter)
    await servers.asks(servers.adapter)
    servers.one.down = servers.two.down = True
    with pytest.raises(Unreachable):
        await servers.asks(servers.adapter)
    kinds = [(call.kind, call.failed) for call in servers.calls if call.kind is not CallKind.LIST]
    assert kinds == [
        *[(CallKind.LOAD, False)] * 2,
        (CallKind.QUESTION, False),
        *[(CallKind.QUESTION, True)] * 2,
    ]
    [answered] = [call for call in servers.calls if call.kind is CallKind.QUESTION and not call.failed]
    assert answered.sent > 0 and answered.answered == 1
