"""Make the starter: distil sentence encoders into a small Llama, saved as an ordinary Hugging Face folder.

    python -m inference.starter.make --text unlabelled.jsonl.gz --out inference/starter/base --minutes 20

Interrupted, the same command goes on where it stopped: everything costly is kept in --work. What the starter
is, what it was made from and how good it is: README.md beside this file.
"""

import argparse
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from transformers import LlamaForCausalLM, TokenizersBackend

from inference.starter.distil import Lesson, distil, err, progress_bar
from inference.starter.labels import write_label_rows
from inference.starter.lines import Line, choose_lines, read_lines
from inference.starter.student import begin, take_further
from inference.starter.teacher import MiniLM, Teacher, UniversalSentenceEncoder, embed

TEACHERS: dict[str, Callable[[], Teacher]] = {"minilm": MiniLM, "use": UniversalSentenceEncoder}


def main() -> None:
    """Make the starter, step by step; print one JSON line of figures to stdout at the end."""
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.set_float32_matmul_precision("medium")  # with autocast: half the time, no loss of quality
    torch.manual_seed(args.seed)
    args.work.mkdir(parents=True, exist_ok=True)

    lines = chosen_lines(args)
    err.print(f"{len(lines):,} lines, {sum(line.repeats > 1 for line in lines):,} of them spoken")

    teachers: list[Teacher] = [TEACHERS[name]() for name in args.teachers]
    model, tokenizer = take_further(args.start_from, teachers[0], lines) if args.start_from else begin(lines)
    err.print(f"{len(tokenizer):,} tokens")
    lessons = {teacher.name: lesson(teacher, lines, args.work) for teacher in teachers}
    figures = distil(model, tokenizer, lines, lessons, args)
    write_label_rows(model, tokenizer, [line.text for line in lines])
    save(model, tokenizer, args.out)
    print(json.dumps(figures))


def arguments() -> argparse.Namespace:
    """The command line, parsed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    add = parser.add_argument
    add("--text", type=Path, nargs="+", required=True, help='.jsonl or .jsonl.gz files of {"text", "source"}')
    add("--whole", type=Path, nargs="*", default=[], help="the same, of which no line is left out")
    add("--out", type=Path, required=True, help="the folder to write")
    add(
        "--teachers", nargs="+", choices=sorted(TEACHERS), default=["minilm"], help="the first one gives new words rows"
    )
    add("--start-from", type=Path, help="a finished starter to take further, with more whole words")
    add("--work", type=Path, default=Path("var/starter"), help="teachers' vectors and checkpoint; the latter one run's")
    add("--minutes", type=float, default=20.0, help="processor time to distil, after the teachers' part")
    add("--cap", type=cap, nargs="+", default=[("en", 10_000)], help="lines that a source may give: en=3000 pt=14000")
    add("--most", type=int, help="lines that --text may give at most in all")
    add("--seed", type=int, default=1)
    add("--threads", type=int, default=2)
    return parser.parse_args()


def cap(written: str) -> tuple[str, int]:
    """Parse a language and a number, written `pt=14000`."""
    language, number = written.split("=")
    return language, int(number)


def chosen_lines(args: argparse.Namespace) -> list[Line]:
    """The lines of --text within its caps and --most, and all of --whole; shuffled, so that any slice is fair."""
    read, whole = read_lines(args.text), read_lines(args.whole)
    every = {line.language: len(whole) for line in whole}
    lines = choose_lines(read, dict(args.cap), args.seed)[: args.most] + choose_lines(whole, every, args.seed)
    random.Random(args.seed).shuffle(lines)
    return lines


def lesson(teacher: Teacher, lines: Sequence[Line], work: Path) -> Lesson:
    """The teacher's vectors of the lines it reads; those of other lines stay zero."""
    reads = torch.tensor([teacher.languages is None or line.language in teacher.languages for line in lines])
    targets = torch.zeros(len(lines), teacher.width, dtype=torch.float16)
    with progress_bar() as progress:
        texts = [line.text for line, known in zip(lines, reads.tolist(), strict=True) if known]
        targets[reads] = embed(teacher, texts, work, progress)
    return Lesson(targets, reads)


def save(model: LlamaForCausalLM, tokenizer: TokenizersBackend, out: Path) -> None:
    """Write the folder that `from_pretrained` and vLLM read."""
    model.bfloat16().save_pretrained(out)
    tokenizer.save_pretrained(out)
    err.print(f"saved {out}: {sum(weight.numel() for weight in model.parameters()) / 1e6:.1f} M parameters")


if __name__ == "__main__":
    main()
