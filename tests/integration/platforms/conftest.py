"""A platform in a separate package, for tests that need one."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.platforms.example import pip_installs


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pip_installs(tmp_path_factory.mktemp("pip"))


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package is on the path, and removed after the test."""
    monkeypatch.syspath_prepend(str(site))
    yield site
    for name in [name for name in sys.modules if name.partition(".")[0] == "switchboard_hooks"]:
        del sys.modules[name]
