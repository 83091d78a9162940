"""A Ray cluster that is lost in the middle of a training: one sentence, at once, and no traceback.

Ray itself is not installed here. A package of its name stands in for it, whose calls end as Ray's client lets them end.
"""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.errors import TrainingFailed
from inference.ray_process import ray_trainer
from inference.run_folder import LOG
from tests.runs import a_run

RAY = '''
import atexit, sys, time
from inference.ray_worker import Standing
from ray import exceptions

class RpcError(Exception):
    """Related to no other error, as gRPC's is."""

class Method:
    def __init__(self, name): self.name = name
    def remote(self, *given): return self.name

class Actor:
    def __getattr__(self, name): return Method(name)

class Maker:
    def options(self, **_): return self
    def remote(self): return Actor()

asked = []

def remote(_): return Maker()

def init(*_, **__): atexit.register(farewell)

def farewell():
    print("Traceback (most recent call last): the channel is closed", file=sys.stderr)
    time.sleep(600)

def wait(refs, timeout):
    if len(asked) > 2: raise LOST
    return refs, []

def get(name, timeout):
    asked.append(name)
    if len(asked) > 2:
        print("Traceback (most recent call last): Exception in thread ray_client", file=sys.stderr)
        raise LOST
    return None

def shutdown(): pass

def kill(_): raise LOST
'''
EXCEPTIONS = """
class RayError(Exception): ...
class GetTimeoutError(RayError): ...
"""


@pytest.fixture
def address() -> Iterator[str]:
    """Something listens there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"ray://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("error", "what"),
    [
        ("RpcError('StatusCode.UNAVAILABLE')", "was lost in the middle of the training (RpcError)"),
        ("ConnectionError('shutting down')", "was lost in the middle of the training (ConnectionError)"),
        ("exceptions.GetTimeoutError()", "did not answer within 120 s"),
    ],
)
async def test_the_person_reads_one_sentence_that_says_that_it_comes_again(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str, what: str
) -> None:
    (package := tmp_path / "packages" / "ray").mkdir(parents=True)
    (package / "__init__.py").write_text(f"{RAY}\nLOST = {error}\n", "utf-8")
    (package / "exceptions.py").write_text(EXCEPTIONS, "utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{package.parent}:{Path.cwd()}")
    run, begun = a_run(tmp_path / "routing-7", Path("starter")), time.monotonic()
    with pytest.raises(TrainingFailed) as failed:
        await ray_trainer(address, "starter", 1, 0, mask=False).train(run, lambda _share, _doing: None)
    again = "nothing was learned, and the next learning cycle trains again"
    assert str(failed.value) == f"the Ray cluster {what}; {again}"
    assert "Traceback" in (run.folder / LOG).read_text("utf-8"), "what Ray says is in the log of the training"
    assert time.monotonic() - begun < 60, "nobody waits until Ray has taken leave of what is gone"
