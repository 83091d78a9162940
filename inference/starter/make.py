"""Make the starter: distil a sentence encoder into a small Llama, saved as an ordinary Hugging Face folder.

    python -m inference.starter.make --text unlabelled.jsonl.gz --out inference/starter/base --minutes 20

Interrupted, the same command goes on where it stopped: everything costly is kept in --work. What the starter
is, what it was made from and how good it is: README.md beside this file.
"""

import argparse
import json
import math
import random
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece
from torch.nn import functional as F
from transformers import AutoModel, AutoTokenizer, LlamaConfig, LlamaForCausalLM, TokenizersBackend

from inference.starter.labels import LABELS, write_label_rows
from inference.starter.lines import Line, choose_lines, misspelt, read_lines
from inference.starter.teacher import embed, teacher_folder
from inference.starter.words import choose_words, with_rows

SPECIALS = ("<pad>", "<s>", "</s>", "<route>")
UNKNOWN = "<unk>"
PIECES = 10_000
PIECES_BY_USE = 7_000  # the rest by the teacher's own order, so that words this text lacks stay whole too
WIDTH, LAYERS, HEADS, MLP, POSITIONS = 384, 3, 6, 768, 256

MISSPELT_SHARE = 0.15  # lines shown with typos, the target staying the clean line's: typos should not matter
BATCH = 64
TOKENS = 64  # a training line is cut here
RATE, WARM_UP, DECAY = 1e-3, 0.04, 0.02
RATE_AGAIN = 7e-4  # for a starter that is taken further: enough to move, not enough to forget
HELD_OUT = 2_000
FITTED = 6_000  # lines that the first projection is fitted on
CHECKPOINT_SECONDS = 120.0

err = Console(stderr=True)


def main() -> None:
    """The story of the starter, top to bottom; prints one JSON line of figures to stdout at the end."""
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.set_float32_matmul_precision("medium")  # with autocast below: half the time, nothing lost
    torch.manual_seed(args.seed)
    args.work.mkdir(parents=True, exist_ok=True)

    lines = choose_lines(read_lines(args.text), args.cap, random.Random(args.seed))
    err.print(f"{len(lines):,} lines, {sum(line.repeats > 1 for line in lines):,} of them spoken")

    teacher = teacher_folder()
    with progress_bar() as progress:
        targets = embed(teacher, [line.text for line in lines], args.work, progress)
    model, tokenizer = begin(teacher, lines, args.start_from)
    figures = distil(model, tokenizer, lines, targets, args)
    write_label_rows(model, tokenizer, [line.text for line in lines])
    save(model, tokenizer, args.out)
    print(json.dumps(figures))


def arguments() -> argparse.Namespace:
    """The command line, parsed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    add = parser.add_argument
    add("--text", type=Path, nargs="+", required=True, help='.jsonl.gz files of {"text", "source"}')
    add("--out", type=Path, required=True, help="the folder to write")
    add("--start-from", type=Path, help="a finished starter to take further, with more whole words")
    add("--work", type=Path, default=Path("var/starter"), help="checkpoint and teacher vectors, one run's")
    add("--minutes", type=float, default=20.0, help="time to distil, after the teacher's part")
    add("--cap", type=int, default=10_000, help="lines that one source may give at most")
    add("--seed", type=int, default=1)
    add("--threads", type=int, default=2)
    return parser.parse_args()


# --------------------------------------------------------------------------------------- tokenizer and model


def begin(teacher: Path, lines: Sequence[Line], older: Path | None) -> tuple[LlamaForCausalLM, TokenizersBackend]:
    """What is distilled into: a new model, or an older one that is given more whole words."""
    if older is None:
        tokenizer = build_tokenizer(choose_pieces(teacher, lines))
        return build_model(teacher, tokenizer), tokenizer
    model = LlamaForCausalLM.from_pretrained(older, dtype=torch.float32)
    known: TokenizersBackend = TokenizersBackend.from_pretrained(older)
    words = choose_words(teacher, known, lines)
    with_rows(model, words, teacher, known)
    vocabulary = known.get_vocab()
    pieces = sorted(vocabulary, key=vocabulary.__getitem__)[len(SPECIALS) + 1 : -len(LABELS)]
    tokenizer = build_tokenizer([*pieces, *words])
    model.config.vocab_size = len(tokenizer)
    return model, tokenizer


def build_tokenizer(pieces: Sequence[str]) -> TokenizersBackend:
    """A lower-casing WordPiece over a third of the teacher's pieces, so that their vectors can be taken over.

    `<route>` and the labels are in the vocabulary but are no *added* tokens: text is never searched for them,
    and as words end at `<`, `_` and `>` before pieces are looked up, no text can spell them.
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
        split_special_tokens=True,  # a message that contains "</s>" is just such a message
        clean_up_tokenization_spaces=False,
    )


