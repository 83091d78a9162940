"""A real vLLM without a common folder fetches adapters from the bot by name, and answers as if it had the files."""

import asyncio
import os
import shutil
import signal
import sys
import tomllib
from asyncio.subprocess import STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from bot.adapter_delivery import sums
from bot.domain.errors import Refused
from bot.domain.learning import Adapter
from bot.http.adapter_files import AdapterFiles
from bot.http.app import site
from bot.http.server import listening_socket, serve_http
from inference.adapter_delivery import delivery
from inference.adapters import VllmAdapters
from inference.base_models import STARTER
from inference.child_environment import needed
from inference.http import Health, health, open_line
from inference.server_command import environment, serving_flags
from tests.acceptance.processes import REPOSITORY, free_address, until
from tests.fakes_inference import write_lora

TOKEN = "shown-by-the-model-server"
START_SECONDS = 480.0


def installed(folder: Path) -> Path:
    """What `pip install --no-deps --target` of this project installs: one module, and the entry point that names it."""
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    [(name, value)] = declared["entry-points"]["vllm.general_plugins"].items()
    (folder / "inference").mkdir(parents=True)
    (folder / "inference" / "__init__.py").touch()
    shutil.copy(REPOSITORY / f"{value.partition(':')[0].replace('.', '/')}.py", folder / "inference")
    about = folder / "switchboard_elsewhere-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: switchboard-elsewhere\nVersion: 1\n", "utf-8")
    (about / "entry_points.txt").write_text(f"[vllm.general_plugins]\n{name} = {value}\n", "utf-8")
    return folder


@asynccontextmanager
async def bot(found: dict[str, Path]) -> AsyncIterator[str]:
    """The address at which it provides these adapters."""

    async def find(name: str) -> Path | None:
        return found.get(name)

    with listening_socket("127.0.0.1", 0) as listening:
        serving = asyncio.create_task(serve_http(site(AdapterFiles(find, sums, TOKEN).routes), listening))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


@asynccontextmanager
async def model_server(bot: str, home: Path) -> AsyncIterator[httpx.AsyncClient]:
    """vLLM as another operator starts it, in its own folder, with only our plug-in."""
    address = free_address()
    host, port = address.split(":")
    plugin = installed(home / "plugin")
    variables = {
        **needed(os.environ),
        **environment(cpu=True),
        "PYTHONPATH": str(plugin),
        "SWITCHBOARD_ADAPTERS_URL": bot,
        "SWITCHBOARD_ADAPTER_TOKEN": TOKEN,
        "SWITCHBOARD_ADAPTERS_KEPT": str(home / "kept"),
    }
    flags = ["--model", str(STARTER), "--host", host, "--port", port, *serving_flags(STARTER, "starter")]
    with (home / "log").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "vllm.entrypoints.openai.api_server", *flags, "--enforce-eager"),
            cwd=home,
            env=variables,
            stdout=said,
            stderr=STDOUT,
            start_new_session=True,
        )
    try:
        async with open_line(f"http://{address}", patience=120) as line:

            async def answers() -> bool:
                assert process.returncode is None, (home / "log").read_text("utf-8")[-3_000:]
                return await health(line) is Health.ALIVE

            await until(answers, START_SECONDS, lambda: (home / "log").read_text("utf-8")[-3_000:])
            yield line
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def said(line: httpx.AsyncClient, model: str) -> dict[str, float]:
    """The probability of each first word."""
    body = {"model": model, "prompt": "where is my parcel", "max_tokens": 1, "temperature": 0, "logprobs": 20}
    answer = await line.post("/v1/completions", json=body)
    found: dict[str, float] = answer.raise_for_status().json()["choices"][0]["logprobs"]["top_logprobs"][0]
    return found


@pytest.mark.slow
@pytest.mark.vllm
async def test_a_server_elsewhere_answers_with_what_it_fetched(tmp_path: Path) -> None:
    home = tmp_path / "elsewhere"
    home.mkdir()
    ours = write_lora(tmp_path / "runs" / "routing-1" / "adapter", STARTER, seed=7)
    adapter = Adapter("routing-1", "routing", ours, "starter", {}, 1.0, datetime(2026, 1, 1, tzinfo=UTC))
    async with bot({"routing-1": ours}) as address, model_server(address, home) as line:
        adapters = VllmAdapters(line, STARTER, delivery("fetch", tmp_path / "runs"))
        await adapters.load(adapter)
        assert await adapters.loaded() == {"routing-1"}
        [kept] = (home / "kept").iterdir()
        assert {file.name for file in kept.iterdir()} == set(sums(ours))
        fetched = await said(line, "routing-1")
        assert fetched != await said(line, "starter")
        seen = replace(adapter, name="seen")  # the same files, which this server can also read
        await VllmAdapters(line, STARTER).load(seen)
        assert await said(line, "seen") == fetched
        with pytest.raises(Refused, match="does not find it"):
            await adapters.load(replace(adapter, name="routing-2", path=tmp_path / "nowhere"))
        await adapters.unload("routing-1")
        assert await said(line, "routing-1") == fetched  # fetched again because it was asked
