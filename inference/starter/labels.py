"""Where the starter's label rows point: along directions that its hidden state hardly uses.

    python -m inference.starter.labels --text unlabelled.jsonl.gz --base inference/starter/base

A LoRA cannot change these rows. Random ones would be a random classifier that training has to unlearn, and where the
few examples do not reach, it stays: with 50 examples a class that cost 6 to 14 points. Along quiet directions every
label starts out about equally likely, and a LoRA says a label by writing into a direction that means nothing else.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast, TokenizersBackend

from inference.starter.lines import read_lines

LABELS = tuple(f"<label_{n:03d}>" for n in range(160))
NORM = 1.0
TEXTS, TOKENS, BATCH = 4_000, 96, 64


def main() -> None:
    """Write the label rows of an existing base anew; everything else in it stays as it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--text", type=Path, nargs="+", required=True, help='.jsonl.gz files of {"text", "source"}')
    parser.add_argument("--base", type=Path, required=True)
    args = parser.parse_args()
    model = LlamaForCausalLM.from_pretrained(args.base, dtype=torch.float32)
    texts = [line.text for line in read_lines(args.text)]
    random.Random(1).shuffle(texts)
    write_label_rows(model, PreTrainedTokenizerFast.from_pretrained(args.base), texts)
    model.bfloat16().save_pretrained(args.base)


@torch.no_grad()
def write_label_rows(model: LlamaForCausalLM, tokenizer: TokenizersBackend, texts: Sequence[str]) -> None:
    """Point the label rows, at right angles to each other, where the texts' hidden states are smallest."""
    states = hidden_states(model, tokenizer, texts[:TEXTS])
    _, directions = torch.linalg.eigh(states.T @ states)  # in columns, the quietest first
    model.model.embed_tokens.weight[-len(LABELS) :] = NORM * directions[:, : len(LABELS)].T


def hidden_states(model: LlamaForCausalLM, tokenizer: TokenizersBackend, texts: Sequence[str]) -> torch.Tensor:
    """What the label rows are multiplied with: the last hidden state of each prompt."""
    states = []
    for start in range(0, len(texts), BATCH):
        some = list(texts[start : start + BATCH])
        batch = tokenizer(some, padding=True, truncation=True, max_length=TOKENS, return_tensors="pt")
        # Causal attention never looks to the right, where the padding is, so no mask is needed.
        read = model.model(batch["input_ids"], use_cache=False).last_hidden_state.float()
        states.append(read[torch.arange(len(some)), batch["attention_mask"].sum(1) - 1])
    return torch.cat(states)


if __name__ == "__main__":
    main()
