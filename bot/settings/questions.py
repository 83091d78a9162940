"""The settings of further questions: the consequences of their labels, and emoji that no two questions share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.consequences import Consequences
from bot.domain.messages import Place
from bot.domain.tasks import Label, Task
from bot.settings.topics import label_key
from bot.settings.values import Table, Values, listed

CONSEQUENCES = ("tell", "sooner", "hold", "first", "also_to")
"""The keys of a label's consequences."""
_OF_TEAMS = ("hours", "leads", "topics")
"""The keys of a label that mean something for a team alone."""
LEADS = "leads"
"""Written in place of rooms: the fallback team's."""


@dataclass(frozen=True, slots=True)
class QuestionSettings:
    """Reads what labels of further questions have besides those of teams."""

    values: Values
    place: Callable[[str, str, str, str], Place | None]
    """(platform, the written text, the keys above, the key) -> the room; a mistake is noted."""
    platforms: frozenset[str]
    """The platforms that the file names; empty where that is not known."""
    take: timedelta
    """How long a team has to take a request; zero: for ever."""

    def read(self, tasks: Sequence[Task], table: Table, routing: Task) -> tuple[Task, ...]:
        """The tasks, with the consequences of each label of a question."""
        self._one_emoji_each(tasks, routing)
        self._team_is_no_suggestion(routing)
        found = []
        for task in tasks:
            rows = self._rows(table, task.name)
            labels = tuple(self._label(task, label, rows, routing) for label in task.labels)
            found.append(replace(task, labels=labels))
        return tuple(found)

    def _team_is_no_suggestion(self, routing: Task) -> None:
        if routing.suggests:
            self.values.mistake(
                f"tasks.{routing.name}.suggests: a team is no suggestion; this is for further questions"
            )

    def _rows(self, table: Table, task: str) -> Table:
        own = table.get(task)
        rows = own.get("labels") if isinstance(own, dict) else None
        return rows if isinstance(rows, dict) else {}

    def _label(self, task: Task, label: Label, rows: Table, routing: Task) -> Label:
        row, where = rows.get(label.name), f"tasks.{task.name}.labels.{label.name}."
        written = row if isinstance(row, dict) else {}
        stray = [key for key in CONSEQUENCES if key in written] if task is routing else []
        self._no_teams_keys([] if task is routing else [key for key in _OF_TEAMS if key in written], where)
        if stray:
            self.values.mistake(
                f"{where}{stray[0]}: a team has a room already (deliver_to); this is for labels of further questions"
            )
        return label if task is routing else replace(label, consequences=self._consequences(written, where, routing))

    def _no_teams_keys(self, written: Sequence[str], where: str) -> None:
        for key in written:
            self.values.mistake(f"{where}{key}: only a team has {key}, and this label answers a further question")

    def _consequences(self, row: Table, where: str, routing: Task) -> Consequences:
        values = self.values
        return Consequences(
            tell=self._rooms(row, "tell", where, routing),
            also_to=self._rooms(row, "also_to", where, routing),
            sooner=self._clock(row, where),
            hold=values.yes_or_no(row, "hold", False, where),
            first=values.yes_or_no(row, "first", False, where),
        )

    def _clock(self, row: Table, where: str) -> timedelta | None:
        """The minutes of `sooner`, at least one."""
        if "sooner" not in row:
            return None
        minutes = self.values.number(row, "sooner", 1, where)
        if minutes < 1:
            self.values.mistake(f"{where}sooner: write how many minutes a team has to take it, 1 or more")
        if timedelta(0) < self.take < timedelta(minutes=minutes):
            usual = f"{self.take.total_seconds() / 60:g}"
            self.values.mistake(f"{where}sooner: that is later than conversation.take_minutes, {usual}; write less")
        return timedelta(minutes=minutes)

    def _rooms(self, row: Table, key: str, where: str, routing: Task) -> tuple[Place, ...]:
        if key not in row:
            return ()
        if row[key] == LEADS:
            leads = next((label for label in routing.labels if label.name == routing.fallback), None)
            return () if leads is None else tuple(leads.deliver_to.values())
        if not isinstance(row[key], dict) or not row[key]:
            names = self.platforms or {"slack"}
            example = f'{{ {min(names)} = "…" }}'
            self.values.mistake(f'{where}{key}: names no room; write {example}, or "{LEADS}" for the fallback team\'s')
            return ()
        written = self.values.by_platform(row, key, where)
        deaf = sorted(written.keys() - self.platforms) if self.platforms else []
        if deaf:
            self.values.mistake(
                f"{where}{key}.{deaf[0]}: {deaf[0]} is not set up; platforms here are {listed(self.platforms)}"
            )
        rooms = [self.place(platform, text, where, key) for platform, text in written.items()]
        return tuple(room for room in rooms if room is not None)

    def _one_emoji_each(self, tasks: Sequence[Task], routing: Task) -> None:
        """Note a mistake where an emoji means labels of two tasks on one platform: nobody could tell which is meant."""
        seen: dict[tuple[str, str], tuple[str, str]] = {}
        for task in tasks:
            for label in task.labels:
                for platform, emoji in label.emoji.items():
                    first, key = seen.setdefault((platform, emoji), (task.name, label.name))
                    if first != task.name:
                        where = f"{label_key(task.name, label, routing.name)}.emoji.{platform}"
                        self.values.mistake(f"{where}: {emoji} already means {key} of tasks.{first}; give each its own")
