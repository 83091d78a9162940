"""What every test may ask for."""

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["tests.postgres", "tests.vllm"]

# The same examples in every run, kept nowhere, and no clock: a busy machine is no fault
settings.register_profile("switchboard", derandomize=True, database=None, deadline=None)
settings.load_profile("switchboard")

_WITH_A_MODEL = (
    "tests/acceptance/",
    "tests/integration/inference/",
    "tests/integration/benchmarks/",
    "tests/integration/flow/test_story.py",
)
"""Real processes, vLLM and trainings: one after the other, for two at once would starve on two cores."""


class FilesTogether(LoadScopeScheduling):
    """Each file stays in one process, and whatever runs a model in the same one."""

    def _split_scope(self, nodeid: str) -> str:
        return "model" if nodeid.startswith(_WITH_A_MODEL) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesTogether:
    """How tests are shared out where several processes run them (`make test`)."""
    return FilesTogether(config, log)
