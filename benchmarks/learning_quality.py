"""How good an adapter gets, by data set and examples per class, beside TF-IDF + linear SVC in the same run.

    python -m benchmarks.learning_quality --data ../shared/data --shots 5 10 50 full
    python -m benchmarks.learning_quality --train bot/demo/seed.jsonl --test bot/demo/heldout.jsonl

The product's own trainer trains the adapter, transformers scores it, over the whole untouched test split. Out-of-scope
rows are left out. 5 and 10 per class are the published draws, if the data folder has them.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from peft import PeftModel
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.svm import LinearSVC

from benchmarks.machine import processor
from bot.domain.learning import Example, Side, Source
from bot.domain.model_ports import TrainingRun
from bot.domain.tasks import Label, Task
from inference import train, training_rows
from inference.base_models import base_folder
from inference.prompt import PromptBuilder
from inference.run_folder import adapter_of, finished
from inference.trainer_process import TrainerProcess

SETS = ("banking77_teams", "clinc_domains", "banking77", "clinc150")
OUT_OF_SCOPE = "oos"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    label: str
    split: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What is learned from, and what is asked afterwards."""

    name: str
    learned: list[Text]
    asked: list[Text]


def main() -> None:
    """Print a table row for each trial, as it ends."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, help="folder of the data sets")
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS)
    parser.add_argument("--shots", nargs="+", default=["5", "10", "50", "full"], help="examples per class, or full")
    parser.add_argument("--train", type=Path, help="a JSONL file of text and label to learn from instead")
    parser.add_argument("--test", type=Path, help="and one to be asked about")
    parser.add_argument("--base", default="starter", help="starter, a folder or a Hugging Face id")
    args = parser.parse_args()
    trials = published(args.data, args.sets, args.shots) if args.data else own(args.train, args.test)
    print(f"{os.cpu_count()} cores, {processor()}, {platform.system()}, torch {torch.__version__}")
    print(f"{'trial':28} {'learned':>7} {'asked':>6} {'steps':>6} {'train s':>8} {'adapter':>8} {'SVC':>6}", flush=True)
    for trial in trials:
        steps, seconds, right = adapter(trial, base_folder(args.base))
        print(
            f"{trial.name:28} {len(trial.learned):7} {len(trial.asked):6} {steps:6} {seconds:8.1f} {right:8.1%}"
            f" {linear(trial):6.1%}",
            flush=True,
        )


def published(data: Path, sets: Sequence[str], shots: Sequence[str]) -> Iterator[Trial]:
    """The data sets by class size, smallest first."""
    for name in sets:
        rows = read(data / f"{name}.jsonl")
        asked = [row for row in rows if row.split == "test"]
        for shot in shots:
            drawn = data / "fewshot" / f"{name}_train_{shot}.jsonl"
            learned = read(drawn) if drawn.exists() else draw([r for r in rows if r.split == "train"], shot)
            yield Trial(f"{name}, {shot} a class" if shot != "full" else f"{name}, full", learned, asked)


def own(train_file: Path, test_file: Path) -> Iterator[Trial]:
    """One trial of the caller's own files."""
    yield Trial(train_file.stem, read(train_file), read(test_file))


def read(path: Path) -> list[Text]:
    """The rows of the file that belong to some team."""
    rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
    texts = [Text(row["text"], row["label"], row.get("split", "")) for row in rows]
    return [text for text in texts if text.label != OUT_OF_SCOPE]


def draw(rows: Sequence[Text], shot: str, seed: int = 0) -> list[Text]:
    """So many of each class; always the same ones for one seed."""
    if shot == "full":
        return list(rows)
    by_label: dict[str, list[Text]] = defaultdict(list)
    for row in rows:
        by_label[row.label].append(row)
    rng = random.Random(seed)
    return [
        row for label in sorted(by_label) for row in rng.sample(by_label[label], min(int(shot), len(by_label[label])))
    ]


def adapter(trial: Trial, base: Path) -> tuple[int, float, float]:
    """Steps and seconds of the training, and the share of right answers."""
    with tempfile.TemporaryDirectory() as folder:
        run = as_run(trial, base, Path(folder) / "run")
        asyncio.run(TrainerProcess().train(run, tell))
        done = finished(run.folder)
        assert done is not None
        return done.steps, done.seconds, score(run, trial.asked)


def as_run(trial: Trial, base: Path, folder: Path) -> TrainingRun:
    names = sorted({text.label for text in trial.learned})
    task = Task("routing", "Which team should handle this message?", tuple(Label(n, n) for n in names), names[0])
    codes = dict(zip(names, PromptBuilder(base).alphabet(), strict=False))
    return TrainingRun(folder, base, task, codes, [as_example(text) for text in trial.learned])


def as_example(text: Text) -> Example:
    return Example(text.text, text.label, Source.IMPORT, Side.TRAIN, NOW)


def score(run: TrainingRun, asked: Sequence[Text]) -> float:
    """The share of the texts that the run's adapter gives the right label."""
    prompts = PromptBuilder(run.base)
    llama = train.load(run.base)
    PeftModel.from_pretrained(llama, adapter_of(run.folder))
    codes = torch.tensor([prompts.code_id(code) for code in run.codes.values()], device=llama.device)
    rows = training_rows.prompted(run, prompts, [as_example(text) for text in asked])
    prefix = training_rows.shared_prefix(rows, training_rows.common_frame([row.ids for row in rows]))
    return train.share_right(train.Model(llama, codes, prefix), rows)


def linear(trial: Trial) -> float:
    """The share that words, pairs of words and letter groups get right under a linear SVC."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    model: Pipeline = make_pipeline(make_union(words, letters), LinearSVC())
    model.fit([text.text for text in trial.learned], [text.label for text in trial.learned])
    given: list[str] = list(model.predict([text.text for text in trial.asked]))
    return sum(answer == text.label for answer, text in zip(given, trial.asked, strict=True)) / len(trial.asked)


def tell(share: float, doing: str) -> None:
    print(f"\r{share:4.0%} {doing:40}", end="\r" if share < 1 else f"\r{'':50}\r", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
