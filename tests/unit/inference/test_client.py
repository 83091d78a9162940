import asyncio
import json
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from bot.domain.errors import NotTrained, Refused, Unreachable
from bot.domain.learning import Adapter
from bot.domain.model_ports import Query
from bot.domain.tasks import Label, Task
from inference.adapters import VllmAdapters
from inference.client import VllmPredictor
from inference.http import open_line
from inference.prompt import PromptBuilder
from tests.fakes_inference import FakeVllm, completion, write_lora
from tests.small_bases import bare_base, listed_base
from tests.waiting import until

TASK = Task("routing", "Which?", (Label("billing", "Money"), Label("it", "Machines")), "billing")
CODES = {"billing": "A", "it": "B"}
QUERY = Query(TASK, CODES, None)


@pytest.fixture
async def vllm() -> FakeVllm:
    return FakeVllm("base")


@pytest.fixture
async def line(vllm: FakeVllm) -> AsyncIterator[httpx.AsyncClient]:
    async with vllm.line() as line:
        yield line


@pytest.fixture
async def predictor(line: httpx.AsyncClient, tmp_path: Path) -> VllmPredictor:
    return VllmPredictor(PromptBuilder(listed_base(tmp_path / "base")), "base", VllmAdapters(line, tmp_path))


async def test_only_the_labels_codes_may_be_answered(vllm: FakeVllm, predictor: VllmPredictor, tmp_path: Path) -> None:
    prompts = PromptBuilder(tmp_path / "base")
    await predictor.predict(QUERY, ["hi"])
    (asked,) = vllm.requests
    assert asked["allowed_token_ids"] == [prompts.code_id("A"), prompts.code_id("B")]
    assert (asked["max_tokens"], asked["logprobs"], asked["model"]) == (1, 2, "base")
    assert asked["prompt"] == [prompts.prompt_ids(TASK, CODES, "hi")]


async def test_retired_label_of_an_adapter_gets_no_probability(predictor: VllmPredictor) -> None:
    (heard,) = await predictor.predict(Query(TASK, CODES | {"retired": "C"}, None), ["hi"])
    assert set(heard.probabilities) == {"billing", "it"}


async def test_what_is_said_of_a_merged_team_counts_for_the_one_that_has_its_requests(
    vllm: FakeVllm, predictor: VllmPredictor, tmp_path: Path
) -> None:
    prompts, codes = PromptBuilder(tmp_path / "base"), CODES | {"logins": "C"}
    learned = Adapter("routing-1", "routing", tmp_path, "base", codes, 1.0, datetime(2026, 11, 1, tzinfo=UTC))
    vllm.adapters["routing-1"] = str(tmp_path)
    said = {"A": 0.4, "B": 0.25, "C": 0.35}
    vllm.failure = completion({f"token_id:{prompts.code_id(code)}": math.log(p) for code, p in said.items()})
    merged = replace(learned, merged={"logins": "it", "gone": "billing", "billing": "retired"})
    (heard,) = await predictor.predict(Query(TASK, codes, merged), ["hi"])
    assert heard.probabilities == pytest.approx({"billing": 0.4, "it": 0.6})
    assert vllm.requests[0]["allowed_token_ids"] == [prompts.code_id(code) for code in "ABC"]


async def test_task_without_any_code_is_refused(predictor: VllmPredictor) -> None:
    with pytest.raises(Refused, match="no label has a code"):
        await predictor.predict(Query(TASK, {}, None), ["hi"])


async def test_no_texts_ask_nothing(vllm: FakeVllm, predictor: VllmPredictor) -> None:
    assert await predictor.predict(QUERY, []) == []
    assert vllm.requests == []


async def test_many_texts_travel_in_few_requests(vllm: FakeVllm, predictor: VllmPredictor) -> None:
    heard = await predictor.predict(QUERY, [f"text {n}" for n in range(100)])
    assert len(heard) == 100
    assert len(vllm.requests) == 7


