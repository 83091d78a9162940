"""Fixtures and settings for every test."""

import os

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["tests.postgres", "tests.vllm"]

# The same examples in every run, no example database and no deadline: a busy machine must not fail a test
settings.register_profile("switchboard", derandomize=True, database=None, deadline=None)
# Different examples in every run, and many of them: `make fuzz`
settings.register_profile(
    "fuzz", max_examples=10_000, database=None, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck)
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "switchboard"))

_WITH_A_MODEL = (
    "tests/acceptance/",
    "tests/integration/inference/",
    "tests/integration/benchmarks/",
    "tests/integration/flow/test_story.py",
)
"""Real processes, vLLM and trainings run one after the other: two at once do not get enough of two cores."""


class FilesTogether(LoadScopeScheduling):
    """Keeps the tests of a file in one process, and all tests that run a model in the same one."""

    def _split_scope(self, nodeid: str) -> str:
        return "model" if nodeid.startswith(_WITH_A_MODEL) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesTogether:
    """Distributes tests if several processes run them (`make test`)."""
    return FilesTogether(config, log)
