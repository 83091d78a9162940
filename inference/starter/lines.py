"""The starter's training texts: lines, capped for each source, some of them joined, misspelt or abbreviated."""

import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ENGLISH = "en"
# What people said or typed, as opposed to documentation: closest to what a bot reads, so repeated more often.
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
        "spoken",
        "taskmaster-4",
    }
)
SPOKEN_REPEATS = 2  # how often a spoken line is seen for each time a documentation line is
DEMO = "seed"  # the demo company's seed messages, from bot/demo/seed.jsonl: their words, never their labels
DEMO_REPEATS = 4
JOINED_SHARE = 0.10  # share of lines made of several of one source: real messages run to many sentences
# Short forms that people type for what takes longer to spell; expanding short forms would be guessing.
ABBREVIATIONS = {
    "pt": {
        "voce": "vc",
        "você": "vc",
        "voces": "vcs",
        "vocês": "vcs",
        "por favor": "pfv",
        "porque": "pq",
        "por que": "pq",
        "não": "n",
        "nao": "n",
        "também": "tb",
        "que": "q",
        "quando": "qdo",
        "hoje": "hj",
        "para": "pra",
        "está": "ta",
        "estou": "to",
        "obrigado": "obg",
        "obrigada": "obg",
        "mensagem": "msg",
        "beleza": "blz",
        "quero": "qro",
        "comigo": "cmg",
        "agora": "agr",
        "qualquer": "qlqr",
    },
    "es": {
        "por favor": "x favor",
        "porque": "pq",
        "por qué": "x q",
        "que": "q",
        "qué": "q",
        "también": "tb",
        "para": "pa",
        "por": "x",
        "gracias": "grax",
        "mensaje": "msj",
        "bien": "bn",
        "cuando": "cuand",
        "ustedes": "uds",
        "usted": "ud",
        "mañana": "mñn",
        "nada": "na",
        "número": "num",
        "está": "ta",
        "estoy": "toy",
    },
}


@dataclass(frozen=True, slots=True)
class Line:
    """A text, its source, and its language."""

    text: str
    source: str
    language: str = ENGLISH

    @property
    def repeats(self) -> int:
        """How often it is seen for each time a documentation line is."""
        if self.source == DEMO:
            return DEMO_REPEATS
        return SPOKEN_REPEATS if self.source in SPOKEN else 1


def read_lines(paths: Sequence[Path]) -> list[Line]:
    """All lines of the files, in order; a file whose lines name no source is a source of its own name.

    A line has the language that it names, or else its file's: `name.pt.jsonl.gz` is Portuguese, a plain name English.
    """
    lines = []
    for path in paths:
        opened = gzip.open if path.suffix == ".gz" else open
        name, *rest = path.name.split(".")
        usual = rest[0] if rest[0] in ABBREVIATIONS else ENGLISH
        with opened(path, "rt", encoding="utf-8") as file:
            rows = (json.loads(row) for row in file)
            lines += [Line(row["text"], row.get("source", name), row.get("language", usual)) for row in rows]
    return lines


def choose_lines(lines: Sequence[Line], caps: dict[str, int], seed: int) -> list[Line]:
    """At most the cap of lines from each source, twice that if spoken, and some joined ones; shuffled, so any slice is
    fair.

    `caps` are by language. The choice from one source does not depend on the others, so that vectors can be reused.
    """
    by_source: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        by_source.setdefault((line.language, line.source), []).append(line)
    chosen = []
    for (language, source), group in by_source.items():
        rng = random.Random(f"{seed} {language} {source}")
        most = caps[language] * (1 if group[0].repeats == 1 else SPOKEN_REPEATS)
        kept = rng.sample(group, min(most, len(group)))
        chosen += kept + joined_lines(kept, rng)
    random.Random(seed).shuffle(chosen)
    return chosen


def joined_lines(lines: Sequence[Line], rng: random.Random) -> list[Line]:
    """Messages of two to five lines of one source each."""
    made = []
    for _ in range(int(len(lines) * JOINED_SHARE)):
        parts = rng.sample(lines, min(rng.choice((2, 2, 3, 3, 4, 5)), len(lines)))
        made.append(Line(" ".join(part.text for part in parts), parts[0].source, parts[0].language))
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


def abbreviated(text: str, language: str, rng: random.Random) -> str:
    """The text as if typed in a hurry: about half of the words that have a short form in the language are shortened."""
    short = ABBREVIATIONS.get(language, {})
    words, made = text.split(" "), []
    while words:
        pair = " ".join(words[:2]).lower()
        size = 2 if pair in short else 1
        found = short.get(" ".join(words[:size]).lower())
        made.append(found if found and rng.random() < 0.5 else " ".join(words[:size]))
        words = words[size:]
    return " ".join(made)
