"""Whole words for an existing starter: words people use most that its vocabulary has only in pieces.

"Invoice", "refund", "vpn" and "login" are two or three pieces of the teacher's vocabulary, and a model of three layers
has better things to do than to put them together again in every message. Of Portuguese and Spanish it has only pieces.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.trainers import WordPieceTrainer
from transformers import AutoTokenizer, LlamaForCausalLM, TokenizersBackend

from inference.starter.labels import LABELS
from inference.starter.lines import ENGLISH, Line
from inference.starter.teacher import Teacher, minilm_folder

WORDS = 4_000  # by use in the lines
RARE_WORDS = 1_500  # hardly used in the lines; in MiniLM's order, the commonest first
LEAST_USE = 5
PIECES = 11_000  # for other languages, before known ones are removed


def choose_words(tokenizer: TokenizersBackend, lines: Sequence[Line]) -> list[str]:
    """The words to add: those used most in the lines, then common ones in MiniLM's order."""
    known = tokenizer.get_vocab()
    uses: Counter[str] = Counter()
    for line in lines:
        uses.update(dict.fromkeys(words_of(tokenizer.backend_tokenizer, line.text), line.repeats))
    used = [word for word, count in uses.most_common() if count >= LEAST_USE and word not in known]
    theirs = AutoTokenizer.from_pretrained(minilm_folder()).get_vocab()
    rare = [word for word in sorted(theirs, key=theirs.__getitem__) if is_word(word) and word not in known]
    chosen = dict.fromkeys(used[:WORDS])
    return list(dict.fromkeys([*chosen, *[word for word in rare if word not in chosen][:RARE_WORDS]]))


def choose_pieces(tokenizer: TokenizersBackend, lines: Sequence[Line]) -> list[str]:
    """Pieces for lines that are not English: a vocabulary of their own, without pieces already known."""
    known = tokenizer.get_vocab()
    theirs = Tokenizer(WordPiece(unk_token="<unk>"))
    theirs.normalizer = tokenizer.backend_tokenizer.normalizer
    theirs.pre_tokenizer = tokenizer.backend_tokenizer.pre_tokenizer
    trainer = WordPieceTrainer(
        vocab_size=PIECES, min_frequency=LEAST_USE, special_tokens=["<unk>"], show_progress=False
    )
    theirs.train_from_iterator(
        (line.text for line in lines if line.language != ENGLISH for _ in range(line.repeats)), trainer
    )
    found = theirs.get_vocab()
    return [piece for piece in sorted(found, key=found.__getitem__) if is_plain(piece) and piece not in known]


def words_of(tokenizer: Tokenizer, text: str) -> Iterator[str]:
    """The plain words of a text, as the tokenizer separates them."""
    cleaned = tokenizer.normalizer.normalize_str(text)
    return (word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(cleaned) if is_word(word))


def is_word(piece: str) -> bool:
    """Whether it is three letters or more and nothing else: no numbers, order codes or pieces of words."""
    return len(piece) > 2 and piece.isascii() and piece.isalpha()


def is_plain(piece: str) -> bool:
    """Whether it is two letters or more, at a word's beginning or inside one."""
    letters = piece.removeprefix("##")
    return len(letters) > 1 and letters.isascii() and letters.isalpha()


@torch.no_grad()
def with_rows(base: LlamaForCausalLM, added: Sequence[str], teacher: Teacher, known: TokenizersBackend) -> None:
    """Give the model a row for each new piece, before the label rows, at the place of the teacher's vector of it.

    The ridge regression from the teacher's vectors of known words to the model's rows determines the place: a
    Portuguese word begins beside the English one that means the same.
    """
    rows = base.model.embed_tokens.weight
    old = {word: at for word, at in known.get_vocab().items() if is_word(word)}
    meant, new = (teacher.vectors([piece.removeprefix("##") for piece in some]) for some in (old, added))
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
