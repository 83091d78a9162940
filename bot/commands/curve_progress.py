"""What of a learning curve is measured already: a file that an interrupted command goes on from. No text is in it."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from bot.domain.learning import Example, text_key
from bot.domain.learning_curve import Draw, Measured
from bot.domain.model_ports import Lesson

_FORM = 1
"""Of a line; whatever changes what is fitted changes it, too."""


class CurveProgress:
    """A line a measured draw, for exactly these lessons and messages; of others there is another file."""

    def __init__(self, folder: Path, task: str, embedder: str, lessons: Sequence[Lesson], messages: Sequence[Example]):
        known = [[lesson.key, lesson.label] for lesson in lessons]
        asked = [[text_key(message.text), message.label] for message in messages]
        digest = hashlib.sha256(json.dumps([_FORM, embedder, sorted(known), asked]).encode()).hexdigest()
        self._folder, self._name, self._task = folder, f"{task}-{digest[:16]}.jsonl", task

    @property
    def path(self) -> Path:
        return self._folder / self._name

    def measured(self) -> list[Measured]:
        """What is there. A line that was not written to its end is measured again."""
        if not self.path.exists():
            return []
        found = (_read(line) for line in self.path.read_text("utf-8").splitlines())
        return [one for one in found if one is not None]

    def add(self, one: Measured) -> None:
        """Keep it. What is left of this task's other files goes: nobody comes back to them."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for other in self._folder.glob(f"{self._task}-{'?' * 16}.jsonl"):
            if other != self.path:
                other.unlink(missing_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" + _line(one))  # begun anew: the last one may not have been written to its end


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
