"""Texts that the settings give to two labels of one question: only one of them would count, and nobody would know."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.domain.learning import text_key
from bot.domain.tasks import Label, Task
from bot.settings.values import Values

_SHOWN = 60
_Said = tuple[str, str, str]
"""A text, its label, and the key where it stands."""


@dataclass(frozen=True, slots=True)
class ContraryExamples:
    """Notes examples, and sentences of `means`, that two labels have."""

    values: Values

    def check(self, tasks: Sequence[Task]) -> None:
        """Note a mistake for every text that two labels have. Where any label may be right, a text may have several."""
        topics = [label for task in tasks for label in task.labels if label.team]
        teams = next((task.name for task in tasks if task.routes), "")
        for task in tasks:
            if not task.part_of:
                self._once([*_of(task, teams), *(_of_topics(topics, teams) if task.name == teams else ())])

    def _once(self, said: Sequence[_Said]) -> None:
        first: dict[str, str] = {}
        for text, label, where in said:
            other = first.setdefault(text_key(text), label)
            if other != label:
                shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
                self.values.mistake(f"{where}: {shown!r} is said of {other}, too; leave it with one of the two")


def _of(task: Task, teams: str) -> Iterator[_Said]:
    for label in task.labels:
        above = f"tasks.{teams}.labels.{label.team}.topics" if label.team else f"tasks.{task.name}.labels"
        yield from _texts(label, label.name, above)


def _of_topics(topics: Sequence[Label], teams: str) -> Iterator[_Said]:
    """A topic's texts are the team's, too."""
    for topic in topics:
        yield from _texts(topic, topic.team, f"tasks.{teams}.labels.{topic.team}.topics")


def _texts(label: Label, of: str, above: str) -> Iterator[_Said]:
    if label.means:
        yield label.means, of, f"{above}.{label.name}.means"
    for text in label.examples:
        yield text, of, f"{above}.{label.name}.examples"
