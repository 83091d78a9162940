"""The settings' tasks: the questions, their labels, and how teams are reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.guards import Guards
from bot.domain.hours import Hours, hours
from bot.domain.messages import Place
from bot.domain.tasks import PROMISED, Label, Learning, Task
from bot.platforms import PlatformModule
from bot.schedule import cron_problem
from bot.settings.contrary_examples import ContraryExamples
from bot.settings.emoji import EmojiSettings
from bot.settings.questions import CONSEQUENCES, QuestionSettings
from bot.settings.several import SeveralSettings
from bot.settings.topics import TopicSettings
from bot.settings.values import Table, Values, listed

_LEARNING = (
    "schedule",
    "min_corrections",
    "out_of_scope",
    "automatic_rollback",
    "shadow",
    "digest",
    "comparison",
    "silent_signals",
    "canary",
    "preference",
)
_REPORTS = ("digest", "comparison")
_TRAINING = ("ask_above_minutes", "price_per_hour")
_GUARDS = ("corrections_per_hour", "new_team_corrections", "neighbour_guard")


@dataclass(frozen=True, slots=True)
class Tasks:
    """Reads `[tasks]`."""

    values: Values
    words: EmojiSettings
    platform_modules: Mapping[str, PlatformModule]
    platforms: frozenset[str]
    """The platforms that the file names; empty where that is not known."""
    zone: str
    """The time zone of the teams' hours and of the schedule."""
    take: timedelta
    """How long a team has to take a request; zero: for ever."""

    def read(self, table: Table) -> tuple[Task, ...]:
        """Every task; exactly one of them routes."""
        tasks = tuple(self._task(name, self.values.table(table, name, "tasks.")) for name in table)
        routing = [task.name for task in tasks if task.routes or _addressed(table.get(task.name))]
        if len(routing) != 1:
            found = f"{listed(routing)} do" if routing else "none does"
            self.values.mistake(f"tasks: exactly one task must send to teams (labels with deliver_to); {found}")
            return tasks
        teams = next(task for task in tasks if task.name == routing[0])
        topics = TopicSettings(self.values, self._label).read(teams, table)
        further = QuestionSettings(self.values, self._place, self.platforms, self.take)
        read = SeveralSettings(self.values).read(further.read((*tasks, *topics), table, teams), table)
        ContraryExamples(self.values).check(read)
        return read

    def _task(self, name: str, table: Table) -> Task:
        values, where = self.values, f"tasks.{name}."
        values.name(name, "tasks", plain=True)
        values.unknown(
            table,
            {"question", "choose", "suggests", "fallback", "ask_below", "unasked_right", "labels", "learning"},
            where,
        )
        rows = values.table(table, "labels", where)
        labels = tuple(
            self._label(name, values.table(rows, name, f"{where}labels."), f"{where}labels.{name}.") for name in rows
        )
        self._twins(labels, where)
        self._deaf(labels, where)
        self._promises(table, labels, where)
        return Task(
            name=name,
            question=values.text(table, "question", "", where) or values.missing(f"{where}question", "what is asked?"),
            labels=labels,
            fallback=self._fallback(table, [label.name for label in labels], where),
            ask_below=self._share(table, "ask_below", where),
            learning=self._learning(values.table(table, "learning", where), f"{where}learning."),
            unasked_right=values.number(table, "unasked_right", PROMISED, where, at_most=1.0),
            suggests=values.yes_or_no(table, "suggests", False, where),
        )

    def _share(self, table: Table, key: str, where: str) -> float | None:
        return self.values.number(table, key, 1.0, where, at_most=1.0) if key in table else None

    def _promises(self, table: Table, labels: tuple[Label, ...], where: str) -> None:
        """Note a mistake where a threshold is written along with a share that it would be fitted to."""
        promised = ["unasked_right"] if "unasked_right" in table else []
        promised += [f"labels.{one.name}.unasked_right" for one in labels if one.unasked_right is not None]
        if "ask_below" in table and promised:
            self.values.mistake(
                f"{where}ask_below: {where}{promised[0]} says already when to ask, as a share; keep one of the two"
            )

    def _fallback(self, table: Table, names: list[str], where: str) -> str:
        if len(names) < 2:
            self.values.mistake(f"{where}labels: at least two labels are needed to have a choice")
        fallback = self.values.text(table, "fallback", names[-1] if names else "", where)
        if names and fallback not in names:
            self.values.mistake(f"{where}fallback: no label called {fallback!r}; labels are {listed(names)}")
        return fallback

    def _learning(self, table: Table, where: str) -> Learning:
        known = {*_LEARNING, *_TRAINING, *_GUARDS}
        self.values.unknown(table, known, where)
        return Learning(
            schedule=self._cron(table, "schedule", Learning().schedule, where),
            min_corrections=self.values.whole(table, "min_corrections", 25, where),
            timezone=self.zone,
            out_of_scope=self.values.texts(table, "out_of_scope", (), where),
            automatic_rollback=self.values.yes_or_no(table, "automatic_rollback", True, where),
            shadow=self.values.yes_or_no(table, "shadow", False, where),
            canary=self.values.number(table, "canary", 0.0, where, at_most=0.5),
            silent_signals=self.values.number(table, "silent_signals", 0.0, where, at_most=1.0),
            preference=self.values.number(table, "preference", 0.0, where, at_most=10.0),
            digest=self._cron(table, "digest", Learning().digest, where),
            comparison=self._cron(table, "comparison", Learning().comparison, where),
            ask_above_minutes=self.values.number(table, "ask_above_minutes", Learning().ask_above_minutes, where),
            price_per_hour=self.values.number(table, "price_per_hour", 0.0, where),
            guards=self._guards(table, where),
        )

    def _cron(self, table: Table, key: str, usual: str, where: str) -> str:
        """The cron expression; reports may have an empty one, and are then never made."""
        written = self.values.text(table, key, usual, where)
        if key in _REPORTS and not written.strip():
            return ""
        if problem := cron_problem(written):
            self.values.mistake(
                f"{where}{key}: {written!r} is no cron expression of five fields ({problem}); "
                'write minute, hour, day, month, weekday, like "0 3 * * sun"'
            )
        return written

    def _guards(self, table: Table, where: str) -> Guards:
        per_hour, new_team, neighbours = _GUARDS
        usual, values = Guards(), self.values
        return Guards(
            per_hour=values.whole(table, per_hour, usual.per_hour, where),
            new_team=values.whole(table, new_team, usual.new_team, where),
            neighbours=values.yes_or_no(table, neighbours, usual.neighbours, where),
        )

    # --- a label ---

    def _label(self, name: str, table: Table, where: str) -> Label:
        values = self.values
        values.name(name, where.removesuffix(f".{name}."))
        known = {"title", "means", "examples", "emoji", "deliver_to", "hours", "leads", "unasked_right", "topics"}
        values.unknown(table, {*known, *CONSEQUENCES}, where)
        means = values.text(table, "means", "", where)
        if not means:
            values.missing(f"{where}means", "say in a sentence what belongs there; the model reads it")
        emoji = values.by_platform(table, "emoji", where)
        rooms = values.by_platform(table, "deliver_to", where)
        return Label(
            name=name,
            means=means,
            examples=values.texts(table, "examples", (), where),
            emoji={p: self.words.emoji(p, text, f"{where}emoji.{p}") for p, text in emoji.items()},
            deliver_to={p: place for p, text in rooms.items() if (place := self._place(p, text, where))},
            title=values.line(table, "title", "", where),
            leads=self._leads(table, where),
            hours=self._hours(values.text(table, "hours", "", where), where),
            unasked_right=self._share(table, "unasked_right", where),
        )

    def _place(self, platform: str, written: str, where: str, key: str = "deliver_to") -> Place | None:
        try:
            return self.platform_modules[platform].place(written)
        except ValueError as error:
            self.values.mistake(f"{where}{key}.{platform}: {error}")
            return None

    def _hours(self, written: str, where: str) -> Hours | None:
        try:
            return hours(written, self.zone) if written else None
        except ValueError as error:
            self.values.mistake(f"{where}hours: {error}")
            return None

    def _leads(self, table: Table, where: str) -> dict[str, frozenset[str]]:
        leads: dict[str, frozenset[str]] = {}
        for platform, people in self.values.lists_by_platform(table, "leads", where).items():
            ids = [self._lead(platform, who, where) for who in people]
            leads[platform] = frozenset(id for id in ids if id)
        return leads

    def _lead(self, platform: str, who: object, where: str) -> str:
        try:
            return self.platform_modules[platform].lead(who)
        except ValueError as error:
            self.values.mistake(f"{where}leads.{platform}: {error}")
            return ""

    # --- conflicts between labels ---

    def _twins(self, labels: tuple[Label, ...], where: str) -> None:
        seen: dict[tuple[str, str], str] = {}
        shown: dict[str, str] = {}
        for label in labels:
            first = shown.setdefault(label.shown.casefold(), label.name)
            if first != label.name:
                self.values.mistake(
                    f"{where}labels.{label.name}.title: people could not tell {label.shown!r} from {first}; "
                    "give it another title"
                )
            for platform, emoji in label.emoji.items():
                first = seen.setdefault((platform, emoji), label.name)
                if first != label.name:
                    self.values.mistake(
                        f"{where}labels.{label.name}.emoji.{platform}: {emoji} already means {first}; give each its own"
                    )

    def _deaf(self, labels: tuple[Label, ...], where: str) -> None:
        """Note a mistake for a team with rooms only on platforms that are not set up: nothing would reach it."""
        for label in labels:
            if label.deliver_to and self.platforms and not self.platforms & label.deliver_to.keys():
                self.values.mistake(
                    f"{where}labels.{label.name}.deliver_to: none of {listed(label.deliver_to)} is set up; "
                    f"platforms here are {listed(self.platforms)}"
                )


def _addressed(task: object) -> bool:
    """Whether one of its labels has an address, even a wrong one, which is reported where it stands."""
    labels = task.get("labels") if isinstance(task, dict) else None
    rows = labels.values() if isinstance(labels, dict) else ()
    return any(isinstance(row, dict) and row.get("deliver_to") for row in rows)