async def test_crowd_travels_together_and_everyone_gets_their_own_answer(
    vllm: FakeVllm, predictor: VllmPredictor
) -> None:
    vllm.delay = 0.01
    texts = [f"text {n}" for n in range(200)]
    crowd = await asyncio.gather(*(predictor.predict(QUERY, [text]) for text in texts))
    assert len(vllm.requests) == 13
    assert 1 < vllm.most_at_once <= 4
    assert [answer[0] for answer in crowd] == await predictor.predict(QUERY, texts)


async def test_who_has_time_never_travels_with_who_is_waited_for(vllm: FakeVllm, predictor: VllmPredictor) -> None:
    mood = Task("mood", "How?", (Label("it", ""), Label("bad", "")), "it")
    other = Query(mood, {"it": "B", "bad": "C"}, None, deadline=3.0)
    first, second = await asyncio.gather(predictor.predict(QUERY, ["hi"]), predictor.predict(other, ["hi"]))
    assert (set(first[0].probabilities), set(second[0].probabilities)) == ({"billing", "it"}, {"it", "bad"})
    assert len(vllm.requests) == 2


async def test_who_hangs_up_takes_nobody_along(vllm: FakeVllm, predictor: VllmPredictor) -> None:
    vllm.delay = 0.05
    hasty, patient = (asyncio.create_task(predictor.predict(QUERY, [text])) for text in ("hasty", "patient"))
    await until(lambda: len(vllm.requests) == 1)
    hasty.cancel()
    assert len(await patient) == 1
    assert len(vllm.requests) == 1
    assert hasty.cancelled()


async def test_long_list_lets_others_in_between(vllm: FakeVllm, predictor: VllmPredictor) -> None:
    vllm.delay = 0.01
    long = asyncio.create_task(predictor.predict(QUERY, [f"text {n}" for n in range(1_000)]))
    await until(lambda: len(vllm.requests) > 0)
    await predictor.predict(QUERY, ["a person waits"])
    assert len(vllm.requests) < 20
    await long


@pytest.mark.parametrize(
    "answer",
    [
        Response("<html>hello</html>"),
        JSONResponse({}),
        JSONResponse({"choices": []}),
        JSONResponse({"choices": [{"index": 0, "logprobs": None}]}),
        JSONResponse([1]),
        completion({}),
        completion({"token_id:36": 0.0}),
        completion({"A": math.log(0.5), "B": math.log(0.5)}),
    ],
)
async def test_nonsense_counts_as_down(vllm: FakeVllm, predictor: VllmPredictor, answer: Response) -> None:
    vllm.failure = answer
    with pytest.raises(Unreachable, match="nonsense"):
        await predictor.predict(QUERY, ["hi"])


@pytest.mark.parametrize("shares", [(0.5, 0.4), (0.5, 0.502), (1.0, 1.0), (0.0, 0.0)])
async def test_probabilities_that_do_not_sum_to_one_count_as_nonsense(
    vllm: FakeVllm, predictor: VllmPredictor, tmp_path: Path, shares: tuple[float, float]
) -> None:
    prompts = PromptBuilder(tmp_path / "base")
    names = [f"token_id:{prompts.code_id(code)}" for code in "AB"]
    vllm.failure = completion(
        {n: math.log(share) if share else -9999.0 for n, share in zip(names, shares, strict=True)}
    )
    with pytest.raises(Unreachable, match="processed_logprobs"):
        await predictor.predict(QUERY, ["hi"])


async def test_rounding_is_forgiven_and_made_good(vllm: FakeVllm, predictor: VllmPredictor, tmp_path: Path) -> None:
    prompts = PromptBuilder(tmp_path / "base")
    a, b = (f"token_id:{prompts.code_id(code)}" for code in "AB")
    vllm.failure = completion({a: math.log(0.7004), b: math.log(0.3)})
    (heard,) = await predictor.predict(QUERY, ["hi"])
    assert math.isclose(sum(heard.probabilities.values()), 1.0, abs_tol=1e-12)
    assert math.isclose(heard.probabilities["billing"], 0.7, abs_tol=1e-3)


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
async def test_busy_or_broken_server_counts_as_down(vllm: FakeVllm, predictor: VllmPredictor, status: int) -> None:
    vllm.failure = Response(status_code=status)
    with pytest.raises(Unreachable, match=str(status)):
        await predictor.predict(QUERY, ["hi"])


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_no_is_final_and_repeats_nothing_that_was_asked(
    vllm: FakeVllm, predictor: VllmPredictor, status: int
) -> None:
    vllm.failure = JSONResponse({"error": {"message": "the prompt was: my secret"}}, status)
    with pytest.raises(Refused, match=str(status)) as refused:
        await predictor.predict(QUERY, ["my secret"])
    assert "secret" not in str(refused.value)


