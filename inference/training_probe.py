"""Trains for a second, on stdin's rows, a model of the base's shape, and says on stdout how fast that was.

    python -m inference.training_probe < asked.json

The steps are those of `inference.train`, on random weights: their values take no time. Of a base of more than LAYERS
layers so many are built, and the time and memory of the rest is taken to be the same; the vocabulary, which training
hardly touches, is cut. So a base of billions of weights is tried within seconds, and nothing of it is loaded.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import cast

import torch
from peft import get_peft_model
from transformers import AutoConfig, LlamaConfig, LlamaForCausalLM

from inference import train
from inference.recipe import PRETRAINED, STARTER, Recipe
from inference.training_rows import Row, batches, common_frame, shared_prefix

LAYERS = 4
VOCABULARY = 512
BUDGET = 1.0  # seconds of steps, after one for warming up; at least one step is made
MOST_STEPS = 20
GROWTH = 3.0
"""How much more memory a whole training takes on a CPU than the probe's few steps: every new batch shape leaves some
allocated. Measured with the starter, 614 steps beside 6; for a large base it may be too much."""


@dataclass(frozen=True, slots=True)
class Tried:
    """The probe's measurements; the parent reads them as JSON."""

    device: str
    began_at: float
    """When the first step could begin, in seconds since the epoch."""
    step_seconds: float
    ask_seconds: float
    memory_bytes: int


def main() -> None:
    """Read the request from stdin; write one line to stdout."""
    asked = json.load(sys.stdin)
    rows = [Row(tuple(id % VOCABULARY for id in ids), label) for ids, label in asked["rows"]]
    found = tried(Path(asked["base"]), STARTER if asked["bare"] else PRETRAINED, rows)
    sys.stdout.write(json.dumps(asdict(found)) + "\n")


def tried(base: Path, recipe: Recipe, rows: Sequence[Row]) -> Tried:
    """Make one step to warm up, steps until the budget is used up, then answer all rows, as at a checkpoint."""
    whole: LlamaConfig = AutoConfig.from_pretrained(str(base))
    model = shaped_like(whole, recipe, rows)
    began_at, empty = time.time(), peak_memory()
    weights = train.learning_weights(model.llama)
    optimizer = torch.optim.AdamW(weights, lr=recipe.rate, weight_decay=recipe.decay)
    frame = common_frame([row.ids for row in rows])
    drawn = list(islice(batches(rows, frame, recipe.token_dropout), MOST_STEPS + 1))

    def step(at: int) -> None:
        train.check_finite(at, train.learn(model, optimizer, drawn[at], recipe), model.llama)

    step(0)
    step_seconds = mean_seconds(step)
    started = time.perf_counter()
    train.share_right(model, rows)
    ask_seconds = (time.perf_counter() - started) / len(rows)
    built = model.llama.config.num_hidden_layers
    times = whole.num_hidden_layers / built
    growth = 1.0 if torch.cuda.is_available() else GROWTH
    memory = empty + growth * times * (peak_memory() - empty) + missing_bytes(whole, model.llama)
    return Tried(device_name(), began_at, times * step_seconds, times * ask_seconds, round(memory))


def mean_seconds(step: Callable[[int], None]) -> float:
    """The mean seconds of the steps that the budget allows."""
    started = time.perf_counter()
    for at in range(1, MOST_STEPS + 1):
        step(at)
        if time.perf_counter() - started >= BUDGET:
            break
    return (time.perf_counter() - started) / at


def shaped_like(whole: LlamaConfig, recipe: Recipe, rows: Sequence[Row]) -> train.Model:
    """A model of that shape with adapters, few layers and a small vocabulary, on the device and in the format of
    training."""
    few: Mapping[str, int] = {
        "num_hidden_layers": min(LAYERS, whole.num_hidden_layers),
        "vocab_size": VOCABULARY,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": 0,
    }
    config = LlamaConfig.from_dict({**whole.to_dict(), **few})
    device, dtype = train.precision()
    built: torch.nn.Module = LlamaForCausalLM(config)  # type: ignore[no-untyped-call]
    llama = cast(LlamaForCausalLM, built.to(device, dtype))
    get_peft_model(llama, train.lora_config(recipe))
    codes = torch.arange(1 + max(row.label for row in rows), device=device)
    return train.Model(llama, codes, shared_prefix(rows, common_frame([row.ids for row in rows])))


def missing_bytes(whole: LlamaConfig, built: LlamaForCausalLM) -> int:
    """The bytes of the layers and vocabulary rows that were not built."""
    layers: int = whole.num_hidden_layers - built.config.num_hidden_layers
    words: int = (whole.vocab_size - VOCABULARY) * whole.hidden_size * (1 if whole.tie_word_embeddings else 2)
    layer: int = sum(weight.nbytes for weight in built.model.layers[0].parameters())
    return layers * layer + words * train.precision()[1].itemsize


def peak_memory() -> int:
    """The most bytes this process has used at once, on the device it trains on."""
    if torch.cuda.is_available():
        peak: int = torch.cuda.max_memory_allocated()
        return peak
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def device_name() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"


if __name__ == "__main__":
    main()
