"""A real Ray cluster on this machine with one processor: the promises of the unit tests' place, and a whole training.

Skipped if the extra `ray` is not installed, as it is by default: see pyproject.toml.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.domain.errors import TrainingFailed
from inference.ray_process import ray_trainer
from inference.ray_train import Place
from inference.ray_worker import PREFIX
from inference.run_folder import TEXTS, WEIGHTS, finished, write_run
from inference.trainer_process import TrainerProcess
from tests.ray_places import PlaceHere, script
from tests.runs import a_run
from tests.tiny_llamas import starter_like
from tests.unit.inference.test_ray_train import STUCK

pytest.importorskip("ray")
pytestmark = pytest.mark.slow

_ENOUGH = 240
"""Seconds that anything may take on a busy machine."""
_AGENTS = ("runtime-env-agent-port", "dashboard-agent-grpc-port", "dashboard-agent-listen-port", "metrics-export-port")
"""Fixed ports; Ray waits at most fifteen seconds for ports that it chooses, which is too short on a busy machine."""


@pytest.fixture(scope="module")
def there() -> Iterator[Path]:
    """Where the machines of the cluster keep their files; Ray's sockets need a short path."""
    folder = Path(tempfile.mkdtemp(prefix="sr"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def address(there: Path) -> Iterator[str]:
    """The address of a cluster."""
    port, *agents = free_ports(5)
    (quick := there / "quick").mkdir()
    (quick / "rfc3987_syntax.py").write_text("raise ImportError  # a second of grammar in each of Ray's processes\n")
    ray = str(Path(sys.executable).with_name("ray"))
    known = {
        **os.environ,
        "PYTHONPATH": f"{quick}:{Path.cwd()}",
        "TMPDIR": str(there),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    small = ("--num-cpus=1", "--object-store-memory=80000000", f"--temp-dir={there / 'r'}", "--include-dashboard=false")
    ports = ("--port=0", f"--ray-client-server-port={port}", "--block")
    named = [f"--{name}={one}" for name, one in zip(_AGENTS, agents, strict=True)]
    command = [ray, "start", "--head", *small, *ports, *named]
    with (there / "said").open("wb") as said:
        cluster = subprocess.Popen(command, env=known, stdout=said, stderr=said, start_new_session=True)
    until(lambda: "Ray runtime started" in (there / "said").read_text() or cluster.poll() is not None)
    assert cluster.poll() is None, (there / "said").read_text()
    yield f"ray://{host_in(there / 'said')}:{port}"
    os.killpg(cluster.pid, signal.SIGTERM)
    cluster.wait(_ENOUGH)


def free_ports(many: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(many)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def host_in(said: Path) -> str | None:
    """Ray listens on this machine's own address, which differs between machines."""
    found = re.search(r"Local node IP: (\S+)", said.read_text())
    return found[1] if found else None


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _ENOUGH
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def left(there: Path) -> list[Path]:
    return list(there.glob(f"{PREFIX}*"))


def trainer(address: str, base: Path) -> TrainerProcess:
    return ray_trainer(address, str(base), cpus=1, gpus=0, mask=False)


@pytest.fixture(params=["here", "ray"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """The unit tests' own place, and one on a cluster."""
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    if request.param == "here":
        yield PlaceHere(script(tmp_path, STUCK))
        return
    address = request.getfixturevalue("address")
    import ray

    from inference.ray_cluster import connect

    yield connect(address)("contract", 1, 0)
    ray.shutdown()


def test_a_place_holds_one_training_until_it_is_stopped(place: Place, tmp_path: Path) -> None:
    starter = starter_like(tmp_path / "starter")
    write_run(a_run(tmp_path / "run", starter))
    files = {name: (tmp_path / "run" / name).read_bytes() for name in ("task.json", TEXTS)}
    until(lambda: place.ready(1.0))
    assert place.standing() is None
    place.take(files, str(starter))
    place.take(files, str(starter))
    begun = place.standing()
    assert begun is not None
    place.stop()
    place.release()


async def test_the_adapter_is_trained_there_and_no_text_stays(tmp_path: Path, there: Path, address: str) -> None:
    starter = starter_like(tmp_path / "starter")
    run, told = a_run(tmp_path / "routing-7", tmp_path / "nowhere"), list[float]()
    adapter = await trainer(address, starter).train(run, lambda share, _doing: told.append(share))
    assert (adapter / WEIGHTS).is_file()
    assert finished(run.folder) is not None
    assert told[-1] == 1.0
    assert left(there) == []


async def test_what_fails_there_is_said_here(tmp_path: Path, there: Path, address: str) -> None:
    run = a_run(tmp_path / "routing-8", tmp_path / "nowhere")
    with pytest.raises(TrainingFailed, match="is neither `starter`, nor a folder, nor a Hugging Face id"):
        await trainer(address, tmp_path / "no such base").train(run, lambda _share, _doing: None)
    assert left(there) == []


async def test_who_stops_it_here_has_stopped_it_there(tmp_path: Path, there: Path, address: str) -> None:
    starter = starter_like(tmp_path / "starter")
    run = a_run(tmp_path / "routing-9", starter)

    class Forgotten(Exception):
        """A forgotten person whose words are in it."""

    def told(_share: float, doing: str) -> None:
        if left(there):
            raise Forgotten

    with pytest.raises(Forgotten):
        await trainer(address, starter).train(run, told)
    until(lambda: left(there) == [])


def test_a_bot_that_was_killed_finds_its_training(tmp_path: Path, there: Path, address: str) -> None:
    starter = starter_like(tmp_path / "starter")
    run = a_run(tmp_path / "routing-10", starter)
    write_run(run)
    command = [
        sys.executable,
        "-m",
        "inference.ray_train",
        str(run.folder),
        "--address",
        address,
        "--base",
        str(starter),
    ]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    until(lambda: bool(left(there)) or first.poll() is not None)
    first.kill()
    first.wait()
    (folder,) = left(there)
    second = subprocess.run(command, check=True, capture_output=True, text=True)
    assert finished(run.folder) is not None, second.stderr
    assert not folder.exists()
    assert left(there) == []
