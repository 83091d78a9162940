"""Whether a team is decided better by what was learned of its topics: CLINC's ten domains of fifteen intents each.

    python -m benchmarks.topics --data ../shared/data [--each 10 50 100]

The voices are fitted on the same messages twice: on their teams, and on their topics. A team is then decided directly,
by the sum of its topics' probabilities ("folded"), and by both; a topic among all of them, and among those of the
decided team, as the bot does it. Untouched test messages; no adapter, no memory. p is McNemar's exact test of folded
against direct.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats
from scipy.special import log_softmax

from bot.domain.embedders import MINILM
from bot.domain.learning import text_key
from inference.embedders.minilm import minilm
from inference.voices.fit import fit_voices
from inference.voices.voice import Floats, Lessons, Questions

NO_TEAM = "oos"
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Row:
    text: str
    team: str
    topic: str


def read(data: Path, split: str) -> list[Row]:
    """The messages of both files; line by line they are the same."""
    files = [(data / name).read_text("utf-8").splitlines() for name in ("clinc_domains.jsonl", "clinc150.jsonl")]
    pairs = [(json.loads(team), json.loads(topic)) for team, topic in zip(*files, strict=True)]
    rows = [Row(team["text"], team["label"], topic["label"]) for team, topic in pairs if team["split"] == split]
    return [row for row in rows if row.team != NO_TEAM]


def first_of_each(rows: Sequence[Row], count: int) -> list[Row]:
    """So many of each topic, in the order of the file."""
    seen: Counter[str] = Counter()
    kept = []
    for row in rows:
        seen[row.topic] += 1
        if seen[row.topic] <= count:
            kept.append(row)
    return kept


async def vectors(rows: Sequence[Row]) -> Floats:
    embedder, found = minilm(), []
    for start in range(0, len(rows), _AT_ONCE):
        found += await embedder.embed([row.text for row in rows[start : start + _AT_ONCE]])
    await embedder.close()
    return np.asarray(found, np.float32)


def said(taught: Sequence[Row], labels: Sequence[str], known: Floats, asked: Questions) -> tuple[list[str], Floats]:
    """The mixture of the voices fitted on these labels: the labels, and a distribution over them for each text."""
    texts = tuple(row.text for row in taught)
    lessons = Lessons("", MINILM, tuple(map(text_key, texts)), texts, tuple(labels), known)
    voices, names = fit_voices(lessons), sorted(set(labels))
    mixed = np.zeros((len(asked.texts), len(names)), np.float64)
    for name, voice in voices.fitted.items():
        rows = np.nan_to_num(voice.log_probabilities(asked), nan=-np.log(len(names)))
        mixed[:, np.searchsorted(names, voice.labels)] += voices.without_adapter[name] * rows
    return names, np.exp(log_softmax(mixed, axis=1)).astype(np.float32)


def share(right: Sequence[bool]) -> str:
    return f"{np.mean(right):.4f}"


def figures(taught: Sequence[Row], known: Floats, judging: Sequence[Row], asked: Questions) -> list[str]:
    """One line of the table."""
    team_of = {row.topic: row.team for row in taught}
    teams, directly = said(taught, [row.team for row in taught], known, asked)
    topics, fine = said(taught, [row.topic for row in taught], known, asked)
    owner = np.array([teams.index(team_of[topic]) for topic in topics])
    folded = np.stack([fine[:, owner == n].sum(axis=1) for n in range(len(teams))], axis=1)
    both = np.sqrt(np.maximum(directly, 1e-9) * np.maximum(folded, 1e-9))
    truth = np.array([teams.index(row.team) for row in judging])
    right = [rows.argmax(axis=1) == truth for rows in (directly, folded, both)]
    better, worse = int((right[1] & ~right[0]).sum()), int((right[0] & ~right[1]).sum())
    p = stats.binomtest(better, better + worse).pvalue if better + worse else 1.0  # type: ignore[attr-defined]
    true_topic = np.array([topics.index(row.topic) for row in judging])
    within = np.where(owner[None, :] == directly.argmax(axis=1)[:, None], fine, -1.0).argmax(axis=1)
    given = np.where(owner[None, :] == truth[:, None], fine, -1.0).argmax(axis=1)
    shown = [fine.argmax(axis=1) == true_topic, within == true_topic, given == true_topic]
    return [*map(share, right), f"{better}:{worse}", f"{p:.3f}", *map(share, shown)]


async def main(data: Path, each: Sequence[int]) -> None:
    every, judging = read(data, "train"), read(data, "test")
    asked = Questions([row.text for row in judging], await vectors(judging))
    known = dict(zip((row.text for row in every), await vectors(every), strict=True))
    say = sys.stdout.write
    say("| of each topic | team directly | folded | both | better : worse, folded | p ")
    say("| topic of all | topic of the decided team | topic of the right team |\n" + 9 * "|---" + "|\n")
    for count in each:
        taught = first_of_each(every, count)
        rows = np.asarray([known[row.text] for row in taught], np.float32)
        say(f"| {count} | {' | '.join(figures(taught, rows, judging, asked))} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    reader = argparse.ArgumentParser()
    reader.add_argument("--data", type=Path, default=Path("../shared/data"))
    reader.add_argument("--each", type=int, nargs="+", default=[10, 50, 100])
    options = reader.parse_args()
    asyncio.run(main(options.data, options.each))
