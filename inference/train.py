"""Train a LoRA: run folder in (task.json, examples.jsonl), adapter/ and then done.json out.

    python -m inference.train var/runs/routing-7

Stdout carries progress as JSON lines, stderr a log to read. The model learns to answer every prompt with the one
token that stands for the label: the loss is the cross-entropy over the codes of the task, which is just the
distribution that the server answers with. Interrupted, the same command goes on from where it was a minute before; the
same folder on the same machine gives the same adapter, interrupted or not.
"""

import argparse
import json
import math
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import SafetensorError
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, Cache, LlamaForCausalLM
from transformers.utils.logging import disable_progress_bar

from bot.domain.errors import SwitchboardError, TrainingFailed
from bot.domain.model_ports import TrainingRun
from inference.base_models import base_folder
from inference.preference import odds_ratio_loss
from inference.prompt import PromptBuilder
from inference.recipe import CHECKPOINTS, PRETRAINED, STARTER, Recipe
from inference.run_folder import (
    CHECKPOINT,
    WEIGHTS,
    Done,
    adapter_of,
    finish,
    finished,
    inputs_of,
    read_parts,
    read_run,
    sha256_of,
    sync,
)
from inference.training_checkpoint import Checkpoints, Standing, made_of
from inference.training_device import chosen, in_words, this_machine, weights_of
from inference.training_rows import SEED, Row, batches, common_frame, prompted, shared_prefix
from inference.worker_process import end_with_parent

TOKENS_AT_ONCE = 4_096  # padded tokens of messages in one forward pass: bounds the memory, not the batch
WARM_UP = 0.06  # share of the steps
KEEP_EVERY = 60.0  # seconds between two checkpoints that a killed training goes on from
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def main() -> None:
    """Run from the command line to done.json; an expected failure is one sentence on stderr and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m inference.train", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("run", type=Path, help="the run folder")
    parser.add_argument("--base", help="the base model, where it is called otherwise than in the run folder")
    parser.add_argument("--with-parent", action="store_true", help="end when stdin is closed")
    args = parser.parse_args()
    if args.with_parent:
        end_with_parent()
    try:
        train(args.run, args.base)
    except (SwitchboardError, OSError, SafetensorError) as error:
        sys.exit(f"{args.run.name}: {error}")


def train(folder: Path, elsewhere: str | None = None) -> Done:
    """Train what the folder describes; done.json is written last, so that half a run is never taken for a whole one.

    `elsewhere`: the base's path or name on this machine, if the folder was made on another.
    """
    began = time.monotonic()
    already = finished(folder)
    if already is not None:
        (folder / CHECKPOINT).unlink(missing_ok=True)
        tell(1.0, "done", already.loss)
        return already
    clear(folder)
    tell(0.0, "reading the examples")
    run = read_run(folder)
    base = base_folder(elsewhere or str(run.base))
    prompts = PromptBuilder(base)
    learned, kept_apart = read_parts(folder)
    rows, validation = prompted(run, prompts, learned), prompted(run, prompts, kept_apart)
    say(f"{len(rows)} examples to learn from, {len(validation)} to validate on, {len(run.codes)} labels")

    tell(0.0, "loading the base model")
    recipe = replace(STARTER if prompts.bare else PRETRAINED, preference=run.task.learning.preference)
    torch.manual_seed(SEED)
    llama = load(base)
    lora = get_peft_model(llama, lora_config(recipe))  # changes the model in place: from here on it has adapters
    frame = common_frame([row.ids for row in rows + validation])
    codes = torch.tensor([prompts.code_id(code) for code in run.codes.values()], device=llama.device)
    model = Model(llama, codes, shared_prefix(rows, frame))

    kept = Checkpoints(folder, made_of(folder, base, recipe, llama), KEEP_EVERY, say)
    losses, best, before = loop(model, recipe, rows, frame, validation, kept)

    tell(0.98, "saving the adapter")
    best.restore(llama)
    save(lora, folder)
    done = record(run, losses, len(validation), best.accuracy, before + time.monotonic() - began)
    finish(folder, done)
    kept.clear()
    tell(1.0, "done", done.loss)
    return done


def record(run: TrainingRun, losses: Sequence[float], validated_on: int, accuracy: float, seconds: float) -> Done:
    """The figures of the run; the loss is the mean of the last tenth of the steps, in nats."""
    return Done(
        base=str(run.base),
        inputs=inputs_of(run.folder),
        sha256=sha256_of(adapter_of(run.folder) / WEIGHTS),
        steps=len(losses),
        seconds=round(seconds, 1),
        loss=round(mean(losses[-max(1, len(losses) // 10) :]), 4),
        trained_on=len(run.examples) - validated_on,
        validated_on=validated_on,
        validation_accuracy=accuracy if validated_on else None,
    )


# --------------------------------------------------------------------------------------------------- model


@dataclass(frozen=True, slots=True)
class Model:
    """The Llama with its adapters, and what its questions need."""

    llama: LlamaForCausalLM
    codes: torch.Tensor
    """The token of each label."""
    prefix: tuple[int, ...]
    """The tokens that every prompt begins with; empty if they are too few to compute apart."""


def load(base: Path) -> LlamaForCausalLM:
    """The base model, in the precision it is served with, where this machine computes fast in it and has room."""
    choice = chosen(this_machine(), weights_of(base))
    say(in_words(choice))
    dtype = torch.bfloat16 if choice.bfloat16 else torch.float32
    disable_progress_bar()  # type: ignore[no-untyped-call]
    if choice.spread:
        return cast(LlamaForCausalLM, AutoModelForCausalLM.from_pretrained(str(base), dtype=dtype, device_map="auto"))
    if choice.four_bit:
        rough = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)  # type: ignore[no-untyped-call]
        placed = {"device_map": {"": choice.device}, "quantization_config": rough}
        return cast(LlamaForCausalLM, AutoModelForCausalLM.from_pretrained(str(base), dtype=dtype, **placed))
    model: torch.nn.Module = AutoModelForCausalLM.from_pretrained(str(base), dtype=dtype)
    return cast(LlamaForCausalLM, model.to(choice.device))


def precision() -> tuple[str, torch.dtype]:
    """The device, and the number format, in which this machine trains."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    fast = device == "cuda" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return device, torch.bfloat16 if fast else torch.float32


