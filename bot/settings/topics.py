"""The settings' topics of teams: together the labels of one further question that is asked of every conversation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bot.domain.tasks import Label, Task
from bot.domain.topics import TOPIC
from bot.settings.values import Table, Values

_OWN = {"title", "means", "examples", "emoji"}
_QUESTION = "Which topic is this about?"


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """Reads teams' `topics`: a table of names, each with a sentence or with the keys of a label."""

    values: Values
    label: Callable[[str, Table, str], Label]
    """(name, its table, the keys above) -> the label; mistakes are noted."""

    def read(self, teams: Task, table: Table) -> tuple[Task, ...]:
        """The question about topics; none where no team has any."""
        rows = self._rows(table, teams.name)
        found = [topic for team in teams.names for topic in self._of(team, rows.get(team), teams.name)]
        if not found:
            return ()
        self._once(found, teams)
        if TOPIC in table:
            self.values.mistake(
                f"tasks.{TOPIC}: teams have topics, and the question about these is called so; rename this question"
            )
        question = Task(TOPIC, _QUESTION, tuple(found), fallback=found[-1].name, learning=teams.learning)
        return (replace(question, unasked_right=teams.unasked_right),)

    def _rows(self, table: Table, task: str) -> Mapping[str, object]:
        own = table.get(task)
        rows = own.get("labels") if isinstance(own, dict) else None
        return rows if isinstance(rows, dict) else {}

    def _of(self, team: str, row: object, task: str) -> list[Label]:
        if not isinstance(row, dict) or "topics" not in row:
            return []
        where = f"tasks.{task}.labels.{team}.topics"
        written = self.values.table(row, "topics", f"tasks.{task}.labels.{team}.")
        if len(written) < 2:
            self.values.mistake(f"{where}: a team needs at least two topics to have a choice; add one, or leave it out")
        return [replace(self._topic(name, said, where), team=team) for name, said in written.items()]

    def _topic(self, name: str, said: object, where: str) -> Label:
        """The topic's label. A sentence is its meaning; a table has the keys of a label that is no team."""
        row = {"means": said} if isinstance(said, str) else said if isinstance(said, dict) else {}
        self.values.unknown(row, _OWN, f"{where}.{name}.")
        return self.label(name, {key: row[key] for key in row if key in _OWN}, f"{where}.{name}.")

    def _once(self, found: list[Label], teams: Task) -> None:
        """Note where two topics, or a topic and a team, have one name: files and `--task topic` name it alone.

        Titles must differ only within a team, since a card shows the topics of one team.
        """
        names: dict[str, str] = {}
        shown: dict[tuple[str, str], str] = {}
        signs: dict[tuple[str, str], str] = {}
        for label in found:
            where = label_key(TOPIC, label, teams.name)
            if label.name in teams.names:
                self.values.mistake(f"{where}: a team is called so; give the topic another name")
            if names.setdefault(label.name, label.team) != label.team:
                self.values.mistake(f"{where}: {names[label.name]} has a topic of this name; give it another one")
            if (first := shown.setdefault((label.team, label.shown.casefold()), label.name)) != label.name:
                self.values.mistake(f"{where}.title: people could not tell {label.shown!r} from {first}; change one")
            for platform, emoji in label.emoji.items():
                if (first := signs.setdefault((platform, emoji), label.name)) != label.name:
                    self.values.mistake(f"{where}.emoji.{platform}: {emoji} already means {first}; give each its own")


def label_key(task: str, label: Label, teams: str) -> str:
    """A label's key in the settings; a topic's is under its team."""
    return (
        f"tasks.{teams}.labels.{label.team}.topics.{label.name}" if label.team else f"tasks.{task}.labels.{label.name}"
    )
