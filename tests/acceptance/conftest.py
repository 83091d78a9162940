"""Real processes that share one real vLLM server, because starting it takes most of a minute."""

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
    """The address of the session's vLLM server."""
    return f"unix:{vllm_server.socket}"


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which homes are made."""
    folder = tmp_path_factory.mktemp("homes")
    yield folder
    sweep(folder)


_UNSERVED = itertools.count()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def unserved(homes: Path) -> AsyncIterator[Home]:
    """A home whose model server is stopped; one for each module, though one worker may run several modules."""
    folder = homes / f"unserved{next(_UNSERVED)}"
    folder.mkdir()
    home = Home(folder)
    home.settings(settings(f"http://{free_address()}", free_address()))
    yield home
    await home.until_left_alone()
