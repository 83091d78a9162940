"""The model that is distilled into: a small Llama and its tokenizer, new from word vectors or an existing one."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece
from transformers import AutoModel, AutoTokenizer, LlamaConfig, LlamaForCausalLM, TokenizersBackend

from inference.starter.labels import LABELS
from inference.starter.lines import ENGLISH, Line
from inference.starter.teacher import Teacher, minilm_folder
from inference.starter.words import choose_pieces as pieces_of_others
from inference.starter.words import choose_words, with_rows

SPECIALS = ("<pad>", "<s>", "</s>", "<route>")
UNKNOWN = "<unk>"
PIECES = 10_000
PIECES_BY_USE = 7_000  # the rest in the teacher's own order, so that words these lines lack stay whole, too
WIDTH, LAYERS, HEADS, MLP, POSITIONS = 384, 3, 6, 768, 256


def begin(lines: Sequence[Line]) -> tuple[LlamaForCausalLM, TokenizersBackend]:
    """A new model, whose vocabulary is a part of MiniLM's."""
    tokenizer = build_tokenizer(choose_pieces(minilm_folder(), lines))
    return build_model(minilm_folder(), tokenizer), tokenizer


def take_further(older: Path, teacher: Teacher, lines: Sequence[Line]) -> tuple[LlamaForCausalLM, TokenizersBackend]:
    """An existing model with more whole words: English ones, or other languages' if the lines have any."""
    model = LlamaForCausalLM.from_pretrained(older, dtype=torch.float32)
    known: TokenizersBackend = TokenizersBackend.from_pretrained(older)
    english = all(line.language == ENGLISH for line in lines)
    added = choose_words(known, lines) if english else pieces_of_others(known, lines)
    with_rows(model, added, teacher, known)
    vocabulary = known.get_vocab()
    pieces = sorted(vocabulary, key=vocabulary.__getitem__)[len(SPECIALS) + 1 : -len(LABELS)]
    tokenizer = build_tokenizer([*pieces, *added])
    model.config.vocab_size = len(tokenizer)
    return model, tokenizer


def build_tokenizer(pieces: Sequence[str]) -> TokenizersBackend:
    """A lower-casing WordPiece that drops accents, as people do who type.

    `<route>` and the labels are in the vocabulary but are no *added* tokens: text is never searched for them, and since
    words end at `<`, `_` and `>` before pieces are looked up, no text can spell them.
    """
    vocab = {piece: at for at, piece in enumerate((*SPECIALS, UNKNOWN, *pieces, *LABELS))}
    tokenizer = Tokenizer(WordPiece(vocab, unk_token=UNKNOWN, max_input_chars_per_word=64))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A <route>", special_tokens=[(name, vocab[name]) for name in ("<s>", "<route>")]
    )
    return TokenizersBackend(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token=UNKNOWN,
        padding_side="right",
        model_max_length=POSITIONS,
        split_special_tokens=True,  # a message that contains "</s>" is an ordinary message
        clean_up_tokenization_spaces=False,
    )


def choose_pieces(teacher: Path, lines: Sequence[Line]) -> list[str]:
    """The teacher's pieces to keep: letters, digits and signs, then the most used, then in its own order."""
    tokenizer = Tokenizer.from_file(str(teacher / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    ranked = sorted(tokenizer.get_vocab(), key=lambda piece: tokenizer.token_to_id(piece) or 0)
    usable = dict.fromkeys(piece for piece in ranked if not (piece.startswith("[") and len(piece) > 1))
    single = [piece for piece in usable if is_basic(piece.removeprefix("##"))]
    uses: Counter[str] = Counter()
    for start in range(0, len(lines), 10_000):
        some = lines[start : start + 10_000]
        for line, found in zip(some, tokenizer.encode_batch([line.text for line in some]), strict=True):
            uses.update(dict.fromkeys(found.tokens, line.repeats))
    by_use = [piece for piece, _ in uses.most_common() if piece in usable]
    rest = [piece for piece in usable if piece.isascii()]
    return list(dict.fromkeys([*single, *by_use[:PIECES_BY_USE], *rest]))[: PIECES - 1]


def is_basic(piece: str) -> bool:
    """Whether the piece is a single character that must be known: ASCII, punctuation, or a sign like the euro's."""
    return len(piece) == 1 and (piece.isascii() or unicodedata.category(piece)[0] in "PS")


def build_model(teacher: Path, tokenizer: TokenizersBackend) -> LlamaForCausalLM:
    """A Llama that starts as the mean of its word vectors; from random weights one this small learns little."""
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        intermediate_size=MLP,
        max_position_embeddings=POSITIONS,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        copy_word_vectors(model, teacher, tokenizer)
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight *= 0.3
            layer.mlp.down_proj.weight *= 0.3
        first = model.model.layers[0].self_attn
        first.q_proj.weight.zero_()  # equal attention to all tokens so far: a mean
        first.v_proj.weight.copy_(torch.eye(WIDTH))
        first.o_proj.weight.copy_(6.0 * torch.eye(WIDTH))
    return model


def copy_word_vectors(model: LlamaForCausalLM, teacher: Path, tokenizer: TokenizersBackend) -> None:
    """Give each kept piece the teacher's vector, centred, with the standard deviation of the other rows, 0.05."""
    theirs = AutoTokenizer.from_pretrained(teacher).get_vocab()
    words = AutoModel.from_pretrained(teacher).embeddings.word_embeddings.weight
    rows = model.model.embed_tokens.weight
    rows.normal_(std=0.05)
    shared = [(at, theirs[piece]) for piece, at in tokenizer.get_vocab().items() if piece in theirs]
    vectors = words[[there for _, there in shared]]
    vectors = vectors - vectors.mean(0)
    rows[[here for here, _ in shared]] = vectors * (0.05 / vectors.std())
