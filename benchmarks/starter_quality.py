"""What the starter knows before any training: a linear head on its last hidden state, beside TF-IDF + SVC.

    python -m benchmarks.starter_quality --data FOLDER > starter_quality.jsonl

FOLDER holds clinc150.jsonl, banking77.jsonl (one {"text", "label", "split"} a line) and their published few-shot draws
in fewshot/. Each result is a JSON line on stdout. Weights are in bfloat16, as they ship and serve.
"""

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC
from transformers import AutoModelForCausalLM, AutoTokenizer

from inference.starter import BASE

SETS = ("clinc150", "banking77")
SHOTS = (5, 10, 50)


@dataclass(frozen=True, slots=True)
class Example:
    """A text and its label."""

    text: str
    label: str


def main() -> None:
    """Measure every set at every size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--base", type=Path, default=BASE)
    args = parser.parse_args()
    for name in SETS:
        test = read(args.data / f"{name}.jsonl", "test")
        states = last_states(args.base, [example.text for example in test])
        for shots in SHOTS:
            train = draw(args.data, name, shots)
            figures = {
                "starter_head": head_accuracy(args.base, train, test, states),
                "tfidf_svc": svc_accuracy(train, test),
            }
            print(json.dumps({"set": name, "per_class": shots, "n_test": len(test), **figures}), flush=True)


def read(path: Path, split: str) -> list[Example]:
    """The examples of one split, without texts outside every intent, which have no right answer here."""
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [Example(row["text"], row["label"]) for row in rows if row["split"] == split and row["label"] != "oos"]


def draw(data: Path, name: str, shots: int) -> list[Example]:
    """The published draw of this size, or else a seeded one."""
    published = data / "fewshot" / f"{name}_train_{shots}.jsonl"
    if published.exists():
        return read(published, "train")
    examples = read(data / f"{name}.jsonl", "train")
    random.Random(1).shuffle(examples)
    by_label: dict[str, list[Example]] = {}
    for example in examples:
        by_label.setdefault(example.label, []).append(example)
    return [example for group in by_label.values() for example in group[:shots]]


@torch.inference_mode()
def last_states(base: Path, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """The hidden state at the end of each prompt, at unit length."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
    states = []
    for start in range(0, len(texts), 64):
        some = list(texts[start : start + 64])
        batch = tokenizer(some, padding=True, truncation=True, max_length=256, return_tensors="pt")
        found = model.model(batch["input_ids"]).last_hidden_state.float()
        states.append(found[torch.arange(len(some)), batch["attention_mask"].sum(1) - 1])
    unit: npt.NDArray[np.float32] = torch.nn.functional.normalize(torch.cat(states), dim=-1).numpy()
    return unit


def head_accuracy(
    base: Path, train: Sequence[Example], test: Sequence[Example], states: npt.NDArray[np.float32]
) -> float:
    """Accuracy of a logistic regression on the frozen states."""
    head = LogisticRegression(C=30.0, max_iter=2_000)
    head.fit(last_states(base, [example.text for example in train]), [example.label for example in train])
    return accuracy(head.predict(states), test)


def svc_accuracy(train: Sequence[Example], test: Sequence[Example]) -> float:
    """Accuracy of the one-millisecond rival: word and character TF-IDF into a linear SVC."""
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    )
    rival = make_pipeline(features, LinearSVC())
    rival.fit([example.text for example in train], [example.label for example in train])
    return accuracy(rival.predict([example.text for example in test]), test)


def accuracy(found: npt.NDArray[np.str_], test: Sequence[Example]) -> float:
    """The share of right answers."""
    return round(float(np.mean(found == np.array([example.label for example in test]))), 4)


if __name__ == "__main__":
    main()
