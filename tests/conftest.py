"""What every test may ask for."""

from collections.abc import Sequence

import pytest
from hypothesis import settings

pytest_plugins = ["tests.postgres", "tests.vllm"]

# The same examples in every run, kept nowhere, and no clock: a busy machine is no fault
settings.register_profile("switchboard", derandomize=True, database=None, deadline=None)
settings.load_profile("switchboard")

_WITH_A_MODEL = ("tests/acceptance/", "tests/integration/inference/")
"""Real processes, vLLM and trainings: one after the other, for two at once would starve on two cores."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Where tests run side by side, each file stays together, and whatever runs a model stays in one line."""
    for item in items:
        heavy = item.nodeid.startswith(_WITH_A_MODEL) or item.get_closest_marker("vllm") is not None
        item.add_marker(pytest.mark.xdist_group("model" if heavy else item.nodeid.partition("::")[0]))
