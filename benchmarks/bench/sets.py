"""What is learned and what is asked: published data sets, the demo company, and files that the caller names."""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from benchmarks.bench.draws import spread, with_gate
from benchmarks.bench.trial import OUT_OF_SCOPE, Row, Trial
from bot.demo import company
from bot.domain.errors import UsageError

_LANGUAGES = {
    "english": "en",
    "portuguese": "pt",
    "spanish": "es",
    "german": "de",
    "french": "fr",
    "italian": "it",
    "arabic": "ar",
    "hindi": "hi",
}


class Absent(UsageError):
    """A set whose file is missing."""


Maker = Callable[[Path, random.Random], Trial]


def catalogue() -> Mapping[str, Maker]:
    """Every set by its name, the quick ones first."""
    return {
        "demo": lambda _data, _rng: demo(),
        "pt_portaria": lambda data, rng: published("pt_portaria", data, rng, "pt"),
        "es_biblioteca": lambda data, rng: published("es_biblioteca", data, rng, "es"),
        "banking77_5shot": lambda data, rng: drawn("banking77", 5, data, rng),
        "banking77_10shot": lambda data, rng: drawn("banking77", 10, data, rng),
        "sms_spam": lambda data, rng: published("sms_spam", data, rng),
        "msskills_from_english": crossing,
        "banking77_teams": lambda data, rng: published("banking77_teams", data, rng),
        "banking77": lambda data, rng: published("banking77", data, rng),
        "clinc_domains": lambda data, rng: published("clinc_domains", data, rng),
        "tweet_sentiment_multi": lambda data, rng: published("tweet_sentiment_multi", data, rng),
        "clinc150": lambda data, rng: published("clinc150", data, rng),
    }


def published(name: str, data: Path, rng: random.Random, part: str = "") -> Trial:
    """A set with its own splits. Its out-of-scope texts are asked, never learned from."""
    by_split = _read(data / f"{name}.jsonl", part)
    learned = [row for row in by_split["train"] if row.label != OUT_OF_SCOPE]
    valid = [row for row in by_split["valid"] if row.label != OUT_OF_SCOPE]
    if valid:
        return Trial(name, tuple(learned), tuple(by_split["test"]), tuple(spread(valid, rng)))
    return with_gate(Trial(name, tuple(learned), tuple(by_split["test"])), rng)


def drawn(name: str, shots: int, data: Path, rng: random.Random) -> Trial:
    """The published draw of so many examples a label, asked the whole test split."""
    whole = published(name, data, rng)
    few = _read(data / "fewshot" / f"{name}_train_{shots}.jsonl")["train"]
    return replace(whole, name=f"{name}_{shots}shot", learned=tuple(few))


def crossing(data: Path, rng: random.Random) -> Trial:
    """Intents learned in English alone, asked in four languages; labels that English does not have are left out."""
    english = published("en_msskills", data, rng, "en")
    known = set(english.labels)
    others = [row for code in ("es", "fr", "de") for row in _read(data / f"{code}_msskills.jsonl", code)["test"]]
    asked = (*english.asked, *(row for row in others if row.label in known))
    return replace(english, name="msskills_from_english", asked=asked)


def demo() -> Trial:
    """The demo company as it is shipped. Besides the held-out file, those of other languages and of hard messages are
    asked."""
    folder = company.HELD_OUT.parent
    files = [*sorted(folder.glob("heldout*.jsonl")), *sorted(folder.glob("hard*.jsonl"))]
    asked = [_of_file(row, file) for file in files for some in _read(file, "en").values() for row in some]
    seeds = [row for file in sorted(folder.glob("seed*.jsonl")) for row in _read(file)["train"]]
    return Trial("demo", tuple(seeds), tuple(asked), shipped=True)


def own(train: Path, test: Path, _data: Path, rng: random.Random) -> Trial:
    """The caller's files; if a file has splits, only the fitting rows. Raises UsageError if rows are missing."""
    for file in (train, test):
        if not file.is_file():
            raise UsageError(f"{file} is not there; --file wants a file to learn from and one to be asked")
    learned, asked = _read(train), _read(test)
    trial = Trial(test.stem, tuple(learned["train"] or learned[""]), tuple(asked["test"] or asked[""]))
    if len({row.label for row in trial.learned}) < 2 or not trial.asked:
        raise UsageError(f"{train} needs rows of two labels at least, and {test} one row")
    return with_gate(trial, rng)


def _read(file: Path, part: str = "") -> defaultdict[str, list[Row]]:
    """The file's rows by their split. Raises Absent, and UsageError for a file of another shape."""
    if not file.is_file():
        raise Absent(f"{file} is not there")
    by_split: defaultdict[str, list[Row]] = defaultdict(list)
    for number, line in enumerate(file.read_text("utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            language = str(row.get("lang") or row.get("language") or part)
            found = Row(str(row["text"]), str(row["label"]), _LANGUAGES.get(language, language))
        except (ValueError, KeyError, AttributeError) as error:
            raise UsageError(f'{file}: line {number} is no JSON object with "text" and "label"') from error
        by_split[str(row.get("split", ""))].append(found)
    return by_split


def _of_file(row: Row, file: Path) -> Row:
    """The row with its language as its part; rows written to be hard are a part of their own."""
    return replace(row, part=f"hard {row.part}") if file.name.startswith("hard") else row
