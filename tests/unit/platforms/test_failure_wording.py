"""Why a training failed, in the reader's language: every known sentence as the code says it, and no other words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from bot.domain.errors import SwitchboardError, UsageError
from bot.domain.learning import Example, Side, Source
from bot.domain.model_ports import TrainingRun
from bot.domain.training_data import Drawn, check_drawn
from bot.locales import Sentences, available
from bot.platforms.failure_wording import training_failed
from inference.run_folder import LOG
from inference.train import check_finite
from inference.trainer_process import _obituary
from tests.samples import NOW, TASK

ROOT = Path(__file__).parents[3]
SAID_IN = (
    *("bot/flow/learn.py", "db/reading/cycles.py", "db/registry.py", "inference/trainer_process.py"),
    "inference/ray_train.py",
)
OTHERS = [language for language in available() if language != "en"]
SECRET = "hunter2"


@pytest.fixture
def failures(tmp_path: Path) -> list[str]:
    """Every problem that is known, as it is recorded."""
    return [*_of_the_data(), *_of_the_process(tmp_path), *_of_the_numbers(), *_in_the_source()]


def _of_the_data() -> Iterator[str]:
    known = [Example(f"{name} {n}", name, Source.IMPORT, Side.TRAIN, NOW) for name in TASK.names for n in range(2)]
    drawn = Drawn(known[:2], [], 0, 0.0), Drawn(known, [], 1, 0.0), Drawn(known, [], 30, 0.0), Drawn(known, [], 0, 0.5)
    for one in drawn:
        with pytest.raises(UsageError) as refused:
            check_drawn(TASK, one)
        yield str(refused.value)


def _of_the_process(folder: Path) -> Iterator[str]:
    (folder / LOG).write_text(f"Traceback: the key is {SECRET}", "utf-8")
    run = TrainingRun(folder, folder, TASK, {}, ())
    yield from (_obituary(run, code, None) for code in (-9, -15, 7, 0))


def _of_the_numbers() -> Iterator[str]:
    whole, broken, frozen = (torch.nn.Linear(1, 1) for _ in range(3))
    for weight in (*broken.parameters(), *frozen.parameters()):
        weight.data.fill_(float("nan"))
    frozen.requires_grad_(requires_grad=False)
    for loss, model in ((float("nan"), whole), (1.0, broken), (float("nan"), frozen)):
        with pytest.raises(SwitchboardError) as failed:
            check_finite(7, loss, model)  # type: ignore[arg-type]  # any module has weights
        yield str(failed.value)


def _in_the_source() -> Iterator[str]:
    """The sentences of these files, with a 7 for every value."""
    for file in SAID_IN:
        for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_known_sentence_is_said_by_the_code(failures: list[str]) -> None:
    """A sentence that was changed in the code alone would be hidden from leads."""
    known = Sentences()
    keys = [key for key in known.keys("en") if key.startswith("failed_")]
    assert len(keys) > 10
    said = {one for failure in failures for one in (failure, failure.partition(": ")[0])}
    assert [key for key in keys if all(known.gaps("en", key, one) is None for one in said)] == []


def _known(failures: list[str]) -> list[str]:
    return [one for one in failures if "`switchboard models` says why" not in training_failed("routing-2", one, "en")]


@pytest.mark.parametrize("language", OTHERS)
def test_every_known_failure_is_told_in_every_language(failures: list[str], language: str) -> None:
    for recorded in _known(failures):
        english, said = (training_failed("routing-2", recorded, one) for one in ("en", language))
        assert said != english
        assert re.findall(r"\d+", said) == re.findall(r"\d+", english) != []


@pytest.mark.parametrize("language", available())
def test_the_words_of_other_programs_stay_out_of_chats(failures: list[str], language: str) -> None:
    told = [training_failed("routing-2", one, language) for one in failures if SECRET in one]
    assert len(told) == 4
    assert all(SECRET not in one and "switchboard models" in one for one in told)
    assert len(set(told)) == 4, "how it ended is told"


@pytest.mark.parametrize("language", available())
def test_of_a_problem_that_nobody_knows_leads_read_where_it_stands(language: str) -> None:
    for unknown in (f"the adapter {SECRET} cannot be loaded", f"boom: {SECRET}", "", f"of: 7\n{SECRET}"):
        said = training_failed("routing-2", unknown, language)
        assert said == Sentences().sentence(language, "training_failed_unknown", adapter="routing-2")
        assert "routing-2" in said and "`switchboard models`" in said and SECRET not in said