def lora_config(recipe: Recipe) -> LoraConfig:
    """Adapters on attention and MLP; everything else is frozen, because the server can swap nothing else."""
    return LoraConfig(r=recipe.rank, lora_alpha=2 * recipe.rank, target_modules=TARGETS, task_type="CAUSAL_LM")


def save(lora: PeftModel, folder: Path) -> None:
    """Put the adapter in place in one move, once all of it is on disk."""
    unfinished = folder / "adapter.tmp"
    lora.save_pretrained(str(unfinished))
    for path in unfinished.iterdir():
        sync(path)
    sync(unfinished)
    unfinished.rename(adapter_of(folder))
    sync(folder)


def clear(folder: Path) -> None:
    """Remove what an earlier, interrupted training left; done.json goes first."""
    (folder / "done.json").unlink(missing_ok=True)
    for name in ("adapter", "adapter.tmp"):
        shutil.rmtree(folder / name, ignore_errors=True)


# ---------------------------------------------------------------------------------------------------- loop


@dataclass(frozen=True, slots=True)
class Best:
    """The checkpoint to keep: the last, unless an earlier one did better by more than chance explains.

    The rate falls to zero, so the last one has learned most; a difference on some dozen rows is mostly noise.
    """

    accuracy: float = -1.0
    weights: tuple[torch.Tensor, ...] = ()
    peak: float = -1.0
    """The highest accuracy of all checkpoints so far."""

    def or_later(self, accuracy: float, asked: int, llama: LlamaForCausalLM) -> "Best":
        """The later one wins unless it is a standard error (of a share, at its widest: 1 / 2 root n) below the peak."""
        if accuracy < self.peak - 0.5 / math.sqrt(asked):
            return self
        weights = tuple(weight.detach().clone() for weight in learning_weights(llama))
        return Best(accuracy, weights, max(accuracy, self.peak))

    def restore(self, llama: LlamaForCausalLM) -> None:
        """Put the kept weights back; without any validation the model stays as it is."""
        with torch.no_grad():
            for weight, kept in zip(learning_weights(llama), self.weights, strict=False):
                weight.copy_(kept)


def loop(
    model: Model,
    recipe: Recipe,
    rows: Sequence[Row],
    frame: tuple[int, int],
    validation: Sequence[Row],
    kept: Checkpoints,
) -> tuple[list[float], Best, float]:
    """Train; return the loss of every step in nats, the best checkpoint, and the seconds that killed trainings took."""
    steps, weights = recipe.steps(len(rows)), learning_weights(model.llama)
    optimizer = torch.optim.AdamW(weights, lr=recipe.rate, weight_decay=recipe.decay)
    before = kept.take_up(weights, optimizer)
    losses, began = list(before.losses), time.monotonic()
    best = Best(before.accuracy, tuple(before.best), before.peak)
    due = islice(batches(rows, frame, recipe.token_dropout), len(losses), steps)
    for step, batch in enumerate(due, start=len(losses) + 1):
        optimizer.param_groups[0]["lr"] = recipe.rate * schedule(step / steps)
        losses.append(learn(model, optimizer, batch, recipe))
        check_finite(step, losses[-1], model.llama)
        if step % 10 == 0 or step == steps:
            tell(0.02 + 0.96 * step / steps, f"step {step} of {steps}", mean(losses[-10:]))
        if step % math.ceil(steps / CHECKPOINTS) == 0 or step == steps:
            best = validated(best, model, validation, f"step {step} of {steps}: loss {mean(losses[-10:]):.4f} nats")
        if kept.due():
            seconds = before.seconds + time.monotonic() - began
            kept.keep(weights, optimizer, Standing(losses, seconds, best.accuracy, best.peak, best.weights))
    return losses, best, before.seconds


