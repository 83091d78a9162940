"""What the starter learns from: lines of text, capped by source, some of them joined or misspelt."""

import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# What people said or typed, as opposed to documentation: closest to what a bot reads, so seen more often.
SPOKEN = frozenset(
    {
        "covid-faq-queries",
        "dstc11-insurance",
        "hr-multiwoz",
        "ms-assistant-lu",
        "ms-chitchat",
        "multidogo",
        "nlupp",
        "rasa-nlu",
        "restaurant8k",
        "snips",
        "taskmaster-4",
    }
)
SPOKEN_REPEATS = 2  # times a spoken line is seen for each time a documentation line is
DEMO = "seed"  # the demo company's seed messages, from bot/demo/seed.jsonl: their words, never their labels
DEMO_REPEATS = 4
JOINED_SHARE = 0.10  # lines made of several of one source: real messages run to many sentences


@dataclass(frozen=True, slots=True)
class Line:
    """A text and the source that it came from."""

    text: str
    source: str

    @property
    def repeats(self) -> int:
        """How often it is seen for each time a documentation line is."""
        if self.source == DEMO:
            return DEMO_REPEATS
        return SPOKEN_REPEATS if self.source in SPOKEN else 1


def read_lines(paths: Sequence[Path]) -> list[Line]:
    """Every line of the files, in their order; a file that names no sources is one, called as the file is."""
    lines = []
    for path in paths:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as file:
            rows = (json.loads(row) for row in file)
            lines += [Line(row["text"], row.get("source", path.stem)) for row in rows]
    return lines


def choose_lines(lines: Sequence[Line], cap: int, rng: random.Random) -> list[Line]:
    """At most `cap` lines of a source, or twice that if spoken, and some joined ones; shuffled: any slice is fair."""
    by_source: dict[str, list[Line]] = {}
    for line in lines:
        by_source.setdefault(line.source, []).append(line)
    chosen = []
    for group in by_source.values():
        most = cap if group[0].repeats == 1 else SPOKEN_REPEATS * cap
        kept = rng.sample(group, min(most, len(group)))
        chosen += kept + joined_lines(kept, rng)
    rng.shuffle(chosen)
    return chosen


def joined_lines(lines: Sequence[Line], rng: random.Random) -> list[Line]:
    """Messages of two to five lines of one source."""
    made = []
    for _ in range(int(len(lines) * JOINED_SHARE)):
        parts = rng.sample(lines, min(rng.choice((2, 2, 3, 3, 4, 5)), len(lines)))
        made.append(Line(" ".join(part.text for part in parts), parts[0].source))
    return made


def misspelt(text: str, rng: random.Random) -> str:
    """The text with a letter swapped, dropped or doubled in one or two of its longer words."""
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if len(word) > 3]
    for place in rng.sample(long, min(rng.choice((1, 1, 2)), len(long))):
        word, at = words[place], rng.randrange(1, len(words[place]) - 1)
        slip = rng.choice((word[at + 1] + word[at], word[at + 1], word[at] + word[at : at + 2]))
        words[place] = word[:at] + slip + word[at + 2 :]
    return " ".join(words)