def choose_pieces(teacher: Path, lines: Sequence[Line]) -> list[str]:
    """The teacher's pieces to keep: letters, digits and signs, then the most used, then its own order."""
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
    """A single character that must not be unknown: ASCII, punctuation, or a sign like the euro's."""
    return len(piece) == 1 and (piece.isascii() or unicodedata.category(piece)[0] in "PS")


def build_model(teacher: Path, tokenizer: TokenizersBackend) -> LlamaForCausalLM:
    """A Llama that starts as the mean of its word vectors; from random weights one so small learns little."""
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
        first.q_proj.weight.zero_()  # equal attention to everything read so far: a mean
        first.v_proj.weight.copy_(torch.eye(WIDTH))
        first.o_proj.weight.copy_(6.0 * torch.eye(WIDTH))
    return model


def copy_word_vectors(model: LlamaForCausalLM, teacher: Path, tokenizer: TokenizersBackend) -> None:
    """Give each kept piece the teacher's vector, centred, with the deviation of the other rows, 0.05."""
    theirs = AutoTokenizer.from_pretrained(teacher).get_vocab()
    words = AutoModel.from_pretrained(teacher).embeddings.word_embeddings.weight
    rows = model.model.embed_tokens.weight
    rows.normal_(std=0.05)
    shared = [(at, theirs[piece]) for piece, at in tokenizer.get_vocab().items() if piece in theirs]
    vectors = words[[there for _, there in shared]]
    vectors = vectors - vectors.mean(0)
    rows[[here for here, _ in shared]] = vectors * (0.05 / vectors.std())


# ------------------------------------------------------------------------------------------------- distil


@dataclass(slots=True)
class Student:
    """The Llama being made, and the linear map to the teacher's space, which is dropped when it is done."""

    model: LlamaForCausalLM
    projection: torch.nn.Linear
    tokenizer: TokenizersBackend

    def vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """The hidden states at `<route>`, mapped to the teacher's space, at unit length."""
        return F.normalize(self.projection(self.states(texts)), dim=-1)

    def states(self, texts: Sequence[str]) -> torch.Tensor:
        """The hidden states at `<route>`."""
        batch = self.tokenizer(
            list(texts),
            padding=True,
            pad_to_multiple_of=8,
            truncation=True,
            max_length=TOKENS,
            return_tensors="pt",
        )
        with torch.autocast("cpu", torch.bfloat16):
            # Causal attention never looks right, where the padding is, so no mask is needed.
            states = self.model.model(batch["input_ids"], use_cache=False).last_hidden_state.float()
        routes = batch["attention_mask"].sum(1) - 1
        at_route: torch.Tensor = states[torch.arange(len(texts)), routes]
        return at_route


@dataclass(slots=True)
class Progressed:
    """How far the distilling has come: seconds of training, and batches."""

    seconds: float = 0.0
    steps: int = 0


def distil(
    model: LlamaForCausalLM,
    tokenizer: TokenizersBackend,
    lines: Sequence[Line],
    targets: torch.Tensor,
    args: argparse.Namespace,
) -> dict[str, float]:
    """Teach the model's last hidden state the teacher's vectors for `args.minutes`; returns figures."""
    student = Student(model, torch.nn.Linear(WIDTH, WIDTH, bias=False), tokenizer)
    weights = [*model.parameters(), *student.projection.parameters()]
    rate = RATE_AGAIN if args.start_from else RATE
    optimizer = torch.optim.AdamW(weights, lr=rate, weight_decay=DECAY, betas=(0.9, 0.98), fused=True)
    fit_projection(student, lines, targets)
    done = resume(student, optimizer, args.work)
    budget, kept_at = args.minutes * 60.0, done.seconds
    with progress_bar() as progress:
        bar = progress.add_task("distil", total=budget)
        for places in batches(lines, args.seed, after=done.steps):
            if done.seconds >= budget:
                break
            began = time.monotonic()
            optimizer.param_groups[0]["lr"] = rate * schedule(done.seconds / budget)
            rng = random.Random(f"{args.seed} {done.steps}")
            texts = [maybe_misspelt(lines[at].text, rng) for at in places]
            seen = learn(student, optimizer, texts, targets[places].float())
            done.steps += 1
            done.seconds += time.monotonic() - began
            progress.update(bar, completed=done.seconds, description=f"step {done.steps:,} cosine {seen:.3f}")
            if done.seconds - kept_at > CHECKPOINT_SECONDS:
                kept_at = done.seconds
                keep(student, optimizer, done, args.work)
                held_out = cosine(student, lines, targets)
                err.print(f"{done.seconds:5.0f} s, step {done.steps:,}: held-out cosine {held_out:.4f}")
    held_out = cosine(student, lines, targets)
    return {
        "lines": len(lines),
        "steps": done.steps,
        "seconds": round(done.seconds, 1),
        "teacher_cosine": round(held_out, 4),
    }


