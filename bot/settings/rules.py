"""The settings' rules: `[[rules]]`, in order, each with its conditions and its outcome."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.hours import Hours, hours
from bot.domain.languages import DETECTED
from bot.domain.rule_checks import contradicts_itself, hidden_by, takes_everything
from bot.domain.rules import Conditions, Outcome, Rule, Rules
from bot.domain.safe_pattern import SafePattern
from bot.domain.tasks import NOT_A_REQUEST, Task, routing_task
from bot.domain.word_list import Phrase, phrase
from bot.platforms import PlatformModule
from bot.settings.values import Table, Values, listed

_CONDITIONS = ("from", "domain", "channel", "platform", "language", "words", "pattern", "hours", "outside_hours")
_OUTCOMES = ("team", "label", "not_a_request", "ask")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_LANGUAGE = re.compile(r"([a-z]{2})(-[a-z]{2,4})?")


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """Reads `[[rules]]`."""

    values: Values
    platform_modules: Mapping[str, PlatformModule]
    platforms: frozenset[str]
    """The platforms that the file names; empty where that is not known."""
    tasks: Sequence[Task]
    zone: str

    def read(self, document: Table) -> Rules:
        """The valid rules; mistakes are noted, also for rules that can never apply."""
        written = document.get("rules", [])
        if not isinstance(written, list) or not all(isinstance(row, dict) for row in written):
            self.values.mistake("rules: must be a list of tables; begin each rule with [[rules]]")
            return Rules()
        read = [self._rule(number, row) for number, row in enumerate(written, 1)]
        rules = [(f"rules[{number}]", rule) for number, rule in enumerate(read, 1) if rule is not None]
        self._twins(rules)
        where_of = {rule.name: where for where, rule in rules}
        for hidden, earlier in hidden_by([rule for _, rule in rules], self.platforms):
            self.values.mistake(
                f"{where_of[hidden.name]}: never counts, for {earlier.name!r} before it takes every message that it "
                "could take; put it first, or take it out"
            )
        return Rules(tuple(rule for _, rule in rules))

    def _twins(self, rules: Sequence[tuple[str, Rule]]) -> None:
        first: dict[str, str] = {}
        for where, rule in rules:
            if first.setdefault(rule.name.casefold(), where) != where:
                self.values.mistake(f"{where}.name: {rule.name!r} is {first[rule.name.casefold()]} already")

    def _rule(self, number: int, row: Table) -> Rule | None:
        where = f"rules[{number}]."
        self.values.unknown(row, {"name", *_CONDITIONS, *_OUTCOMES}, where)
        name = self.values.line(row, "name", f"rule {number}", where) or f"rule {number}"
        conditions, then = self._conditions(row, where), self._outcome(row, where)
        if takes_everything(conditions, self.platforms) and not self._mistaken(row, conditions):
            self.values.mistake(
                f"rules[{number}]: would take every message; say which ones, with any of {listed(_CONDITIONS)}"
            )
            return None
        if why := contradicts_itself(conditions):
            self.values.mistake(f"rules[{number}]: can never hold: {why}")
            return None
        return None if then is None else Rule(name, conditions, then, _as_written(row))

    def _mistaken(self, row: Table, read: Conditions) -> bool:
        """Whether conditions were written but none could be read, which is reported where each stands."""
        return read.empty and any(row.get(key) for key in _CONDITIONS)

    # --- conditions ---

    def _conditions(self, row: Table, where: str) -> Conditions:
        return Conditions(
            senders=self._people(row, where),
            domains=frozenset(self._texts(row, "domain", where, self._domain)),
            rooms=self._rooms(row, where),
            platforms=frozenset(self._texts(row, "platform", where, self._platform)),
            languages=frozenset(self._texts(row, "language", where, _language)),
            words=tuple(dict.fromkeys(self._phrases(row, where))),
            pattern=self._pattern(row, where),
            hours=self._hours(row, "hours", where),
            outside_hours=self._hours(row, "outside_hours", where),
        )

    def _texts(self, row: Table, key: str, where: str, read: Callable[[str], str]) -> list[str]:
        """A text or a list of texts, each converted by `read`."""
        value = row.get(key, [])
        written = [value] if isinstance(value, str) else list(self.values.texts(row, key, (), where))
        if key in row and not written:
            self.values.mistake(
                f"{where}{key}: empty, so that it would hold for nothing; write at least one, or leave it out"
            )
        found: list[str] = []
        for one in written:
            try:
                found.append(read(one.strip()))
            except ValueError as error:
                self.values.mistake(f"{where}{key}: {error}")
        return found

    def _phrases(self, row: Table, where: str) -> list[Phrase]:
        found: list[Phrase] = []

        def kept(written: str) -> str:
            found.append(phrase(written))
            return written

        self._texts(row, "words", where, kept)
        return found

    def _platform(self, written: str) -> str:
        known = self.platforms or frozenset(self.platform_modules)
        if written not in known:
            raise ValueError(
                f"{written!r} is not set up, so that it would never hold; platforms here are {listed(known)}"
            )
        return written

    def _domain(self, written: str) -> str:
        domain = written.casefold().removeprefix("@")
        if not _DOMAIN.fullmatch(domain):
            raise ValueError(f"{written!r} is no domain; write one like example.com")
        return domain

    def _people(self, row: Table, where: str) -> frozenset[tuple[str, str]]:
        people = set()
        for platform, rows in self._of_platforms(row, "from", where).items():
            for who in rows:
                try:
                    people.add((platform, self.platform_modules[platform].sender(who)))
                except ValueError as error:
                    self.values.mistake(f"{where}from.{platform}: {error}")
        return frozenset(people)

    def _rooms(self, row: Table, where: str) -> frozenset[tuple[str, str]]:
        rooms = set()
        for platform, written in self._of_platforms(row, "channel", where).items():
            for one in written:
                try:
                    rooms.add((platform, self.platform_modules[platform].place(str(one)).chat))
                except ValueError as error:
                    self.values.mistake(f"{where}channel.{platform}: {error}")
        return frozenset(rooms)

    def _of_platforms(self, row: Table, key: str, where: str) -> dict[str, list[object]]:
        """`{ slack = ["…"], telegram = […] }`; a single value needs no brackets."""
        if key in row and not row.get(key):
            self.values.mistake(
                f"{where}{key}: empty, so that it would hold for nobody; leave it out, or name somebody"
            )
            return {}
        written = self.values.of_platforms(row, key, where)
        found = {platform: value if isinstance(value, list) else [value] for platform, value in written.items()}
        for platform in sorted(platform for platform, rows in found.items() if not rows):
            self.values.mistake(
                f"{where}{key}.{platform}: empty, so that it would hold for nobody; write at least one, or leave it out"
            )
        unheard = {platform for platform in found if self.platforms and platform not in self.platforms}
        for platform in sorted(unheard):
            self.values.mistake(
                f"{where}{key}.{platform}: {platform} is not set up, so that it would never hold; "
                f"platforms here are {listed(self.platforms)}"
            )
        return {platform: rows for platform, rows in found.items() if platform not in unheard}

    def _pattern(self, row: Table, where: str) -> SafePattern | None:
        written = self.values.text(row, "pattern", "", where)
        if "pattern" not in row:
            return None
        try:
            return SafePattern(written)
        except ValueError as error:
            self.values.mistake(
                f"{where}pattern: {error}; write a regular expression of RE2 (no backreferences, no lookaround)"
            )
            return None

    def _hours(self, row: Table, key: str, where: str) -> Hours | None:
        written = self.values.text(row, key, "", where)
        if key not in row:
            return None
        try:
            return hours(written, self.zone)
        except ValueError as error:
            self.values.mistake(f"{where}{key}: {error}")
            return None

    # --- outcomes ---

    def _outcome(self, row: Table, where: str) -> Outcome | None:
        given = [key for key in _OUTCOMES if key in row]
        if len(given) != 1:
            found = f"{' and '.join(given)} do" if given else "nothing does"
            self.values.mistake(f"{where}team: one of {', '.join(_OUTCOMES)} must say what follows; here {found}")
            return None
        routing = routing_task(self.tasks)
        if routing is None:
            return None  # a missing routing task is reported elsewhere
        match given[0]:
            case "team":
                return self._team(routing, self.values.text(row, "team", "", where), where)
            case "label":
                return self._label(self.values.table(row, "label", where), where)
            case "not_a_request":
                return self._no_request(routing, row, where)
            case _:
                return self._ask(routing, row, where)

    def _team(self, routing: Task, team: str, where: str) -> Outcome | None:
        teams = [label.name for label in routing.labels if not label.is_no_request]
        if team in teams:
            return Outcome(routing.name, team)
        self.values.mistake(f"{where}team: no team called {team!r}; teams are {listed(teams)}")
        return None

    def _label(self, table: Table, where: str) -> Outcome | None:
        known = {task.name: task for task in self.tasks}
        if len(table) != 1:
            self.values.mistake(f'{where}label: write one question and its answer, {{ mood = "upset" }}')
            return None
        [(question, answer)] = table.items()
        task = known.get(question)
        if task is None:
            self.values.mistake(f"{where}label.{question}: no task called so; tasks are {listed(known)}")
        elif task.routes:
            self.values.mistake(f"{where}label.{question}: its labels are teams; write team instead")
        elif answer not in task.names:
            self.values.mistake(f"{where}label.{question}: no label called {answer!r}; labels are {listed(task.names)}")
        else:
            return Outcome(task.name, str(answer))
        return None

    def _no_request(self, routing: Task, row: Table, where: str) -> Outcome | None:
        if not self._is_true(row, "not_a_request", where):
            return None
        if NOT_A_REQUEST not in routing.names:
            self.values.mistake(
                f'{where}not_a_request: conversation.not_a_request is off; set it to "silent" or "reply" first'
            )
            return None
        return Outcome(routing.name, NOT_A_REQUEST)

    def _ask(self, routing: Task, row: Table, where: str) -> Outcome | None:
        return Outcome(routing.name) if self._is_true(row, "ask", where) else None

    def _is_true(self, row: Table, key: str, where: str) -> bool:
        if row.get(key) is not True:
            self.values.mistake(f"{where}{key}: write true, or leave it out and write what follows instead")
        return row.get(key) is True


def _as_written(row: Table) -> str:
    """The conditions on one line, as the settings have them."""
    return ", ".join(f"{key} = {json.dumps(row[key], ensure_ascii=False)}" for key in _CONDITIONS if key in row)


def _language(written: str) -> str:
    found = _LANGUAGE.fullmatch(written.lower())
    if found is None:
        raise ValueError(f"{written!r} is no language; write a code of two letters, like en or pt")
    if found[1] not in DETECTED:
        raise ValueError(
            f"{written!r} is never found out from a text, so that it would never hold; choose from {listed(DETECTED)}"
        )
    return found[1]
