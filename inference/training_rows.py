"""The input of a training: examples as prompts, an epoch's batches of similar lengths, rare labels repeated."""

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.domain.learning import Example
from bot.domain.model_ports import TrainingRun
from inference.prompt import PromptBuilder

SEED = 1
BATCH = 32
LEAST_PREFIX = 32  # from this many shared tokens on they are computed once a batch, not once a prompt
IMBALANCE = 3.0  # ratio of largest to smallest class from which on small classes are repeated


@dataclass(frozen=True, slots=True)
class Row:
    """A prompt, and the position of its label among the task's codes."""

    ids: tuple[int, ...]
    label: int


def prompted(run: TrainingRun, prompts: PromptBuilder, examples: Sequence[Example]) -> list[Row]:
    """The examples as prompts, as the server will see them."""
    place = {label: at for at, label in enumerate(run.codes)}
    return [Row(tuple(prompts.prompt_ids(run.task, run.codes, e.text)), place[e.label]) for e in examples]


def common_frame(prompts: Sequence[Sequence[int]]) -> tuple[int, int]:
    """How many tokens all prompts begin and end with; between them is the message."""
    shortest = min(len(ids) for ids in prompts)
    head = next((n for n in range(shortest) if len({ids[n] for ids in prompts}) > 1), shortest)
    tail = next((n for n in range(shortest - head) if len({ids[-1 - n] for ids in prompts}) > 1), shortest - head)
    return head, tail


def shared_prefix(rows: Sequence[Row], frame: tuple[int, int]) -> tuple[int, ...]:
    """The tokens that all prompts begin with, if they are enough to be computed once for a whole batch."""
    head = min(frame[0], min(len(row.ids) for row in rows) - 1)
    return rows[0].ids[:head] if head >= LEAST_PREFIX else ()


def batches(rows: Sequence[Row], frame: tuple[int, int], token_dropout: float) -> Iterator[list[Row]]:
    """Batches without end, epoch by epoch: every row once, small classes more often, similar lengths together."""
    rng = random.Random(SEED)
    repeats = how_often(rows)
    while True:
        epoch = [row for row in rows for _ in range(int(repeats[row.label] + rng.random()))]
        rng.shuffle(epoch)
        cut = [thinned(row, frame, token_dropout, rng) for row in epoch]
        pools = (sorted(cut[at : at + 8 * BATCH], key=lambda row: len(row.ids)) for at in range(0, len(cut), 8 * BATCH))
        ready = [pool[at : at + BATCH] for pool in pools for at in range(0, len(pool), BATCH)]
        rng.shuffle(ready)
        yield from ready


def how_often(rows: Sequence[Row]) -> dict[int, float]:
    """How often an epoch repeats a row of each label: once, or in lopsided sets by the root of the class's handicap."""
    counts = Counter(row.label for row in rows)
    most = max(counts.values())
    lopsided = most > IMBALANCE * min(counts.values())
    return {label: math.sqrt(most / count) if lopsided else 1.0 for label, count in counts.items()}


def thinned(row: Row, frame: tuple[int, int], share: float, rng: random.Random) -> Row:
    """The row without that share of its message's tokens; at least one token stays."""
    head, tail = frame
    message = row.ids[head : len(row.ids) - tail]
    left = tuple(token for token in message if rng.random() >= share) or message
    return Row((*row.ids[:head], *left, *row.ids[len(row.ids) - tail :]), row.label)
