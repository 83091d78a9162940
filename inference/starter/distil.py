"""The distillation: batches, loss, rate and checkpoints."""

import argparse
import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch.nn import functional as F
from transformers import LlamaForCausalLM, TokenizersBackend

from inference.starter.lines import Line, abbreviated, misspelt

MISSPELT_SHARE = 0.15  # share of lines shown with typos, the target staying the clean line's: typos should not matter
ABBREVIATED_SHARE = 0.25  # the same for short forms, in languages that have any
BATCH = 64
TOKENS = 64  # training lines are cut at this length
RATE, WARM_UP, DECAY = 1e-3, 0.04, 0.02
RATE_AGAIN = 7e-4  # when an existing starter is taken further: enough to move, not enough to forget
HELD_OUT = 2_000
FITTED = 6_000  # lines that the first projection is fitted on
CHECKPOINT_SECONDS = 120.0

err = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Lesson:
    """One teacher's unit vectors of the lines, and whether it reads each line's language at all."""

    targets: torch.Tensor
    reads: torch.Tensor


@dataclass(slots=True)
class Student:
    """The Llama being made, and a linear map to each teacher's space; the maps are dropped at the end."""

    model: LlamaForCausalLM
    projections: dict[str, torch.nn.Linear]
    tokenizer: TokenizersBackend

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
            # Causal attention never looks to the right, where the padding is, so no mask is needed.
            states = self.model.model(batch["input_ids"], use_cache=False).last_hidden_state.float()
        routes = batch["attention_mask"].sum(1) - 1
        at_route: torch.Tensor = states[torch.arange(len(texts)), routes]
        return at_route

    def vectors(self, teacher: str, states: torch.Tensor) -> torch.Tensor:
        """The hidden states mapped to a teacher's space, at unit length."""
        return F.normalize(self.projections[teacher](states), dim=-1)


@dataclass(slots=True)
class Progressed:
    """How far the distillation is: seconds of training, and batches."""

    seconds: float = 0.0
    steps: int = 0


def distil(
    model: LlamaForCausalLM,
    tokenizer: TokenizersBackend,
    lines: Sequence[Line],
    lessons: Mapping[str, Lesson],
    args: argparse.Namespace,
) -> dict[str, float]:
    """Teach the model's last hidden state the teachers' vectors for `args.minutes`; return figures."""
    maps = {
        name: torch.nn.Linear(model.config.hidden_size, lesson.targets.shape[1], bias=False)
        for name, lesson in lessons.items()
    }
    student = Student(model, maps, tokenizer)
    weights = [*model.parameters(), *(map_.weight for map_ in maps.values())]
    rate = RATE_AGAIN if args.start_from else RATE
    optimizer = torch.optim.AdamW(weights, lr=rate, weight_decay=DECAY, betas=(0.9, 0.98), fused=True)
    fit_projections(student, lines, lessons)
    done = resume(student, optimizer, args.work)
    budget, kept_at = args.minutes * 60.0, done.seconds
    with progress_bar() as progress:
        bar = progress.add_task("distil", total=budget)
        for places in batches(lines, args.seed, after=done.steps):
            if done.seconds >= budget:
                break
            began = time.thread_time()
            optimizer.param_groups[0]["lr"] = rate * schedule(done.seconds / budget)
            seen = learn(student, optimizer, lines, places, lessons, random.Random(f"{args.seed} {done.steps}"))
            done.steps += 1
            done.seconds += time.thread_time() - began
            progress.update(bar, completed=done.seconds, description=f"step {done.steps:,} cosine {seen:.3f}")
            if done.seconds - kept_at > CHECKPOINT_SECONDS:
                kept_at = done.seconds
                keep(student, optimizer, done, args.work)
                found = cosines(student, lines, lessons)
                err.print(f"{done.seconds:5.0f} s, step {done.steps:,}: held-out cosines {found}")
    taken = {"lines": len(lines), "steps": done.steps, "seconds": round(done.seconds, 1)}
    return taken | cosines(student, lines, lessons)


@torch.no_grad()
def fit_projections(student: Student, lines: Sequence[Line], lessons: Mapping[str, Lesson]) -> None:
    """Start each projection as the ridge regression from states to targets: that is worth the first hundred steps."""
    places = sorted(range(HELD_OUT, min(HELD_OUT + FITTED, len(lines))), key=lambda at: len(lines[at].text))
    parts = [places[start : start + BATCH] for start in range(0, len(places), BATCH)]
    every = torch.cat([student.states([lines[at].text for at in part]) for part in parts])
    for name, lesson in lessons.items():
        reads = lesson.reads[places]
        states, targets = every[reads], lesson.targets[places][reads].float()
        ridge = 1e-3 * len(states) * states.square().mean() * torch.eye(states.shape[1])
        fitted = torch.linalg.solve(states.T @ states + ridge, states.T @ targets)
        student.projections[name].weight.copy_(fitted.T)


