"""A training that was really killed continues, and ends with the same bytes as an undisturbed one."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bot.domain.model_ports import TrainingRun
from inference import train
from inference.prompt import PromptBuilder
from inference.recipe import PRETRAINED, STARTER
from inference.run_folder import CHECKPOINT, TEXTS, Done, RunFolders, finished, write_run
from inference.training_checkpoint import Checkpoints, Standing, made_of
from tests.runs import a_run
from tests.tiny_llamas import starter_like

KEEPS_ALL = "import sys, torch; from pathlib import Path; from inference import train; torch.set_num_threads(1); "
KEEPS_ALL += "train.KEEP_EVERY = 0.0; train.train(Path(sys.argv[1]))"


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return starter_like(tmp_path_factory.mktemp("starter"))


def prepared(folder: Path, base: Path, copies: int) -> TrainingRun:
    """So many variants of each of fifteen examples; of eighty some are set aside to choose a checkpoint by."""
    codes = PromptBuilder(base).alphabet()
    run = a_run(folder, base, (codes[0], codes[1], codes[2]))
    many = tuple(replace(e, text=f"{e.text} {n}") for e in run.examples for n in range(copies))
    run = replace(run, examples=many)
    write_run(run)
    return run


def killed(folder: Path) -> None:
    """A training that keeps every step, killed when it reported its sixtieth."""
    command = [sys.executable, "-c", KEEPS_ALL, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ) as process:
        assert process.stdout is not None
        assert any(b'"step 60 of' in line for line in process.stdout)
        process.send_signal(signal.SIGKILL)
    assert finished(folder) is None
    assert (folder / CHECKPOINT).is_file()


def gone_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Done, str]:
    """The same command again: its result, and its output on stderr."""
    capsys.readouterr()
    done = train.train(folder)
    assert not list(folder.glob(f"{CHECKPOINT}*"))
    return done, capsys.readouterr().err


def test_a_killed_training_goes_on_and_gives_the_same_bytes(
    tmp_path: Path, starter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared(tmp_path / "whole", starter, 80)
    whole = train.train(tmp_path / "whole")
    prepared(tmp_path / "killed", starter, 80)
    killed(tmp_path / "killed")
    resumed, said = gone_on(tmp_path / "killed", capsys)
    step = int(said.partition("going on after step ")[2].partition(",")[0])
    assert step >= 59
    assert whole.validated_on >= 100
    assert (resumed.sha256, resumed.loss, resumed.steps) == (whole.sha256, whole.loss, whole.steps)
    assert resumed.validation_accuracy == whole.validation_accuracy


def learner() -> tuple[list[torch.nn.Parameter], torch.optim.Optimizer]:
    """Two weights after a step, and their optimizer."""
    weights = [torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.ones(2, 2))]
    optimizer = torch.optim.AdamW(weights, lr=0.1)
    sum((weight**2).sum() for weight in weights).backward()  # type: ignore[union-attr]
    optimizer.step()
    return weights, optimizer


@pytest.mark.parametrize(
    ("made_of", "size", "steps", "said"),
    [
        ("this", None, 2, "going on after step 2"),
        ("that", None, 0, ""),
        ("this", -20, 0, "the checkpoint cannot be read, training starts afresh"),
    ],
)
def test_only_a_whole_checkpoint_of_the_same_making_is_gone_on_from(
    tmp_path: Path, made_of: str, size: int | None, steps: int, said: str
) -> None:
    lines: list[str] = []
    weights, optimizer = learner()
    Checkpoints(tmp_path, "this", 0.0, lines.append).keep(weights, optimizer, Standing([0.5, 0.25], 9.0))
    path = tmp_path / CHECKPOINT
    path.write_bytes(path.read_bytes()[:size])
    standing = Checkpoints(tmp_path, made_of, 0.0, lines.append).take_up(*learner())
    assert (len(standing.losses), standing.seconds) == (steps, 9.0 if steps else 0.0)
    assert path.exists() == bool(steps)
    assert "".join(lines).startswith(said)
    assert bool(lines) == bool(said)


def test_other_examples_another_recipe_and_another_precision_are_another_making(tmp_path: Path) -> None:
    run = a_run(tmp_path, tmp_path / "base")
    write_run(run)
    model = torch.nn.Linear(2, 2)
    same = made_of(tmp_path, run.base, STARTER, model)
    assert made_of(tmp_path, run.base, STARTER, model) == same
    assert made_of(tmp_path, run.base, PRETRAINED, model) != same
    assert made_of(tmp_path, run.base, STARTER, torch.nn.Linear(2, 2, dtype=torch.bfloat16)) != same
    write_run(replace(run, examples=run.examples[1:]))
    assert made_of(tmp_path, run.base, STARTER, model) != same


def test_a_checkpoint_that_cannot_be_written_is_said_and_costs_no_training(tmp_path: Path) -> None:
    lines: list[str] = []
    weights, optimizer = learner()
    Checkpoints(tmp_path / "gone", "this", 0.0, lines.append).keep(weights, optimizer, Standing([0.5]))
    assert lines[0].startswith("no checkpoint could be kept, a killed training would start afresh: ")


async def test_what_an_unfinished_training_learned_goes_with_the_texts(tmp_path: Path, starter: Path) -> None:
    prepared(tmp_path / "routing-1", starter, 1)
    (tmp_path / "routing-1" / CHECKPOINT).write_bytes(b"learned")
    await RunFolders(tmp_path).remove(["routing-1"])
    assert not (tmp_path / "routing-1" / CHECKPOINT).exists()
    assert not (tmp_path / "routing-1" / TEXTS).exists()
