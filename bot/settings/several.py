"""Questions that several labels may answer at once: a yes-or-no question for each label."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.learning import text_key
from bot.domain.several import NO, YES
from bot.domain.tasks import Label, Task
from bot.settings.values import Table, Values

_ONE, _ANY = "one", "any"


@dataclass(frozen=True, slots=True)
class SeveralSettings:
    """Reads `choose`."""

    values: Values

    def read(self, tasks: Sequence[Task], table: Table) -> tuple[Task, ...]:
        """The tasks, with `subject.legal`, `subject.billing` … in place of a `subject` that has `choose = "any"`."""
        return tuple(part for task in tasks for part in self._parts(task, table.get(task.name)))

    def _parts(self, task: Task, row: object) -> list[Task]:
        where = f"tasks.{task.name}."
        if not isinstance(row, dict) or self.values.one_of(row, "choose", (_ONE, _ANY), where) == _ONE:
            return [task]
        if task.routes:
            self.values.mistake(f"{where}choose: a request has one team; this is for further questions")
            return [task]
        if task.suggests:
            self.values.mistake(f'{where}suggests: one thing is suggested, the likeliest; leave out choose = "any"')
        if "fallback" in row:
            self.values.mistake(f"{where}fallback: where any may be right, none may be, too; leave it out")
        for label in task.labels:
            self.values.name(label.name, f"{where}labels", plain=True)
        return [_part(task, label) for label in task.labels]


def _part(task: Task, label: Label) -> Task:
    own = {text_key(text) for text in label.examples}
    others = [text for one in task.labels for text in one.examples if text_key(text) not in own]
    yes = replace(label, name=YES, title=label.shown)
    no = Label(NO, f"Anything else than: {label.means}", tuple(others), title=f"✗ {label.shown}")
    name = f"{task.name}.{label.name}"
    return replace(task, name=name, labels=(yes, no), fallback=NO, part_of=task.name)


def written_name(task: Task) -> str:
    """The question's name in the settings."""
    return task.part_of or task.name
