"""Two untrained Llamas that a laptop makes in a second: one shaped like the starter, one like a chat model."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE, WordPiece
from tokenizers.trainers import BpeTrainer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = "card refund invoice charged money parcel courier late delivery tracking password login locked account code"
CHAT = (
    "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)


def starter_like(folder: Path) -> Path:
    """A bare base: `<s> message <route>`, reserved label tokens, tied embeddings."""
    pieces = ["<pad>", "<s>", "</s>", "<route>", "<unk>", *LETTERS, *(f"##{c}" for c in LETTERS), *WORDS.split()]
    vocab = {piece: at for at, piece in enumerate([*pieces, *(f"<label_{n:03}>" for n in range(16))])}
    tokenizer = Tokenizer(WordPiece(vocab, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    return _saved(folder, fast, _config(len(vocab), hidden=64, heads=4, groups=4, positions=64, tied=True))


def chat_like(folder: Path) -> Path:
    """A base with a chat template: byte-level BPE, grouped queries, embeddings of its own at the output."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<|begin|>", "<|end|>", "<|user|>", "<|assistant|>"]
    trainer = BpeTrainer(
        vocab_size=400,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([WORDS, CHAT, "Which team should handle this message?"], trainer)
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, bos_token="<|begin|>", eos_token="<|end|>", pad_token="<|end|>", chat_template=CHAT
    )
    return _saved(folder, fast, _config(len(fast), hidden=96, heads=6, groups=2, positions=512, tied=False))


def _config(vocabulary: int, *, hidden: int, heads: int, groups: int, positions: int, tied: bool) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=heads,
        num_key_value_heads=groups,
        max_position_embeddings=positions,
        tie_word_embeddings=tied,
        initializer_range=0.2,
    )


def _saved(folder: Path, tokenizer: PreTrainedTokenizerFast, config: LlamaConfig) -> Path:
    torch.manual_seed(0)
    model = LlamaForCausalLM(config)  # type: ignore[no-untyped-call]
    model.bfloat16().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
