"""A scripted model server: answers at once and is sure, or misbehaves as it is told; a process that can be killed.

    python -m benchmarks.chaos.model 8000

`POST /_behave {"as": "hangs"}` changes what it does from the next question on; see `BEHAVIOURS`.
"""

import asyncio
import hashlib
import math
import sys

from aiohttp import web

from tests.servers.half import half

BEHAVIOURS = ("answers", "hangs", "half", "other", "fails")
"""Answers well; never; half an answer; about tokens that were not asked about, as another model would; with 500."""
_SURE = 0.995


class ScriptedModel:
    """The part of vLLM that a bot uses."""

    def __init__(self) -> None:
        self.behaves = "answers"
        self._adapters: set[str] = set()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_get("/health", self._health)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/completions", self._complete)
        app.router.add_post("/v1/load_lora_adapter", self._load)
        app.router.add_post("/v1/unload_lora_adapter", self._unload)
        app.router.add_post("/_behave", self._told)
        return app

    async def _told(self, request: web.Request) -> web.Response:
        self.behaves = str((await request.json())["as"])
        return web.json_response({"as": self.behaves})

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _models(self, _: web.Request) -> web.Response:
        base = {"id": "starter", "root": "/base", "parent": None}
        return web.json_response({"data": [base, *({"id": name, "parent": "starter"} for name in self._adapters)]})

    async def _load(self, request: web.Request) -> web.Response:
        self._adapters.add(str((await request.json())["lora_name"]))
        return web.Response(text="Success")

    async def _unload(self, request: web.Request) -> web.Response:
        self._adapters.discard(str((await request.json())["lora_name"]))
        return web.Response(text="Success")

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        if self.behaves == "hangs":
            await asyncio.sleep(3600)
        if self.behaves == "fails":
            return web.json_response({"error": {"message": "engine died"}}, status=500)
        if asked["model"] != "starter" and asked["model"] not in self._adapters:
            return web.json_response({"error": {"message": "no such model"}}, status=404)
        tokens = [int(one) for one in asked["allowed_token_ids"]]
        if self.behaves == "other":
            tokens = [one + 7 for one in tokens]
        choices = [_choice(index, prompt, tokens) for index, prompt in enumerate(asked["prompt"])]
        if self.behaves == "half":
            return await _half(request)
        return web.json_response({"choices": choices})


def _choice(index: int, prompt: list[int], tokens: list[int]) -> dict[str, object]:
    """An answer that is certain of one label, which the prompt's hash picks."""
    drawn = int(hashlib.sha256(repr(prompt).encode()).hexdigest(), 16) % len(tokens)
    rest = (1 - _SURE) / max(1, len(tokens) - 1)
    row = {f"token_id:{one}": math.log(_SURE if n == drawn else rest) for n, one in enumerate(tokens)}
    return {"index": index, "logprobs": {"top_logprobs": [row]}}


async def _half(request: web.Request) -> web.StreamResponse:
    return await half(request, b'{"choices": [')


def main() -> None:
    """Serve on that port of this machine until killed."""
    web.run_app(ScriptedModel().app(), host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
