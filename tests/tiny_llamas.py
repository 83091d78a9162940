"""Untrained Llamas that a laptop makes in a second, one of each prompt shape and of different sizes."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tests.small_bases import CHAT, bare_base, listed_base


def starter_like(folder: Path) -> Path:
    """The starter's shape: the message alone, tied embeddings, a head for every query."""
    bare_base(folder, positions=64)
    return with_weights(folder, hidden=64, heads=4, groups=4, tied=True)


def chat_like(folder: Path, template: str = CHAT) -> Path:
    """A chat model's shape: the list of labels first, grouped queries, its own output embeddings."""
    listed_base(folder, template=template, positions=512)
    return with_weights(folder, hidden=96, heads=6, groups=2, tied=False)


def with_weights(
    folder: Path, *, hidden: int, heads: int, groups: int, tied: bool, rope: Mapping[str, float | str] | None = None
) -> Path:
    """Two random layers in bf16, the same every time, for the existing tokenizer and length."""
    torch.manual_seed(0)
    said = json.loads((folder / "config.json").read_text("utf-8"))
    config = LlamaConfig(
        vocab_size=said["vocab_size"],
        max_position_embeddings=said["max_position_embeddings"],
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=heads,
        num_key_value_heads=groups,
        tie_word_embeddings=tied,
        initializer_range=0.2,
        rope_parameters=dict(rope) if rope else None,
    )
    model = LlamaForCausalLM(config)  # type: ignore[no-untyped-call]
    model.bfloat16().save_pretrained(folder)
    return folder
