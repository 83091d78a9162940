"""Whole words for a starter that exists: what people write most and the teacher never had as one piece.

"Invoice", "refund", "vpn" and "login" are two or three pieces of the teacher's vocabulary, and a model of three layers
has better things to do than to put them together again in every message.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer, LlamaForCausalLM, TokenizersBackend

from inference.starter.labels import LABELS
from inference.starter.lines import Line
from inference.starter.teacher import embed_part

WORDS = 4_000  # by use in the lines
RARE_WORDS = 1_500  # which the lines hardly use, in the teacher's order, the commonest first
LEAST_USE = 5


def choose_words(teacher: Path, tokenizer: TokenizersBackend, lines: Sequence[Line]) -> list[str]:
    """The words to add: those that the lines use most, then those that the teacher holds for common."""
    known = tokenizer.get_vocab()
    uses: Counter[str] = Counter()
    for line in lines:
        uses.update(dict.fromkeys(words_of(tokenizer.backend_tokenizer, line.text), line.repeats))
    used = [word for word, count in uses.most_common() if count >= LEAST_USE and word not in known]
    theirs = AutoTokenizer.from_pretrained(teacher).get_vocab()
    rare = [word for word in sorted(theirs, key=theirs.__getitem__) if is_word(word) and word not in known]
    chosen = dict.fromkeys(used[:WORDS])
    return list(dict.fromkeys([*chosen, *[word for word in rare if word not in chosen][:RARE_WORDS]]))


def words_of(tokenizer: Tokenizer, text: str) -> Iterator[str]:
    """The plain words of a text, as the tokenizer separates them."""
    cleaned = tokenizer.normalizer.normalize_str(text)
    return (word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(cleaned) if is_word(word))


def is_word(piece: str) -> bool:
    """Three letters or more and nothing else: no numbers, order codes or pieces of words."""
    return len(piece) > 2 and piece.isascii() and piece.isalpha()


@torch.no_grad()
def with_rows(base: LlamaForCausalLM, words: Sequence[str], teacher: Path, known: TokenizersBackend) -> None:
    """Give the model a row for each new word, before the label rows: where the teacher's vector of it would lie.

    The ridge regression from the teacher's vectors of the words that the model knows to their rows says where.
    """
    rows = base.model.embed_tokens.weight
    old = {word: at for word, at in known.get_vocab().items() if is_word(word)}
    encoder = AutoModel.from_pretrained(teacher).eval()
    tokenizer: TokenizersBackend = TokenizersBackend.from_pretrained(teacher)
    meant, new = (embed_part(encoder, tokenizer, list(some)) for some in (old, words))
    middle, centre = meant.mean(0), rows[list(old.values())].mean(0)
    seen, wanted = meant - middle, rows[list(old.values())] - centre
    ridge = 1e-2 * len(seen) * seen.square().mean() * torch.eye(seen.shape[1])
    fitted = torch.linalg.solve(seen.T @ seen + ridge, seen.T @ wanted)
    made = (new - middle) @ fitted
    made *= wanted.norm(dim=1).mean() / made.norm(dim=1, keepdim=True)
    labels = rows[-len(LABELS) :].clone()
    grown = torch.cat([rows[: -len(LABELS)], made + centre, labels])
    base.resize_token_embeddings(len(grown), mean_resizing=False)
    base.model.embed_tokens.weight.copy_(grown)