async def test_one_bad_request_among_many_is_one_plain_error(vllm: FakeVllm, predictor: VllmPredictor) -> None:
    vllm.failure = Response(status_code=503)
    with pytest.raises(Unreachable):
        await predictor.predict(QUERY, ["hi"] * 100)


async def test_server_that_is_not_there_counts_as_down(tmp_path: Path) -> None:
    async with open_line("http://127.0.0.1:9/v1/") as line:
        predictor = VllmPredictor(PromptBuilder(listed_base(tmp_path / "b")), "base", VllmAdapters(line, tmp_path))
        with pytest.raises(Unreachable, match="no connection"):
            await predictor.predict(QUERY, ["hi"])


async def test_silent_server_counts_as_down(tmp_path: Path) -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, open_line(f"http://127.0.0.1:{port}", patience=0.1) as line:
        predictor = VllmPredictor(PromptBuilder(listed_base(tmp_path / "b")), "base", VllmAdapters(line, tmp_path))
        with pytest.raises(Unreachable, match="timed out"):
            await predictor.predict(QUERY, ["hi"])


async def test_starter_without_an_adapter_is_refused_unasked(
    vllm: FakeVllm, line: httpx.AsyncClient, tmp_path: Path
) -> None:
    predictor = VllmPredictor(PromptBuilder(bare_base(tmp_path / "bare")), "starter", VllmAdapters(line, tmp_path))
    with pytest.raises(NotTrained, match="before it was trained"):
        await predictor.predict(Query(TASK, {"billing": "<label_000>"}, None), ["hi"])
    assert vllm.requests == []


async def test_adapter_made_for_another_base_is_refused(predictor: VllmPredictor, tmp_path: Path) -> None:
    made = datetime(2026, 1, 1, tzinfo=UTC)
    foreign = Adapter("routing-1", "routing", tmp_path, "starter", {"billing": "<label_000>"}, 1.0, made)
    with pytest.raises(Refused, match="another one"):
        await predictor.predict(Query(TASK, foreign.codes, foreign), ["hi"])


# --- somebody waits for the answer ---


IN_A_HURRY = replace(QUERY, deadline=0.05)


async def test_a_server_that_hangs_costs_no_more_than_the_deadline(vllm: FakeVllm, predictor: VllmPredictor) -> None:
    vllm.delay = 30.0
    with pytest.raises(Unreachable, match=r"no answer within 0\.05 s"):
        await predictor.predict(IN_A_HURRY, ["hi"])


async def test_more_texts_may_take_longer(vllm: FakeVllm, predictor: VllmPredictor) -> None:
    vllm.delay = 0.1
    assert len(await predictor.predict(IN_A_HURRY, ["hi"] * 16)) == 16


async def test_after_three_deadlines_it_is_not_asked_any_more(vllm: FakeVllm, predictor: VllmPredictor) -> None:
    vllm.delay = 30.0
    for _ in range(3):
        with pytest.raises(Unreachable, match="no answer"):
            await predictor.predict(IN_A_HURRY, ["hi"])
    asked = len(vllm.requests)
    with pytest.raises(Unreachable, match="not asked, it did not answer 3 times running"):
        await predictor.predict(IN_A_HURRY, ["hi"])
    assert (len(vllm.requests), predictor.breaker.closed) == (asked, False)


