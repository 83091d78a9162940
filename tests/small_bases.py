"""Base models small enough to be made by a test: one of each prompt shape."""

import json
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from tokenizers import decoders as decoding

CHAT = (
    "{{ bos_token }}{% if strftime_now is defined %}Today: {{ strftime_now('%d %b %Y') }}\n{% endif %}"
    "{% for message in messages %}<|turn|>{{ message['role'] }}\n{{ message['content'] | trim }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}"
)
_TEXT = [
    "Which team should handle this message? Invoices, refunds, charges, payment methods",
    "I was charged twice; where is my refund? Answer with the code alone. Message: Code: billing shipping",
    "AB\nAC\nBA\n" * 9 + " ZA ZB" * 9,
]


def bare_base(folder: Path, positions: int = 32) -> Path:
    """The starter's shape: lower-casing word pieces, a mark, three reserved labels."""
    words = [*"abcdefghijklmnopqrstuvwxyz<>_0123456789", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz0123456789")]
    names = ["<pad>", "<s>", "</s>", "<route>", "<unk>", "<label_000>", "<label_001>", "<label_002>", *words]
    tokenizer = Tokenizer(models.WordPiece({name: id for id, name in enumerate(names)}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["<pad>", "<s>", "</s>", "<unk>", "<route>", "<label_000>"])
    return _saved(folder, tokenizer, {}, positions)


def listed_base(folder: Path, template: str | None = CHAT, positions: int = 4_096) -> Path:
    """An instruct model's shape: byte-level pairs, special marks, a chat template."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoding.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|begin|>", "<|turn|>", "<|end|>"],
    )
    tokenizer.train_from_iterator(_TEXT, trainer)
    tokenizer.add_tokens(["<think>"])
    config: dict[str, object] = {"bos_token": "<|begin|>", "eos_token": {"__type": "AddedToken", "content": "<|end|>"}}
    return _saved(folder, tokenizer, config | ({"chat_template": template} if template else {}), positions)


def _saved(folder: Path, tokenizer: Tokenizer, config: dict[str, object], positions: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    shape = {"max_position_embeddings": positions, "vocab_size": tokenizer.get_vocab_size()}
    (folder / "config.json").write_text(json.dumps(shape), encoding="utf-8")
    return folder
