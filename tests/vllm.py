"""One real vLLM server for the whole session, shared by the tests that ask for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from inference.base_models import STARTER
from inference.server import EmbeddedServer
from inference.server_command import ServerSettings


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def vllm_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedServer]:
    """vLLM with the starter, started once (most of a minute)."""
    if not (STARTER / "model.safetensors").is_file():
        pytest.skip(f"no starter in {STARTER}")
    directory: Path = tmp_path_factory.mktemp("vllm")
    async with EmbeddedServer(ServerSettings(STARTER, "starter", directory), lambda _share, _doing: None) as server:
        yield server
