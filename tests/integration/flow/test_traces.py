"""One request is one trace, from its first message to the last post and a lead's ruling, without private data."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.telemetry import tracing
from inference.adapters import VllmAdapters
from inference.client import VllmPredictor
from inference.prompt import PromptBuilder
from tests.fakes_inference import FakeVllm, completion
from tests.samples import AGENT, TASK
from tests.servers.otlp_collector import Collector, collecting
from tests.small_bases import listed_base
from tests.worlds.story import Story


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_TRACES_SAMPLER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    async with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        yield collector


@asynccontextmanager
async def by_vllm(story: Story, vllm: FakeVllm, folder: Path) -> AsyncIterator[Story]:
    """The story with a model behind HTTP."""
    async with vllm.line() as line:
        base = listed_base(folder / "base")
        prompts = PromptBuilder(base)
        ids = [prompts.code_id(code) for code in prompts.alphabet()[: len(TASK.names)]]
        vllm.failure = completion(
            {f"token_id:{id}": math.log(0.98 if id == ids[0] else 0.02 / (len(ids) - 1)) for id in ids}
        )
        predictor = VllmPredictor(prompts, "starter", VllmAdapters(line, base))
        classifier = replace(story.classifier, predictor=predictor)
        story.sorter = replace(story.sorter, classifier=classifier)
        yield story


async def told(story: Story, collector: Collector) -> None:
    """A message, its answer, a lead's correction and a note are reported to the collector."""
    async with tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}, "a database"):
        await story.writes("I was charged twice for my unicorn", "1")
        await story.settles()
        await story.reacts("💻")
        await story.notes("the unicorn is with me", "n1", by=AGENT)
        await story.settles()


async def test_a_request_is_one_trace_from_event_to_post_and_correction(
    story: Story, collector: Collector, tmp_path: Path
) -> None:
    vllm = FakeVllm()
    async with by_vllm(story, vllm, tmp_path) as with_model:
        await told(with_model, collector)
    [received] = collector.named("receive Message")
    assert {span.trace_id for span in collector.spans} == {received.trace_id}
    assert not received.parent_span_id, "what came in is the root"
    [call] = collector.named("text_completion")
    assert collector.path(call) == [
        *("text_completion", "ask the model", "ask the voices together", "ask the voices", "sort", "receive Message")
    ]
    assert vllm.traces == [f"00-{call.trace_id.hex()}-{call.span_id.hex()}-01"], "the server's spans join it"
    for name in ("say on web", "correct", "note", "receive Reaction", "receive Note"):
        assert collector.named(name), name
        assert {collector.path(span)[-1] for span in collector.named(name)} == {"receive Message"}
    numbers = {
        one.value.int_value
        for span in collector.spans
        for one in span.attributes
        if one.key == "switchboard.conversation"
    }
    assert len(numbers) == 1
    assert collector.services == {"switchboard"}


async def test_nothing_that_people_wrote_or_are_called_is_in_a_trace(
    story: Story, collector: Collector, tmp_path: Path
) -> None:
    async with by_vllm(story, FakeVllm(), tmp_path) as with_model:
        with_model.platform.failures = [RuntimeError("refused: I was charged twice for my unicorn")]
        await told_in_spite(with_model, collector)
    [failed, *_] = [span for span in collector.spans if span.status.code == 2]
    assert {one.key: one.value.string_value for one in failed.attributes}["error.type"] == "RuntimeError"
    assert b"receive Message" in collector.raw
    for word in (b"unicorn", b"charged", b"Cleo", b"cleo"):
        assert word not in collector.raw


async def told_in_spite(story: Story, collector: Collector) -> None:
    """A message whose answer cannot be sent."""
    async with tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}, "a database"):
        await story.writes("I was charged twice for my unicorn", "1")
        with pytest.raises(RuntimeError):
            await story.settles()


async def test_two_processes_tell_of_one_trace_and_two_databases_of_two(story: Story, collector: Collector) -> None:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    async with tracing(variables, "a database"):
        await story.writes("I was charged twice", "1")
    async with tracing(variables, "a database"):
        await story.settles()
    [trace] = {span.trace_id for span in collector.spans}
    async with tracing(variables, "another database"):
        await story.writes("and since Monday", "2", thread="1")
    assert {span.trace_id for span in collector.named("receive Message")} > {trace}


async def test_what_is_answered_together_is_in_the_first_trace_and_linked_with_the_others(
    story: Story, collector: Collector
) -> None:
    async with tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}, "a database"):
        await story.writes("I was charged twice", "1")
        await story.writes("my laptop is broken", "2", author=replace(AGENT, id="ben"))
        await story.settles()
    [together] = collector.named("ask the voices together")
    waiting = {span.span_id: span for span in collector.named("ask the voices")}
    assert len(waiting) == 2
    [other] = [span for number, span in waiting.items() if number != together.parent_span_id]
    assert [link.span_id for link in together.links] == [other.span_id]
    assert [link.span_id for link in other.links] == [together.span_id]


async def test_by_a_sampler_a_conversation_is_traced_whole_or_not_at_all(
    story: Story, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    await told(story, collector)
    assert collector.spans == []
