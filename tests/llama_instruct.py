"""A folder like Llama-3.2-1B-Instruct: its architecture, kind of tokenizer and chat template, small and untrained."""

import json
from collections.abc import Mapping
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors, trainers
from tokenizers import decoders as decoding
from transformers import PreTrainedTokenizerFast

from tests.tiny_llamas import with_weights

# The behaviour of such a template, written anew: a system turn that names a day, then every turn between header and end
_TURN = "'<|start_header_id|>' ~ {role} ~ '<|end_header_id|>\\n\\n' ~ {words} ~ '<|eot_id|>'"
_TODAY = "date_string or (strftime_now('%d %b %Y') if strftime_now is defined else '26 Jul 2024')"
TEMPLATE = (
    "{{ bos_token }}{% set day = " + _TODAY + " %}"
    "{{ " + _TURN.format(role="'system'", words="'Today Date: ' ~ day ~ '\\n\\n'") + " }}"
    "{% for one in messages %}{{ " + _TURN.format(role="one['role']", words="one['content'] | trim") + " }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
_SPECIAL = (
    *("<|begin_of_text|>", "<|end_of_text|>", "<|finetune_right_pad_id|>", "<|start_header_id|>", "<|end_header_id|>"),
    *("<|eom_id|>", "<|eot_id|>", "<|python_tag|>", "<|reserved_special_token_0|>"),
)
_PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
_ROPE: dict[str, float | str] = {
    "factor": 32.0,
    "high_freq_factor": 4.0,
    "low_freq_factor": 1.0,
    "original_max_position_embeddings": 8192,
    "rope_type": "llama3",
}
_THETA = 500_000.0


def llama_instruct(folder: Path, texts: list[str]) -> Path:
    """The vocabulary comes from these texts; as the real one: 64 numbers a head, several queries a key, bf16, tied."""
    folder.mkdir(parents=True)
    tokenizer = _tokenizer(texts)
    tokenizer.save_pretrained(folder)
    _rewritten(
        folder / "tokenizer_config.json", {"chat_template": TEMPLATE, "tokenizer_class": "PreTrainedTokenizerFast"}
    )
    shape = {"vocab_size": len(tokenizer), "max_position_embeddings": 131_072}
    (folder / "config.json").write_text(json.dumps(shape), "utf-8")
    with_weights(folder, hidden=128, heads=2, groups=1, tied=True, rope=_ROPE | {"rope_theta": _THETA})
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    older = {"rope_scaling": _ROPE, "rope_theta": _THETA, "torch_dtype": "bfloat16"}
    _rewritten(folder / "config.json", {**ends, **older})
    _rewritten(folder / "generation_config.json", {"do_sample": True, "temperature": 0.6, "top_p": 0.9})
    return folder


def _rewritten(file: Path, as_theirs: Mapping[str, object]) -> None:
    """With the keys of Meta's own file, which is older than the library that writes here."""
    written = json.loads(file.read_text("utf-8"))
    for newer in ("rope_parameters", "dtype"):
        written.pop(newer, None)
    file.write_text(json.dumps({**written, **as_theirs}), "utf-8")


def _tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """Byte-level pairs after Llama 3's own way of splitting words; it adds the beginning of text itself."""
    raw = Tokenizer(models.BPE(ignore_merges=True))
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    raw.decoder = decoding.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    learned = [*texts, "AB AC AD AE AF AG AH AI AJ\n" * 50]  # two letters are one token in the real vocabulary, too
    raw.train_from_iterator(
        learned, trainers.BpeTrainer(vocab_size=1_500, show_progress=False, initial_alphabet=alphabet)
    )
    raw.add_special_tokens(list(_SPECIAL))
    begin = "<|begin_of_text|>"
    raw.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A", pair=f"{begin} $A {begin} $B", special_tokens=[(begin, raw.token_to_id(begin))]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=raw, bos_token=begin, eos_token="<|eot_id|>", model_max_length=131_072
    )
