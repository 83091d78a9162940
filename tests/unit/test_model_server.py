"""A model server of another operator must return as many probabilities as the largest task has labels."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.http.server import listening_socket, serve_http
from bot.model_server import of_the_server
from bot.settings import load

SETTINGS = """
[model]
server = "{server}"
[platforms.web]
[tasks.routing]
question = "Which team?"
fallback = "team0"
"""
_USUAL = 20
"""vLLM's own --max-logprobs."""


async def _models(_: Request) -> JSONResponse:
    return JSONResponse({"data": [{"id": "starter", "parent": None, "max_model_len": 4096}]})


async def _answer(request: Request) -> JSONResponse:
    asked = await request.json()
    if asked["logprobs"] > _USUAL:
        return JSONResponse({"error": {"message": "too many"}}, 400)
    first, *others = asked["allowed_token_ids"]
    row = {f"token_id:{first}": 0.0} | {f"token_id:{id}": -30.0 for id in others}
    return JSONResponse({"choices": [{"logprobs": {"top_logprobs": [row]}}]})


async def _load(_: Request) -> JSONResponse:
    return JSONResponse({"error": {"message": "No adapter found for 'switchboard-check'"}}, 404)


@pytest.mark.parametrize(
    ("labels", "wrong"), [(3, []), (30, ["it refuses the question; start it with --max-logprobs 256"])]
)
async def test_a_task_of_many_labels_is_asked_about_as_it_will_be(
    labels: int, wrong: list[str], tmp_path: Path
) -> None:
    routes = [
        Route("/v1/models", _models),
        Route("/v1/completions", _answer, methods=["POST"]),
        Route("/v1/load_lora_adapter", _load, methods=["POST"]),
    ]
    with listening_socket("127.0.0.1", 0) as listening:
        text = SETTINGS.format(server=f"http://127.0.0.1:{listening.getsockname()[1]}")
        for number in range(labels):
            text += (
                f'[tasks.routing.labels.team{number}]\nmeans = "{number}"\ndeliver_to = {{ web = "team{number}" }}\n'
            )
        (tmp_path / "switchboard.toml").write_text(text, "utf-8")
        settings = load(tmp_path / "switchboard.toml", {})
        serving = asyncio.create_task(serve_http(Starlette(routes=routes), listening))
        found = [one async for one in of_the_server(settings.model, settings.tasks)]
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
    assert [one.remedy for one in found if not one.ok] == wrong
    assert len(found) == 4
