"""The demo company: where its settings and sentences are."""

import json
from collections.abc import Iterator
from pathlib import Path

_HERE = Path(__file__).parent
SETTINGS = _HERE / "switchboard.toml"
SEED = _HERE / "seed.jsonl"
"""The examples that its first adapter learned from."""
HELD_OUT = _HERE / "heldout.jsonl"
"""Examples by other authors; nothing ever learns from them."""


def read(file: Path) -> Iterator[tuple[str, str]]:
    """The (text, label) pairs of one of the files above."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            row: dict[str, str] = json.loads(line)
            yield row["text"], row["label"]
