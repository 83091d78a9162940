"""Whether preferring the right label to the predicted one makes a better adapter: paired trainings, the same messages.

    python -m benchmarks.preference --data ../shared/data --shots 10 50 --weights 0.1 0.5

The product's own trainer trains on every draw of messages without and with preference learning, and both adapters are
asked the same test messages. One row for each draw and weight, with the exact McNemar test of the two.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from peft import PeftModel

from benchmarks.learning_quality import SETS, Text, Trial, as_example, as_run, draw, read, tell
from benchmarks.machine import machine
from bot.domain.paired_tests import at_least
from inference import train, training_rows
from inference.base_models import base_folder
from inference.prompt import PromptBuilder
from inference.run_folder import adapter_of
from inference.trainer_process import TrainerProcess


@dataclass(frozen=True, slots=True)
class Trained:
    """For each asked message, in order, whether one training's adapter gets it right."""

    right: Sequence[bool]

    @property
    def accuracy(self) -> float:
        return sum(self.right) / len(self.right)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table row for each draw and weight, as it ends."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--sets", nargs="+", default=SETS[:2], choices=SETS)
    parser.add_argument("--shots", nargs="+", default=["10", "50"], help="messages a label")
    parser.add_argument("--draws", type=int, default=3, help="how often messages are drawn anew")
    parser.add_argument("--weights", nargs="+", type=float, default=[0.1, 0.5], help="of the preference's loss")
    parser.add_argument("--asked", type=int, default=1_000, help="test messages at most")
    args = parser.parse_args(arguments)
    base = base_folder("starter")
    print(f"{machine()}\n\n| messages to learn from | weight | without | with | mended, made | p |", flush=True)
    print("|---|---|---|---|---|---|")
    for trial in trials(args.data, args.sets, args.shots, args.draws, args.asked):
        usual = trained(trial, base, 0.0)
        for weight in args.weights:
            preferring = trained(trial, base, weight)
            print(f"| {trial.name} | {weight:g} | {compared(usual, preferring)} |", flush=True)


def trials(data: Path, sets: Sequence[str], shots: Sequence[str], draws: int, asked: int) -> Iterator[Trial]:
    """The trials; always the same ones."""
    for name in sets:
        rows = read(data / f"{name}.jsonl")
        learnable = [row for row in rows if row.split == "train"]
        tested = _spread([row for row in rows if row.split == "test"], asked)
        for shot in shots:
            for number in range(draws):
                learned = draw(learnable, shot, seed=number)
                yield Trial(f"{name}, {shot} a label, draw {number + 1}", learned, tested)


def _spread(rows: Sequence[Text], most: int) -> list[Text]:
    """So many of them, evenly spread over the whole."""
    return list(rows) if len(rows) <= most else [rows[at * len(rows) // most] for at in range(most)]


def trained(trial: Trial, base: Path, weight: float) -> Trained:
    """One training, and its adapter's answers."""
    with tempfile.TemporaryDirectory() as folder:
        run = as_run(trial, base, Path(folder) / "run")
        run = replace(run, task=replace(run.task, learning=replace(run.task.learning, preference=weight)))
        asyncio.run(TrainerProcess().train(run, tell))
        prompts, llama = PromptBuilder(base), train.load(base)
        PeftModel.from_pretrained(llama, adapter_of(run.folder))
        codes = torch.tensor([prompts.code_id(code) for code in run.codes.values()], device=llama.device)
        rows = training_rows.prompted(run, prompts, [as_example(text) for text in trial.asked])
        prefix = training_rows.shared_prefix(rows, training_rows.common_frame([row.ids for row in rows]))
        model = train.Model(llama, codes, prefix)
        with torch.inference_mode():
            given = [train.label_logits(model, part).argmax(-1).tolist() for part in train.parts(rows, len(prefix))]
        answers = [answer for part in given for answer in part]
        return Trained([answer == row.label for answer, row in zip(answers, rows, strict=True)])


def compared(usual: Trained, preferring: Trained) -> str:
    """Both, what the second mended and what it broke, and how likely so uneven a split is."""
    pairs = list(zip(usual.right, preferring.right, strict=True))
    gained, lost = sum(new and not old for old, new in pairs), sum(old and not new for old, new in pairs)
    chance = min(1.0, 2 * at_least(max(gained, lost), gained + lost, 0.5))
    return f"{usual.accuracy:.1%} | {preferring.accuracy:.1%} | {gained}, {lost} | {chance:.2g}"


if __name__ == "__main__":
    main()
