import asyncio
import dataclasses
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.domain.errors import TrainingFailed
from bot.domain.learning import Side
from inference.run_folder import LOG, finished
from inference.trainer_process import TrainerProcess
from tests.runs import a_run

TRAINED = """
from inference.run_folder import WEIGHTS, Done, adapter_of, finish, inputs_of, sha256_of
print('{"progress": 0.25, "doing": "step 1 of 4", "loss": 0.5}', flush=True)
print("Some library says hello")
print('{"progress": "soon"}')
print('{"progress": 1.0, "doing": "done"}')
with (folder / "attempts").open("a") as attempts: attempts.write("x")
adapter_of(folder).mkdir(exist_ok=True)
(adapter_of(folder) / WEIGHTS).write_bytes(b"weights")
finish(folder, Done("b", inputs_of(folder), sha256_of(adapter_of(folder) / WEIGHTS), 4, 0.1, 0.5, 15, 0, None))
"""
ENDLESS = """
import os, subprocess, time
child = subprocess.Popen(["sleep", "600"])
(folder / "pids").write_text(f"{os.getpid()} {child.pid}")
time.sleep(600)
"""


def trainer(folder: Path, does: str) -> TrainerProcess:
    script = folder / "trainer.py"
    script.write_text(f"import sys\nfrom pathlib import Path\nfolder = Path(sys.argv[1])\n{does}\n")
    return TrainerProcess(("env", f"PYTHONPATH={Path.cwd()}", sys.executable, str(script)))


def unheard(share: float, doing: str) -> None: ...


async def failure(process: TrainerProcess, folder: Path) -> str:
    with pytest.raises(TrainingFailed) as caught:
        await process.train(a_run(folder, Path("starter")), unheard)
    return str(caught.value)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110  another process makes it true
            await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


async def test_training_gives_the_adapter_and_tells_its_progress(tmp_path: Path) -> None:
    told: list[tuple[float, str]] = []
    run = a_run(tmp_path / "run", Path("starter"))
    adapter = await trainer(tmp_path, TRAINED).train(run, lambda share, doing: told.append((share, doing)))
    assert adapter == tmp_path / "run" / "adapter"
    assert finished(tmp_path / "run") is not None
    assert told == [(0.25, "step 1 of 4"), (1.0, "done")]


async def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    process, run = trainer(tmp_path, TRAINED), a_run(tmp_path / "run", Path("starter"))
    assert await process.train(run, unheard) == await process.train(run, unheard)
    assert (tmp_path / "run" / "attempts").read_text() == "x"


async def test_a_run_with_another_example_is_trained(tmp_path: Path) -> None:
    process, run = trainer(tmp_path, TRAINED), a_run(tmp_path / "run", Path("starter"))
    await process.train(run, unheard)
    await process.train(dataclasses.replace(run, examples=run.examples[1:]), unheard)
    assert (tmp_path / "run" / "attempts").read_text() == "xx"


async def test_a_failure_ends_with_the_last_words(tmp_path: Path) -> None:
    dies = 'print("all was well", file=sys.stderr)\nsys.exit("the disk is full")'
    said = await failure(trainer(tmp_path, dies), tmp_path / "run")
    assert said == "the training of run ended with 1: all was well / the disk is full"
    assert (tmp_path / "run" / LOG).read_text().endswith("the disk is full\n")


async def test_a_failure_never_repeats_what_people_wrote(tmp_path: Path) -> None:
    text = a_run(tmp_path, Path("starter")).examples[0].text
    said = await failure(trainer(tmp_path, f'sys.exit("KeyError: {text}")'), tmp_path / "run")
    assert text not in said
    assert said.endswith("it said nothing")


async def test_a_failure_that_the_trainer_says_itself_is_that_sentence(tmp_path: Path) -> None:
    says = "import json\nprint(json.dumps({'failed': 'the cluster is gone'}), flush=True)\nsys.exit('Traceback')"
    assert await failure(trainer(tmp_path, says), tmp_path / "run") == "the cluster is gone"


async def test_a_sentence_of_the_trainer_that_quotes_people_is_not_repeated(tmp_path: Path) -> None:
    text = a_run(tmp_path, Path("starter")).examples[0].text
    says = f"import json\nprint(json.dumps({{'failed': 'of {text}'}}), flush=True)\nsys.exit('KeyError')"
    assert await failure(trainer(tmp_path, says), tmp_path / "run") == "the training of run ended with 1: KeyError"


