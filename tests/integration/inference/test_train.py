"""The real trainer on real, very small Llamas."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from bot.domain.errors import TrainingFailed
from bot.domain.model_ports import TrainingRun
from inference import train, training_rows
from inference.prompt import PromptBuilder
from inference.recipe import STARTER
from inference.run_folder import WEIGHTS, Done, adapter_of, finished, sha256_of, write_run
from inference.trainer_process import TRAINER, TrainerProcess
from tests.runs import a_run
from tests.tiny_llamas import chat_like, starter_like


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return starter_like(tmp_path_factory.mktemp("starter"))


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chat_like(tmp_path_factory.mktemp("chat"))


def trained(folder: Path, base: Path) -> tuple[TrainingRun, Done]:
    codes = PromptBuilder(base).alphabet()
    run = a_run(folder, base, (codes[0], codes[1], codes[2]))
    write_run(run)
    return run, train.train(folder)


def answers(run: TrainingRun) -> list[str]:
    """What plain transformers and peft compute with the adapter: the whole prompt and the whole vocabulary."""
    prompts = PromptBuilder(run.base)
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(run.base), adapter_of(run.folder))
    labels = list(run.codes)
    ids = [prompts.code_id(code) for code in run.codes.values()]
    said = []
    for example in run.examples:
        prompt = torch.tensor([prompts.prompt_ids(run.task, run.codes, example.text)])
        with torch.inference_mode():
            logits = model(input_ids=prompt).logits[0, -1]
        said.append(labels[int(logits[ids].argmax())])
    return said


def test_a_starter_learns_what_it_is_shown(tmp_path: Path, starter: Path) -> None:
    run, done = trained(tmp_path, starter)
    assert answers(run) == [example.label for example in run.examples]
    assert (done.trained_on, done.validated_on, done.validation_accuracy) == (15, 0, None)
    assert finished(tmp_path) == done


def test_a_chat_model_of_other_sizes_learns_by_the_same_script(tmp_path: Path, chat: Path) -> None:
    run, done = trained(tmp_path, chat)
    assert answers(run) == [example.label for example in run.examples]
    assert done.sha256 == sha256_of(adapter_of(tmp_path) / WEIGHTS)


def test_the_same_run_gives_the_same_adapter(tmp_path: Path, starter: Path) -> None:
    _, first = trained(tmp_path / "first", starter)
    _, second = trained(tmp_path / "second", starter)
    assert (first.sha256, first.loss) == (second.sha256, second.loss)


def test_the_shared_prefix_changes_no_answer(chat: Path) -> None:
    prompts = PromptBuilder(chat)
    codes = prompts.alphabet()
    run = a_run(chat, chat, (codes[0], codes[1], codes[2]))
    rows = training_rows.prompted(run, prompts, run.examples)
    llama = train.load(chat)
    llama.float()  # type: ignore[no-untyped-call]
    ids = torch.tensor([prompts.code_id(code) for code in run.codes.values()])
    prefix = training_rows.shared_prefix(rows, training_rows.common_frame([row.ids for row in rows]))
    assert len(prefix) > 100
    with torch.inference_mode():
        shared = train.label_logits(train.Model(llama, ids, prefix), rows)
        whole = train.label_logits(train.Model(llama, ids, ()), rows)
    torch.testing.assert_close(shared, whole, atol=1e-4, rtol=1e-4)


async def test_the_workshop_trains_in_a_process_and_relays(tmp_path: Path, starter: Path) -> None:
    told: list[tuple[float, str]] = []
    run = a_run(tmp_path, starter)
    adapter = await TrainerProcess().train(run, lambda share, doing: told.append((share, doing)))
    assert {path.name for path in adapter.iterdir()} >= {WEIGHTS, "adapter_config.json"}
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert any(doing.startswith("step ") for _, doing in told)
    log = (tmp_path / "log").read_text()
    assert "15 examples to learn from" in log
    assert not any(example.text in log for example in run.examples)


async def test_a_missing_base_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    with pytest.raises(TrainingFailed, match=r"has no config.json and no tokenizer.json") as caught:
        await TrainerProcess().train(a_run(tmp_path / "run", tmp_path / "base"), lambda share, doing: None)
    assert "Traceback" not in str(caught.value)


async def test_a_full_disk_is_one_sentence_and_no_adapter(tmp_path: Path, starter: Path) -> None:
    """A limit on the size of files makes a write fail where a full disk would."""
    limited = ("sh", "-c", 'ulimit -f 100; exec "$@"', "sh", *TRAINER)
    with pytest.raises(TrainingFailed, match="ended with 1") as caught:
        await TrainerProcess(limited).train(a_run(tmp_path, starter), lambda share, doing: None)
    assert "Traceback" not in str(caught.value)
    assert not adapter_of(tmp_path).exists()
    assert finished(tmp_path) is None


def with_weight(base: Path, copy: Path, bad: float) -> Path:
    """The base with one weight of its second layer's first projection changed."""
    shutil.copytree(base, copy)
    weights = load_file(copy / "model.safetensors")
    weights["model.layers.1.self_attn.q_proj.weight"][0, 0] = bad
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    return copy


