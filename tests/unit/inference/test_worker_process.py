"""Child processes leave the processors to others, and none remains when the bot has ended."""

import subprocess
import sys

import pytest

from inference.worker_process import environment

WORKS_FOR_A_MINUTE = """
import time
from inference.worker_process import end_with_parent
end_with_parent()
print("at work", flush=True)
time.sleep(60)
"""


def test_it_ends_with_its_parent() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WORKS_FOR_A_MINUTE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None and child.stdin is not None
        assert child.stdout.readline() == b"at work\n"
        child.stdin.close()  # as the kernel does it for a parent that was killed
        assert child.wait(30) == 1


def test_threads_that_wait_sleep_unless_somebody_wants_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert environment()["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert environment()["OMP_WAIT_POLICY"] == "ACTIVE"
