"""A training on a Ray cluster without Ray: the code that runs there runs here, in separate processes."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Event

import pytest

from bot.domain.errors import TrainingFailed, Unreachable
from inference import ray_train
from inference.ray_train import Stopped, keep, train_there
from inference.ray_worker import PREFIX, Files, remove_left
from inference.run_folder import CHECKPOINT, WEIGHTS, finished, write_run
from tests.ray_places import PlaceHere, script
from tests.runs import a_run
from tests.unit.inference.test_trainer_process import TRAINED

STUCK = """
(folder / "checkpoint.safetensors").write_bytes(b"half")
print('{"progress": 0.5, "doing": "step 2 of 4"}', flush=True)
import time; time.sleep(600)
"""


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the machines of the cluster keep their files."""
    (there := tmp_path / "there").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(there))
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    return there


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_run(a_run(tmp_path / "routing-7", Path("starter")))
    return tmp_path / "routing-7"


def unheard(share: float, doing: str) -> None: ...


def test_the_adapter_comes_back_and_nothing_stays_there(run: Path, there: Path, tmp_path: Path) -> None:
    place = PlaceHere(script(tmp_path, TRAINED))
    train_there(run, place, "starter", unheard, every=0.01)
    assert (run / "adapter" / WEIGHTS).read_bytes() == b"weights"
    assert finished(run) is not None
    assert place.released
    assert list(there.iterdir()) == []


def test_texts_are_gone_there_when_the_training_ended_though_nobody_asked(
    run: Path, there: Path, tmp_path: Path
) -> None:
    place = PlaceHere(script(tmp_path, TRAINED))
    place.take({name: (run / name).read_bytes() for name in ("task.json", "examples.jsonl")}, "starter")
    while (standing := place.standing()) is None or standing.ended is None:
        pass
    (folder,) = there.iterdir()
    assert "examples.jsonl" not in {path.name for path in folder.iterdir()}
    place.stop()


def test_stopped_it_is_stopped_there_and_brings_back_where_it_stood(run: Path, there: Path, tmp_path: Path) -> None:
    place, stopping = PlaceHere(script(tmp_path, STUCK)), Event()

    def told(share: float, _doing: str) -> None:
        if share == 0.5:
            stopping.set()

    with pytest.raises(Stopped):
        train_there(run, place, "starter", told, stopping, every=0.01)
    assert (run / CHECKPOINT).read_bytes() == b"half"
    assert list(there.iterdir()) == []
    assert finished(run) is None


def test_one_that_goes_on_is_found_and_not_begun_again(run: Path, tmp_path: Path) -> None:
    place = PlaceHere(script(tmp_path, TRAINED + 'Path(sys.argv[0]).with_name("count").open("a").write("x")\n'))
    place.take({name: (run / name).read_bytes() for name in ("task.json", "examples.jsonl")}, "starter")
    train_there(run, place, "starter", unheard, every=0.01)
    assert (tmp_path / "count").read_text() == "x"


def test_one_that_nobody_asks_for_ends_and_leaves_nothing(run: Path, there: Path, tmp_path: Path) -> None:
    place = PlaceHere(script(tmp_path, STUCK), lease=0.2)
    place.take({name: (run / name).read_bytes() for name in ("task.json", "examples.jsonl")}, "starter")
    place.left.wait(20)
    assert list(there.iterdir()) == []


def test_a_failed_one_says_its_last_words_and_leaves_nothing(run: Path, there: Path, tmp_path: Path) -> None:
    place = PlaceHere(script(tmp_path, "sys.exit('CUDA out of memory')"))
    with pytest.raises(TrainingFailed, match="ended with 1: CUDA out of memory"):
        train_there(run, place, "starter", unheard, every=0.01)
    assert list(there.iterdir()) == []


@pytest.mark.parametrize("name", ["../evil", "adapter/../../evil", "/etc/evil", "adapter/deep/evil"])
def test_no_file_comes_back_to_anywhere_else(run: Path, name: str) -> None:
    with pytest.raises(TrainingFailed, match="no training makes"):
        keep(run, {name: b""})


def test_what_was_bent_on_the_way_is_no_adapter(run: Path, tmp_path: Path) -> None:
    class Bending(PlaceHere):
        def bring(self) -> Files:
            return {**super().bring(), f"adapter/{WEIGHTS}": b"bent"}

    with pytest.raises(TrainingFailed, match="digest differs"):
        train_there(run, Bending(script(tmp_path, TRAINED)), "starter", unheard, every=0.01)
    assert finished(run) is None


def test_a_cluster_that_is_gone_while_we_stop_is_said(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Away(PlaceHere):
        def stop(self) -> Files:
            super().stop()
            raise Unreachable("the cable is out")

    with pytest.raises(TrainingFailed, match="ended with 3"):
        train_there(run, Away(script(tmp_path, "sys.exit(3)")), "starter", unheard, every=0.01)
    assert "the cable is out" in capsys.readouterr().err


def test_a_cluster_without_room_is_waited_for_and_then_given_up(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_train, "WAIT_FOR_ROOM", 0.0)
    place = PlaceHere(script(tmp_path, TRAINED), room=False)
    told: list[str] = []
    with pytest.raises(TrainingFailed, match="had no room"):
        train_there(run, place, "starter", lambda _share, doing: told.append(doing), every=0.01)
    assert told == ["waiting for room on the cluster"]
    assert place.released


def test_what_a_dead_machine_left_is_removed_and_what_is_at_work_stays(run: Path, there: Path, tmp_path: Path) -> None:
    (there / f"{PREFIX}dead").mkdir()
    place = PlaceHere(script(tmp_path, STUCK))
    place.take({name: (run / name).read_bytes() for name in ("task.json", "examples.jsonl")}, "starter")
    assert len(list(there.iterdir())) == 1
    remove_left()
    assert len(list(there.iterdir())) == 1
    place.stop()


def test_a_cluster_that_is_away_is_one_sentence(run: Path) -> None:
    asked = [
        sys.executable,
        "-m",
        "inference.ray_train",
        str(run),
        "--address",
        "ray://127.0.0.1:1",
        "--base",
        "starter",
    ]
    ended = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("the Ray cluster at ray://127.0.0.1:1 does not answer: ")
    assert ended.stderr.count("\n") == 1
    assert json.loads(ended.stdout.splitlines()[0]) == {"progress": 0.0, "doing": "asking the Ray cluster"}


def test_a_folder_whose_worker_died_before_it_began_is_removed(there: Path) -> None:
    (there / "run").mkdir()
    command = [sys.executable, "-m", "inference.scratch_guard", str(there / "run"), "false"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert (ended.stdout, list(there.iterdir())) == ("", [])