def validated(best: Best, model: Model, validation: Sequence[Row], said: str) -> Best:
    """The checkpoint to keep from here on; writes a line about it to the log."""
    if validation:
        accuracy = share_right(model, validation)
        best = best.or_later(accuracy, len(validation), model.llama)
        said += f", {accuracy:.1%} of {len(validation)} right"
    say(said)
    return best


def check_finite(step: int, loss: float, llama: LlamaForCausalLM) -> None:
    """Raise TrainingFailed at the first step with a loss or a weight that is no finite number.

    Every later step would give none either: hours of training for an adapter that answers nothing.
    """
    if math.isfinite(loss) and all(bool(weight.isfinite().all()) for weight in learning_weights(llama)):
        return
    broken = next((name for name, weight in llama.named_parameters() if frozen_and_broken(weight)), None)
    if broken is not None:
        raise TrainingFailed(f"the base model is damaged: {broken} holds infinite weights or none; fetch it again")
    what = f"the loss is {loss} nats" if not math.isfinite(loss) else "weights of the adapter are no numbers any more"
    raise TrainingFailed(f"step {step}: {what}; training stopped, and nothing was saved")


def frozen_and_broken(weight: torch.nn.Parameter) -> bool:
    return not weight.requires_grad and not bool(weight.isfinite().all())


def label_logits(model: Model, rows: Sequence[Row]) -> torch.Tensor:
    """The logits of the labels' codes after each prompt; no other row of the vocabulary is computed."""
    llama, device = model.llama, model.codes.device
    messages = [row.ids[len(model.prefix) :] for row in rows]
    longest = max(map(len, messages))
    ids = torch.tensor([ids + (0,) * (longest - len(ids)) for ids in messages], device=device)
    last = torch.tensor([len(ids) - 1 for ids in messages], device=device)
    with torch.autocast(device.type, torch.bfloat16, enabled=llama.dtype is torch.bfloat16):
        # Causal attention never looks to the right, where the padding is, so no mask is needed.
        known = read_prefix(model, len(rows)) if model.prefix else None
        read = llama.model(input_ids=ids, past_key_values=known, use_cache=known is not None)
    answers = read.last_hidden_state[torch.arange(len(rows)), last.cpu()]
    head = llama.lm_head.weight  # with several GPUs each may hold a part of the model
    logits: torch.Tensor = answers.to(head.device).float() @ head[model.codes.to(head.device)].float().T
    return logits.to(device)


def read_prefix(model: Model, times: int) -> Cache:
    """The keys and values of the shared prefix, computed once for all these prompts; gradients flow back."""
    known: Cache = model.llama.model(
        input_ids=torch.tensor([model.prefix], device=model.codes.device), use_cache=True
    ).past_key_values
    known.batch_repeat_interleave(times)
    return known


def learn(model: Model, optimizer: torch.optim.Optimizer, batch: Sequence[Row], recipe: Recipe) -> float:
    """Make one step; return its loss in nats."""
    loss = 0.0
    for part in parts(batch, len(model.prefix)):
        truth = torch.tensor([row.label for row in part], device=model.codes.device)
        logits = label_logits(model, part)
        some = cross_entropy(logits, truth, label_smoothing=recipe.smoothing)
        if recipe.preference:
            some = some + recipe.preference * odds_ratio_loss(logits, truth)
        some = some * len(part) / len(batch)
        some.backward()  # type: ignore[no-untyped-call]
        loss += some.item()
    torch.nn.utils.clip_grad_norm_(learning_weights(model.llama), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return loss


def parts(rows: Sequence[Row], prefix: int) -> Iterator[Sequence[Row]]:
    """The rows in parts that fit in memory."""
    size = max(1, TOKENS_AT_ONCE // max(len(row.ids) - prefix for row in rows))
    for at in range(0, len(rows), size):
        yield rows[at : at + size]


@torch.inference_mode()
def share_right(model: Model, rows: Sequence[Row]) -> float:
    """The share of the rows whose label is the likeliest code."""
    right = 0
    for part in parts(sorted(rows, key=lambda row: len(row.ids)), len(model.prefix)):
        given = label_logits(model, part).argmax(-1).tolist()
        right += sum(answer == row.label for answer, row in zip(given, part, strict=True))
    return right / len(rows)


def learning_weights(llama: LlamaForCausalLM) -> list[torch.nn.Parameter]:
    return [weight for weight in llama.parameters() if weight.requires_grad]


def schedule(done: float) -> float:
    """The share of the full rate after this share of the steps: a short rise, then straight down to zero."""
    return min(done / WARM_UP, (1 - done) / (1 - WARM_UP) + 1e-3)


# ------------------------------------------------------------------------------------------------ progress


def tell(progress: float, doing: str, loss: float | None = None) -> None:
    """Write one JSON line for the program that started this one."""
    known = {} if loss is None else {"loss": round(loss, 4)}
    print(json.dumps({"progress": round(progress, 4), "doing": doing, **known}), flush=True)


def say(line: str) -> None:
    """Write one line for people."""
    print(line, file=sys.stderr, flush=True)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


if __name__ == "__main__":
    main()
