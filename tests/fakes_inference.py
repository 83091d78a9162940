"""A vLLM server for the client, in this process, which can also misbehave; and the small models tests need."""

import asyncio
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path

import httpx
import numpy as np
from safetensors.numpy import save_file
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class FakeVllm:
    """Answers with probabilities from a hash of model and prompt: the same for equal questions, else different."""

    def __init__(self, served: str = "starter") -> None:
        self.served = served
        self.adapters: dict[str, str] = {}
        self.requests: list[dict[str, object]] = []
        self.traces: list[str] = []
        """The `traceparent` of every question that had one."""
        self.down = False
        """Refuses every connection."""
        self.loads = 0
        self.failure: Response | None = None
        """Answers every question if set."""
        self.delay = 0.0
        self.most_at_once = 0
        self._at_once = 0

    def line(self, patience: float = 5.0) -> httpx.AsyncClient:
        """A client whose calls are answered by this server."""
        routes = [
            Route("/health", self._health),
            Route("/v1/models", self._models),
            Route("/v1/completions", self._completions, methods=["POST"]),
            Route("/v1/load_lora_adapter", self._load, methods=["POST"]),
            Route("/v1/unload_lora_adapter", self._unload, methods=["POST"]),
        ]
        transport = _Reached(self, Starlette(routes=routes))
        return httpx.AsyncClient(base_url="http://vllm.test", transport=transport, timeout=patience)

    def restart(self) -> None:
        """Forget every adapter, as a new process does."""
        self.adapters.clear()

    async def _health(self, _: Request) -> Response:
        return Response()

    async def _models(self, _: Request) -> Response:
        base: dict[str, object] = {"id": self.served, "root": "/base", "parent": None}
        loras = [{"id": name, "root": path, "parent": self.served} for name, path in self.adapters.items()]
        return JSONResponse({"data": [base, *loras]})

    async def _completions(self, request: Request) -> Response:
        asked = await request.json()
        self.requests.append(asked)
        self.traces += request.headers.getlist("traceparent")
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(self.delay)
        self._at_once -= 1
        if self.failure is not None:
            return self.failure
        if asked["model"] != self.served and asked["model"] not in self.adapters:
            return _no("The model does not exist", 404)
        choices = [_choice(index, asked, prompt) for index, prompt in enumerate(asked["prompt"])]
        sent = sum(len(prompt) for prompt in asked["prompt"])
        usage = {"prompt_tokens": sent, "completion_tokens": len(choices), "total_tokens": sent + len(choices)}
        return JSONResponse({"choices": choices[::-1], "usage": usage})

    async def _load(self, request: Request) -> Response:
        asked = await request.json()
        self.loads += 1
        if asked["lora_name"] in self.adapters:
            return _no("has already been loaded", 400)
        if not await asyncio.to_thread(Path(asked["lora_path"]).is_dir):
            return _no("No adapter found", 404)
        self.adapters[asked["lora_name"]] = asked["lora_path"]
        return Response("Success")

    async def _unload(self, request: Request) -> Response:
        asked = await request.json()
        found = self.adapters.pop(asked["lora_name"], None)
        return Response("Success") if found else _no("cannot be found", 404)


class _Reached(httpx.ASGITransport):
    """The connection to a fake, while it is running."""

    def __init__(self, fake: FakeVllm, app: Starlette) -> None:
        super().__init__(app)
        self._fake = fake

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._fake.down:
            raise httpx.ConnectError("nobody is there", request=request)
        return await super().handle_async_request(request)


def completion(*rows: Mapping[str, float]) -> JSONResponse:
    """A server's answer with these log-probabilities."""
    choices = [{"index": n, "logprobs": {"top_logprobs": [dict(row)]}} for n, row in enumerate(rows)]
    return JSONResponse({"choices": choices})


def write_lora(folder: Path, base: Path, seed: int, scale: float = 0.3) -> Path:
    """A LoRA of rank 4 on every attention output of the base, with random weights, in the format that peft writes."""
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    draw = np.random.default_rng(seed)
    width, inner = config["hidden_size"], config["num_attention_heads"] * config["head_dim"]
    tensors: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = {}
    for layer in range(config["num_hidden_layers"]):
        stem = f"base_model.model.model.layers.{layer}.self_attn.o_proj"
        tensors[f"{stem}.lora_A.weight"] = (draw.standard_normal((4, inner)) * scale).astype(np.float32)
        tensors[f"{stem}.lora_B.weight"] = (draw.standard_normal((width, 4)) * scale).astype(np.float32)
    folder.mkdir(parents=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    settings = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, "lora_alpha": 8, "target_modules": ["o_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def _choice(index: int, asked: Mapping[str, object], prompt: list[int]) -> dict[str, object]:
    allowed = asked["allowed_token_ids"]
    assert isinstance(allowed, list)
    draws = [int(hashlib.sha256(f"{asked['model']}{prompt}{id}".encode()).hexdigest()[:6], 16) + 1 for id in allowed]
    row = {f"token_id:{id}": math.log(draw / sum(draws)) for id, draw in zip(allowed, draws, strict=True)}
    return {"index": index, "logprobs": {"top_logprobs": [row]}}


def _no(message: str, status: int) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "code": status}}, status)
