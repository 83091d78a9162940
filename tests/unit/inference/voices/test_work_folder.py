"""Files of a killed fit are removed, and those of a running one are kept."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

from inference.voices.fitted import FittedVoices
from inference.voices.work_folder import remove_left, work_folder

FIT = """
import pathlib, sys, time
from inference.voices.work_folder import work_folder
with work_folder(pathlib.Path(sys.argv[1]), "routing") as folder:
    (folder / "lessons.json").write_text("I was charged twice")
    print(folder, flush=True)
    time.sleep(600)
"""


def _fitting(voices: Path) -> tuple["subprocess.Popen[str]", Path]:
    """A process in the middle of a fit, and the folder that it uses."""
    fit = subprocess.Popen([sys.executable, "-c", FIT, str(voices)], stdout=subprocess.PIPE, text=True)
    assert fit.stdout is not None
    return fit, Path(fit.stdout.readline().strip())


def test_a_start_removes_what_a_killed_fit_left_and_nothing_that_is_in_use(tmp_path: Path) -> None:
    (tmp_path / "routing").mkdir()
    (killed, left), (living, used) = _fitting(tmp_path), _fitting(tmp_path)
    with killed, living:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert (left / "lessons.json").exists()
        asyncio.run(FittedVoices(tmp_path, "fake").remove_left())
        assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "routing", used])
        assert (used / "lessons.json").read_text() == "I was charged twice"
        living.kill()


def test_who_ends_well_leaves_nothing(tmp_path: Path) -> None:
    with work_folder(tmp_path / "voices", "routing") as folder:
        assert folder.is_dir()
        assert remove_left(tmp_path / "voices") == 0
    assert list((tmp_path / "voices").iterdir()) == []
    assert remove_left(tmp_path / "none yet") == 0
