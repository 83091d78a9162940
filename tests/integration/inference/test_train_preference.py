"""The real trainer with preference learning, on a very small Llama."""

from dataclasses import replace
from pathlib import Path

import pytest

from inference import train
from inference.run_folder import inputs_of, read_run, write_run
from tests.integration.inference.test_train import answers
from tests.runs import a_run
from tests.tiny_llamas import starter_like

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return starter_like(tmp_path_factory.mktemp("starter"))


def test_a_preference_is_another_run_and_another_adapter_that_learns_as_well(tmp_path: Path, starter: Path) -> None:
    usual = a_run(tmp_path / "usual", starter)
    write_run(usual)
    assert "preference" not in (tmp_path / "usual" / "task.json").read_text("utf-8")
    task = replace(usual.task, learning=replace(usual.task.learning, preference=0.5))
    run = replace(usual, folder=tmp_path / "preferring", task=task)
    write_run(run)
    assert read_run(run.folder).task.learning.preference == 0.5
    assert inputs_of(run.folder) != inputs_of(usual.folder)
    done, plain = train.train(run.folder), train.train(usual.folder)
    assert answers(run) == [example.label for example in run.examples]
    assert done.sha256 != plain.sha256
