"""The odds-ratio loss over labels: its value, that it is finite for a label that is certain, and where it leads."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inference.preference import odds_ratio_loss
from inference.run_folder import inputs_of, read_run, write_run
from tests.runs import a_run


def test_it_is_the_odds_ratio_of_the_right_label_and_the_likeliest_wrong_one() -> None:
    shares = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    truth = torch.tensor([0, 1])
    ratios = [(0.5 / 0.5) / (0.3 / 0.7), (0.2 / 0.8) / (0.7 / 0.3)]
    wanted = sum(math.log(1 + 1 / ratio) for ratio in ratios) / 2  # -log sigmoid(log r)
    assert odds_ratio_loss(shares.log() + 4.0, truth).item() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("logit", [0.0, 60.0, 5_000.0])
def test_it_is_finite_with_its_gradient_however_sure(logit: float) -> None:
    for right in (0, 1):
        logits = torch.tensor([[logit, 0.0, -logit]], requires_grad=True)
        loss = odds_ratio_loss(logits, torch.tensor([right]))
        loss.backward()  # type: ignore[no-untyped-call]
        assert math.isfinite(loss.item()) and loss.item() >= 0.0
        assert logits.grad is not None and bool(logits.grad.isfinite().all())


def test_two_labels_are_enough() -> None:
    certain = odds_ratio_loss(torch.tensor([[5.0, -5.0]]), torch.tensor([0])).item()
    torn = odds_ratio_loss(torch.tensor([[0.0, 0.0]]), torch.tensor([0])).item()
    assert torn == pytest.approx(math.log(2)) and certain < 1e-4


def test_a_step_down_raises_the_right_label_against_the_rejected_one_most() -> None:
    logits = torch.tensor([[1.0, 2.0, 0.0]], requires_grad=True)
    odds_ratio_loss(logits, torch.tensor([0])).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    right, rejected, other = (-logits.grad[0]).tolist()
    assert right > 0 > rejected and abs(other) < abs(rejected)


def test_a_preference_is_another_run_and_none_is_the_run_that_it_always_was(tmp_path: Path) -> None:
    usual = a_run(tmp_path / "usual", tmp_path)
    task = replace(usual.task, learning=replace(usual.task.learning, preference=0.5))
    preferring = replace(usual, folder=tmp_path / "preferring", task=task)
    write_run(usual)
    write_run(preferring)
    assert "preference" not in json.loads((usual.folder / "task.json").read_text("utf-8"))
    assert read_run(preferring.folder).task.learning.preference == 0.5
    assert read_run(usual.folder).task.learning.preference == 0.0
    assert inputs_of(preferring.folder) != inputs_of(usual.folder)
