"""What every test may ask for."""

from hypothesis import settings

pytest_plugins = ["tests.postgres", "tests.vllm"]

# The same examples in every run, kept nowhere, and no clock: a busy machine is no fault
settings.register_profile("switchboard", derandomize=True, database=None, deadline=None)
settings.load_profile("switchboard")