async def test_who_has_time_asks_all_the_same_and_stands_in_nobodys_way(
    vllm: FakeVllm, predictor: VllmPredictor
) -> None:
    vllm.delay = 30.0
    slow = [asyncio.create_task(predictor.predict(QUERY, [f"text {n}"] * 16)) for n in range(8)]
    await until(lambda: vllm.most_at_once == 4)
    vllm.delay = 0.0
    assert len(await predictor.predict(replace(QUERY, deadline=5.0), ["hi"])) == 1
    for asked in slow:
        asked.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_an_adapter_that_is_loaded_on_the_way_is_part_of_the_deadline(tmp_path: Path) -> None:
    """The server takes the question, does not know the adapter, and hangs when it is asked for its list."""

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        if asked.startswith(b"POST /v1/completions"):
            writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
        else:
            await reader.read()
        writer.close()

    shape = {"hidden_size": 8, "num_attention_heads": 2, "head_dim": 4, "intermediate_size": 16}
    (tmp_path / "config.json").write_text(json.dumps(shape | {"num_hidden_layers": 1}), encoding="utf-8")
    lora = write_lora(tmp_path / "lora", tmp_path, 1)
    server = await asyncio.start_server(answers, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    async with server, open_line(f"http://127.0.0.1:{port}") as line:
        prompts = PromptBuilder(listed_base(tmp_path / "base"))
        predictor = VllmPredictor(prompts, "base", VllmAdapters(line, tmp_path))
        adapter = Adapter("routing-1", "routing", lora, "base", CODES, 1.0, datetime.now(UTC))
        with pytest.raises(Unreachable):
            async with asyncio.timeout(10):
                await predictor.predict(Query(TASK, CODES, adapter, deadline=0.5), ["hi"])


MOOD = Task("mood", "How?", (Label("upset", "angry"), Label("calm", "not"), Label("glad", "happy")), "calm")
MOODS = Query(MOOD, {"upset": "B", "calm": "C", "glad": "D"}, None, further=True)


async def test_prompts_of_several_questions_travel_in_one_request(
    vllm: FakeVllm, predictor: VllmPredictor, tmp_path: Path
) -> None:
    prompts = PromptBuilder(tmp_path / "base")
    [team], [mood] = await asyncio.gather(predictor.predict(QUERY, ["hi"]), predictor.predict(MOODS, ["hi"]))
    (asked,) = vllm.requests
    assert asked["prompt"] == [prompts.prompt_ids(TASK, CODES, "hi"), prompts.prompt_ids(MOOD, MOODS.codes, "hi")]
    assert asked["allowed_token_ids"] == [prompts.code_id(code) for code in "ABCD"]
    assert asked["logprobs"] == 4
    assert set(team.probabilities) == {"billing", "it"} and set(mood.probabilities) == {"upset", "calm", "glad"}
    assert math.isclose(sum(team.probabilities.values()), 1.0) and math.isclose(sum(mood.probabilities.values()), 1.0)


async def test_of_what_travelled_together_each_gets_the_exact_distribution_over_its_own_labels(
    vllm: FakeVllm, predictor: VllmPredictor, tmp_path: Path
) -> None:
    prompts = PromptBuilder(tmp_path / "base")
    shares = {"A": 0.06, "B": 0.03, "C": 0.9, "D": 0.01}
    row = {f"token_id:{prompts.code_id(code)}": math.log(share) for code, share in shares.items()}
    choice = {"logprobs": {"top_logprobs": [row]}}
    vllm.failure = JSONResponse({"choices": [{"index": 0, **choice}, {"index": 1, **choice}]})
    [team], [mood] = await asyncio.gather(predictor.predict(QUERY, ["hi"]), predictor.predict(MOODS, ["hi"]))
    assert team.probabilities == pytest.approx({"billing": 2 / 3, "it": 1 / 3})
    assert mood.probabilities == pytest.approx({"upset": 0.03 / 0.94, "calm": 0.9 / 0.94, "glad": 0.01 / 0.94})


async def test_a_further_question_that_fails_keeps_nobody_from_asking_about_the_team(
    vllm: FakeVllm, predictor: VllmPredictor
) -> None:
    vllm.failure = Response(status_code=503)
    for _ in range(5):
        with pytest.raises(Unreachable):
            await predictor.predict(replace(MOODS, deadline=1.0), ["hi"])
    assert predictor.breaker.closed
    vllm.failure = None
    [team] = await predictor.predict(replace(QUERY, deadline=1.0), ["hi"])
    assert set(team.probabilities) == {"billing", "it"}
