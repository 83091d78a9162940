"""Real processes against a real vLLM server, which they share: starting one takes most of a minute."""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from inference.server import EmbeddedServer
from tests.acceptance.desk import settings
from tests.acceptance.processes import Home, free_address, sweep


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


_UNSERVED = itertools.count()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def unserved(homes: Path) -> AsyncIterator[Home]:
    """A home whose model server is gone; each module's own, though one worker may run several."""
    folder = homes / f"unserved{next(_UNSERVED)}"
    folder.mkdir()
    home = Home(folder)
    home.settings(settings(f"http://{free_address()}", free_address()))
    yield home
    await home.until_left_alone()