def learn(
    student: Student,
    optimizer: torch.optim.Optimizer,
    lines: Sequence[Line],
    places: Sequence[int],
    lessons: Mapping[str, Lesson],
    rng: random.Random,
) -> float:
    """Make one step towards the teachers' vectors; return the mean cosine to the first teacher before the step."""
    states = student.states([as_typed(lines[at], rng) for at in places])
    losses, seen = [], []
    for name, lesson in lessons.items():
        reads = lesson.reads[places]
        got, wanted = student.vectors(name, states[reads]), lesson.targets[places][reads].float()
        similar = (got * wanted).sum(-1)
        far = F.mse_loss(got @ got.T, wanted @ wanted.T) if len(got) else got.sum()
        # A teacher counts by the number of lines it reads, so that no line weighs more because few are read.
        losses.append((1.0 - similar).sum() / len(places) + 4.0 * far * len(got) / len(places))
        seen.append(similar.detach().mean().item())
    optimizer.zero_grad()
    torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], 1.0)
    optimizer.step()
    return seen[0]


def schedule(done: float) -> float:
    """The share of the full rate at this share of the time: a short rise, then a cosine down to zero."""
    if done < WARM_UP:
        return (done + 1e-3) / (WARM_UP + 1e-3)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, (done - WARM_UP) / (1.0 - WARM_UP))))


def batches(lines: Sequence[Line], seed: int, after: int) -> Iterator[list[int]]:
    """The positions of each batch's lines, without end; the same for the same seed, so that a restart can skip some."""
    places = range(HELD_OUT, len(lines))
    weighted = [at for at in places for _ in range(lines[at].repeats)]
    rng = random.Random(seed)
    while True:
        rng.shuffle(weighted)
        for start in range(0, len(weighted), BATCH * 50):
            # Lines of similar length share a batch, within a slice large enough to keep the mixture fair.
            some = sorted(weighted[start : start + BATCH * 50], key=lambda at: len(lines[at].text))
            made = [some[at : at + BATCH] for at in range(0, len(some), BATCH)]
            rng.shuffle(made)
            for batch in made:
                if after > 0:
                    after -= 1
                else:
                    yield batch


def as_typed(line: Line, rng: random.Random) -> str:
    """The line, sometimes with short forms or typos."""
    shortened = rng.random() < ABBREVIATED_SHARE
    text = abbreviated(line.text, line.language, rng) if shortened else line.text
    return misspelt(text, rng) if rng.random() < MISSPELT_SHARE else text


@torch.inference_mode()
def cosines(student: Student, lines: Sequence[Line], lessons: Mapping[str, Lesson]) -> dict[str, float]:
    """Mean cosine to each teacher over the held-out lines, by language."""
    count = min(HELD_OUT, len(lines))
    parts = [range(start, min(start + BATCH, count)) for start in range(0, count, BATCH)]
    states = torch.cat([student.states([lines[at].text for at in part]) for part in parts])
    found = {}
    for language in sorted({line.language for line in lines[:count]}):
        these = torch.tensor([line.language == language for line in lines[:count]])
        for name, lesson in lessons.items():
            asked = these & lesson.reads[:count]
            if asked.any():
                similar = (student.vectors(name, states[asked]) * lesson.targets[:count][asked].float()).sum(-1)
                found[f"{name}_cosine_{language}"] = round(similar.mean().item(), 4)
    return found


def keep(student: Student, optimizer: torch.optim.Optimizer, done: Progressed, work: Path) -> None:
    """Write a checkpoint, completely or not at all."""
    state = {
        "model": student.model.state_dict(),
        "projections": {name: map_.state_dict() for name, map_ in student.projections.items()},
        "optimizer": optimizer.state_dict(),
        "seconds": done.seconds,
        "steps": done.steps,
    }
    torch.save(state, work / "checkpoint.tmp")
    (work / "checkpoint.tmp").replace(work / "checkpoint.pt")


def resume(student: Student, optimizer: torch.optim.Optimizer, work: Path) -> Progressed:
    """Restore the last checkpoint, if there is one."""
    if not (work / "checkpoint.pt").exists():
        return Progressed()
    state = torch.load(work / "checkpoint.pt", weights_only=True)
    student.model.load_state_dict(state["model"])
    for name, map_ in student.projections.items():
        map_.load_state_dict(state["projections"][name])
    optimizer.load_state_dict(state["optimizer"])
    err.print(f"going on after step {state['steps']:,}, {state['seconds']:,.0f} s")
    return Progressed(state["seconds"], state["steps"])


def progress_bar() -> Progress:
    """A bar on stderr, so that stdout stays for figures."""
    return Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=err)