async def test_a_killed_training_says_so(tmp_path: Path) -> None:
    dies = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    assert "was killed by SIGKILL (out of memory?)" in await failure(trainer(tmp_path, dies), tmp_path / "run")


async def test_a_training_that_leaves_half_an_adapter_has_failed(tmp_path: Path) -> None:
    half = TRAINED + '(adapter_of(folder) / WEIGHTS).write_bytes(b"wei")'
    assert "without a whole adapter" in await failure(trainer(tmp_path, half), tmp_path / "run")


async def test_done_before_a_crash_does_not_count(tmp_path: Path) -> None:
    assert "ended with 3" in await failure(trainer(tmp_path, TRAINED + "sys.exit(3)"), tmp_path / "run")


async def test_cancelling_ends_the_process_and_what_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "run" / "pids"
    run = a_run(tmp_path / "run", Path("starter"))
    training = asyncio.create_task(trainer(tmp_path, ENDLESS).train(run, unheard))
    await until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    started = [int(pid) for pid in pids.read_text().split()]
    assert all(alive(pid) for pid in started)
    training.cancel()
    with pytest.raises(asyncio.CancelledError):
        await training
    await until(lambda: not any(alive(pid) for pid in started))


async def test_a_progress_that_fails_ends_the_process(tmp_path: Path) -> None:
    def angry(share: float, doing: str) -> None:
        raise ValueError(doing)

    talks = 'import os\n(folder / "pid").write_text(str(os.getpid()))\n' + TRAINED.split("print")[0]
    talks += 'print(\'{"progress": 0.1, "doing": "step 1"}\', flush=True)\nimport time; time.sleep(600)'
    with pytest.raises(ValueError, match="step 1"):
        await trainer(tmp_path, talks).train(a_run(tmp_path / "run", Path("starter")), angry)
    assert not alive(int((tmp_path / "run" / "pid").read_text()))


async def test_what_cannot_be_learned_from_is_refused_before_anything_starts(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run", Path("starter"))
    held_out = dataclasses.replace(run.examples[0], side=Side.HELD_OUT)
    process = TrainerProcess(("false",))
    with pytest.raises(TrainingFailed, match="nothing to learn from"):
        await process.train(dataclasses.replace(run, examples=()), unheard)
    with pytest.raises(TrainingFailed, match="never be learned from"):
        await process.train(dataclasses.replace(run, examples=(held_out,)), unheard)
    codes = {label: code for label, code in run.codes.items() if label != "access"}
    with pytest.raises(TrainingFailed, match="no code was given out for access"):
        await process.train(dataclasses.replace(run, codes=codes), unheard)
    assert not (tmp_path / "run").exists()


async def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where a folder should be")
    said = await failure(TrainerProcess(("true",)), tmp_path / "runs" / "run")
    assert said == f"the run cannot be kept in {tmp_path / 'runs' / 'run'}: Not a directory"


async def test_a_trainer_that_cannot_start_is_one_sentence(tmp_path: Path) -> None:
    assert "No such file" in await failure(TrainerProcess(("/nowhere/python",)), tmp_path / "run")


async def test_the_log_of_the_bot_holds_no_message(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = a_run(tmp_path / "run", Path("starter"))
    with caplog.at_level(logging.DEBUG):
        await trainer(tmp_path, TRAINED).train(run, unheard)
    everything = " ".join(str(record.__dict__) for record in caplog.records)
    assert "trained" in everything
    assert not any(example.text in everything for example in run.examples)


def test_a_trainer_dies_with_a_killed_parent(tmp_path: Path) -> None:
    """The real trainer's own watch, without the parts that are slow to start."""
    waits = "import os\nwhile os.read(0, 1): pass"
    (tmp_path / "child.py").write_text(waits)
    parent = (
        "import asyncio, sys; from pathlib import Path\n"
        "from inference.trainer_process import TrainerProcess; from tests.runs import a_run\n"
        f"run = a_run(Path({str(tmp_path / 'run')!r}), Path('starter'))\n"
        f"trainer = TrainerProcess(({sys.executable!r}, {str(tmp_path / 'child.py')!r}))\n"
        "asyncio.run(trainer.train(run, lambda share, doing: None))"
    )
    process = os.posix_spawn(sys.executable, [sys.executable, "-c", parent], os.environ)
    child = wait_for_child(process)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    deadline = time.monotonic() + 10
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(child)


def wait_for_child(parent: int) -> int:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.02)
    raise AssertionError("the parent started nobody")
