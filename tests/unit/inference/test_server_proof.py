"""Checks of a model server that another operator runs: each fault has its own message."""

import json
import math
from collections.abc import Callable

import httpx
import pytest

from inference.http import open_line
from inference.server_command import serving_flags
from inference.server_proof import Proof, proofs
from tests.small_bases import listed_base

IDS = (5, 6, 7, 8)
Answer = Callable[[httpx.Request], httpx.Response]


def models(*names: str, length: int = 512) -> httpx.Response:
    return httpx.Response(200, json={"data": [{"id": name, "parent": None, "max_model_len": length} for name in names]})


def answered(*probabilities: float) -> httpx.Response:
    """For the first tokens, as many as there are probabilities."""
    row = {f"token_id:{id}": math.log(share) for id, share in zip(IDS, probabilities, strict=False)}
    return httpx.Response(200, json={"choices": [{"logprobs": {"top_logprobs": [row]}}]})


def loads(status: int, said: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": said}})


def server(changed: dict[str, httpx.Response]) -> httpx.MockTransport:
    """A correct server, except for its answers at some of its paths."""
    answers = {
        "/v1/models": models("base"),
        "/v1/completions": answered(0.7, 0.1, 0.1, 0.1),
        "/v1/load_lora_adapter": loads(404, "No adapter found for 'switchboard-check'"),
        **changed,
    }
    return httpx.MockTransport(lambda request: answers[request.url.path])


async def looked_at(transport: httpx.AsyncBaseTransport) -> list[Proof]:
    async with httpx.AsyncClient(base_url="http://models:8000", transport=transport) as line:
        return [proof async for proof in proofs(line, "base", 256, IDS)]


async def test_a_server_that_is_as_it_should_be() -> None:
    found = await looked_at(server({}))
    assert [(proof.what, proof.works, proof.remedy) for proof in found] == [
        ("the model server answers", True, ""),
        ("it serves base", True, ""),
        ("it tells exact probabilities", True, ""),
        ("it takes adapters while it runs", True, ""),
    ]


@pytest.mark.parametrize(
    ("path", "answer", "remedy", "looks"),
    [
        ("/v1/models", httpx.Response(401), "set MODEL_API_KEY to its key", 1),
        ("/v1/models", httpx.Response(503), "answered 503", 1),
        ("/v1/models", httpx.Response(200, text="<html>"), "is no vLLM server", 1),
        ("/v1/models", models("gpt-oss"), "it serves gpt-oss; start it with --served-model-name base", 2),
        ("/v1/models", models(), "it serves nothing", 2),
        ("/v1/models", models("base", length=128), "--max-model-len 256", 2),
        ("/v1/completions", httpx.Response(400), "--max-logprobs", 4),
        ("/v1/completions", answered(0.2, 0.1, 0.1, 0.1), "sum to 0.500; start it with --logprobs-mode", 4),
        ("/v1/completions", answered(0.2, 0.1), "sum to 0.300; start it with --logprobs-mode", 4),
        ("/v1/completions", httpx.Response(200, json={"choices": [{"text": "hi"}]}), "no log-probabilities", 4),
        ("/v1/load_lora_adapter", httpx.Response(404), "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True", 4),
        (
            "/v1/load_lora_adapter",
            loads(500, "LoRA is not enabled. Use --enable-lora"),
            "start it with --enable-lora",
            4,
        ),
        ("/v1/load_lora_adapter", httpx.Response(401), "set MODEL_API_KEY to its key", 4),
    ],
)
async def test_what_is_wrong_has_its_own_sentence(path: str, answer: httpx.Response, remedy: str, looks: int) -> None:
    found = await looked_at(server({path: answer}))
    (wrong,) = [proof for proof in found if not proof.works]
    assert remedy in wrong.remedy
    assert len(found) == looks, "what rests on something that failed is not looked at"


async def test_a_server_that_nobody_runs_is_said() -> None:
    async with open_line("http://127.0.0.1:9") as line:
        (only,) = [proof async for proof in proofs(line, "base", 256, IDS)]
    assert "no connection" in only.remedy


async def test_the_key_is_shown_with_every_question() -> None:
    async with open_line("http://models:8000/v1", key="not-to-be-seen") as line:
        assert line.headers["Authorization"] == "Bearer not-to-be-seen"
        assert line.build_request("GET", "/v1/models").headers["Authorization"] == "Bearer not-to-be-seen"


def test_a_server_of_ones_own_is_started_with_what_ours_is(tmp_path_factory: pytest.TempPathFactory) -> None:
    base = listed_base(tmp_path_factory.mktemp("base"))
    flags = serving_flags(base, "base")
    asked = json.loads((base / "config.json").read_text("utf-8"))["max_position_embeddings"]
    assert flags[flags.index("--max-model-len") + 1] == str(min(asked, 8192))
    assert {"--enable-lora", "--logprobs-mode", "--max-logprobs"} <= set(flags)
    assert not {"--host", "--port", "--uds", "--model"} & set(flags)