@pytest.mark.parametrize("bad", [math.inf, math.nan])
async def test_a_base_with_a_weight_that_is_no_number_ends_training_at_once_and_is_named(
    tmp_path: Path, starter: Path, bad: float
) -> None:
    base = with_weight(starter, tmp_path / "base", bad)
    told: list[str] = []
    with pytest.raises(TrainingFailed, match=r"ended with 1: .*the base model is damaged: model\.layers\.1\..*q_proj"):
        await TrainerProcess().train(a_run(tmp_path / "run", base), lambda _share, doing: told.append(doing))
    assert not [doing for doing in told if doing.startswith("step ")]
    assert finished(tmp_path / "run") is None
    assert not adapter_of(tmp_path / "run").exists()


def test_training_that_diverges_ends_at_the_first_step_that_shows_it(
    tmp_path: Path, starter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "STARTER", replace(STARTER, rate=1e38))
    with pytest.raises(TrainingFailed, match=r"step [1-9]: (the loss is (nan|inf) nats|weights of the adapter)"):
        trained(tmp_path, starter)
    assert finished(tmp_path) is None
    assert not adapter_of(tmp_path).exists()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_training_leaves_nothing_finished_and_starts_clean(
    tmp_path: Path, starter: Path, how: signal.Signals
) -> None:
    write_run(a_run(tmp_path, starter))
    with started(tmp_path) as process:
        wait_for("step", process)
        process.send_signal(how)
    assert finished(tmp_path) is None
    half = tmp_path / "adapter.tmp"
    half.mkdir()
    (half / "left over").write_text("half an adapter")
    train.train(tmp_path)
    assert finished(tmp_path) is not None
    assert not half.exists()
    assert not (adapter_of(tmp_path) / "left over").exists()


def test_killed_between_adapter_and_done_it_is_trained_again(tmp_path: Path, starter: Path) -> None:
    _, done = trained(tmp_path, starter)
    (tmp_path / "done.json").unlink()
    assert finished(tmp_path) is None
    assert train.train(tmp_path).sha256 == done.sha256


def test_half_written_weights_are_trained_over(tmp_path: Path, starter: Path) -> None:
    _, done = trained(tmp_path, starter)
    weights = adapter_of(tmp_path) / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:1000])
    assert train.train(tmp_path).sha256 == done.sha256
    assert sha256_of(weights) == done.sha256


def test_the_trainer_ends_when_its_parent_is_gone(tmp_path: Path, starter: Path) -> None:
    write_run(a_run(tmp_path, starter))
    with started(tmp_path) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=60) == 1
    assert finished(tmp_path) is None


def test_the_last_checkpoint_is_kept_unless_an_earlier_one_was_clearly_better(starter: Path) -> None:
    llama = train.load(starter)
    best = train.Best()
    for accuracy in (0.80, 0.90, 0.86, 0.70):
        best = best.or_later(accuracy, 100, llama)
    assert (best.accuracy, best.peak) == (0.86, 0.90)


def test_small_classes_are_shown_more_often_in_a_lopsided_set() -> None:
    rows = [training_rows.Row((1, n, 3), 0) for n in range(160)] + [training_rows.Row((1, n, 3), 1) for n in range(10)]
    assert training_rows.how_often(rows) == {0: 1.0, 1: 4.0}
    assert training_rows.how_often(rows[100:]) == {0: 1.0, 1: 6**0.5}


def test_an_epoch_shows_everything_once() -> None:
    rows = [training_rows.Row((1, n, 3), n % 2) for n in range(100)]
    stream = training_rows.batches(rows, (1, 1), token_dropout=0.0)
    shown = [row for _ in range(4) for row in next(stream)]
    assert sorted(shown, key=lambda row: row.ids) == rows


def started(folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "inference.train", "--with-parent", str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ)


def wait_for(word: str, process: "subprocess.Popen[bytes]") -> None:
    assert process.stdout is not None
    deadline = time.monotonic() + 60
    for line in process.stdout:
        if json.loads(line)["doing"].startswith(word):
            return
        assert time.monotonic() < deadline
    raise AssertionError(f"it never came to {word!r}")
