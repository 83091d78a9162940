"""The measured part of a learning curve: a file from which an interrupted command continues. It holds no text."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from bot.domain.learning import Example, text_key
from bot.domain.learning_curve import Draw, Measured
from bot.domain.model_ports import Lesson

_FORM = 1
"""The version of a line; raise it when anything about the fits changes."""


class CurveProgress:
    """A file with a line for each measured draw of exactly these lessons and messages; others have another file."""

    def __init__(self, folder: Path, task: str, embedder: str, lessons: Sequence[Lesson], messages: Sequence[Example]):
        known = [[lesson.key, lesson.label] for lesson in lessons]
        asked = [[text_key(message.text), message.label] for message in messages]
        digest = hashlib.sha256(json.dumps([_FORM, embedder, sorted(known), asked]).encode()).hexdigest()
        self._folder, self._name, self._task = folder, f"{task}-{digest[:16]}.jsonl", task

    @property
    def path(self) -> Path:
        return self._folder / self._name

    def measured(self) -> list[Measured]:
        """The stored draws. An incomplete line is left out, so that its draw is measured again."""
        if not self.path.exists():
            return []
        found = (_read(line) for line in self.path.read_text("utf-8").splitlines())
        return [one for one in found if one is not None]

    def add(self, one: Measured) -> None:
        """Store a draw, and delete the task's other files: nobody returns to them."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for other in self._folder.glob(f"{self._task}-{'?' * 16}.jsonl"):
            if other != self.path:
                other.unlink(missing_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" + _line(one))  # on a new line: the last one may be incomplete


def _line(one: Measured) -> str:
    right = {arm: "".join("01"[hit] for hit in hits) for arm, hits in one.right.items()}
    row = {"size": one.draw.size, "number": one.draw.number, "examples": one.examples, "right": right}
    return json.dumps(row)


def _read(line: str) -> Measured | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    right = {arm: [hit == "1" for hit in hits] for arm, hits in row["right"].items()}
    return Measured(Draw(row["size"], row["number"]), row["examples"], right)