@torch.no_grad()
def fit_projection(student: Student, lines: Sequence[Line], targets: torch.Tensor) -> None:
    """Start the projection as the ridge regression from states to targets: worth the first hundred steps."""
    places = sorted(range(HELD_OUT, min(HELD_OUT + FITTED, len(lines))), key=lambda at: len(lines[at].text))
    parts = [places[start : start + BATCH] for start in range(0, len(places), BATCH)]
    states = torch.cat([student.states([lines[at].text for at in part]) for part in parts])
    ridge = 1e-3 * len(states) * states.square().mean() * torch.eye(WIDTH)
    fitted = torch.linalg.solve(states.T @ states + ridge, states.T @ targets[places].float())
    student.projection.weight.copy_(fitted.T)


def learn(student: Student, optimizer: torch.optim.Optimizer, texts: Sequence[str], wanted: torch.Tensor) -> float:
    """One step towards the wanted vectors, each and among themselves; returns the mean cosine before it."""
    got = student.vectors(texts)
    cosines = (got * wanted).sum(-1).mean()
    loss = 1.0 - cosines + 4.0 * F.mse_loss(got @ got.T, wanted @ wanted.T)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], 1.0)
    optimizer.step()
    return cosines.item()


def schedule(done: float) -> float:
    """The share of the full rate at this share of the time: a short rise, then a cosine down to zero."""
    if done < WARM_UP:
        return (done + 1e-3) / (WARM_UP + 1e-3)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, (done - WARM_UP) / (1.0 - WARM_UP))))


def batches(lines: Sequence[Line], seed: int, after: int) -> Iterator[list[int]]:
    """Places of each batch's lines, for ever; the same for the same seed, so a restart can skip some."""
    places = range(HELD_OUT, len(lines))
    weighted = [at for at in places for _ in range(lines[at].repeats)]
    rng = random.Random(seed)
    while True:
        rng.shuffle(weighted)
        for start in range(0, len(weighted), BATCH * 50):
            # Neighbours in length share a batch, within a slice wide enough to leave the mixture fair.
            some = sorted(weighted[start : start + BATCH * 50], key=lambda at: len(lines[at].text))
            made = [some[at : at + BATCH] for at in range(0, len(some), BATCH)]
            rng.shuffle(made)
            for batch in made:
                if after > 0:
                    after -= 1
                else:
                    yield batch


def maybe_misspelt(text: str, rng: random.Random) -> str:
    """The text, now and then with typos."""
    return misspelt(text, rng) if rng.random() < MISSPELT_SHARE else text


@torch.inference_mode()
def cosine(student: Student, lines: Sequence[Line], targets: torch.Tensor) -> float:
    """Mean cosine to the teacher over the lines that no batch holds."""
    total, count = 0.0, min(HELD_OUT, len(lines))
    for start in range(0, count, BATCH):
        some = slice(start, min(start + BATCH, count))
        got = student.vectors([line.text for line in lines[some]])
        total += (got * targets[some].float()).sum().item()
    return total / count


def keep(student: Student, optimizer: torch.optim.Optimizer, done: Progressed, work: Path) -> None:
    """Write a checkpoint, whole or not at all."""
    state = {
        "model": student.model.state_dict(),
        "projection": student.projection.state_dict(),
        "optimizer": optimizer.state_dict(),
        "seconds": done.seconds,
        "steps": done.steps,
    }
    torch.save(state, work / "checkpoint.tmp")
    (work / "checkpoint.tmp").replace(work / "checkpoint.pt")


def resume(student: Student, optimizer: torch.optim.Optimizer, work: Path) -> Progressed:
    """Take up the last checkpoint, if there is one."""
    if not (work / "checkpoint.pt").exists():
        return Progressed()
    state = torch.load(work / "checkpoint.pt")
    student.model.load_state_dict(state["model"])
    student.projection.load_state_dict(state["projection"])
    optimizer.load_state_dict(state["optimizer"])
    err.print(f"going on after step {state['steps']:,}, {state['seconds']:,.0f} s")
    return Progressed(state["seconds"], state["steps"])


# --------------------------------------------------------------------------------------------------- save


def save(model: LlamaForCausalLM, tokenizer: TokenizersBackend, out: Path) -> None:
    """Write the folder that `from_pretrained` and vLLM read."""
    model.bfloat16().save_pretrained(out)
    tokenizer.save_pretrained(out)
    err.print(f"saved {out}: {sum(weight.numel() for weight in model.parameters()) / 1e6:.1f} M parameters")


def progress_bar() -> Progress:
    """A bar on stderr, so that stdout stays for figures."""
    return Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=err)


if __name__ == "__main__":
    main()
