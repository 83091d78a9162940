"""Real processes against a real vLLM server, which they share: starting one takes most of a minute."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.server import EmbeddedServer
from tests.acceptance.processes import sweep


@pytest.fixture(scope="session")
def model_url(vllm_server: EmbeddedServer) -> str:
    """Where the session's vLLM answers."""
    return f"unix:{vllm_server.socket}"


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where homes are made."""
    folder = tmp_path_factory.mktemp("homes")
    yield folder
    sweep(folder)
