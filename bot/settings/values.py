"""Takes values from the settings' tables; mistakes are collected instead of stopping at the first."""

import re
from collections.abc import Collection, Iterable, Mapping

from bot.domain.errors import ConfigError, SecretMistake

Table = Mapping[str, object]
_LONGEST = 200
"""The most characters of a name, or of a text on one line."""
_PLAIN = re.compile(r"\w[\w -]*")


class Values:
    """Takes values from tables; `where` is the prefix of a key in a mistake, such as `tasks.routing.`."""

    def __init__(self, platforms: Collection[str]) -> None:
        self._platforms = platforms
        self._mistakes: list[str] = []

    def mistake(self, *mistakes: str) -> None:
        """Note a mistake: the key, and what to write instead."""
        self._mistakes += mistakes

    def secret_mistake(self, part: str, *mistakes: str) -> None:
        """Note that a secret is missing or wrong, and the part of the settings that needs it."""
        self._mistakes += (SecretMistake(told, part) for told in mistakes)

    def complain(self, demanding: bool = True) -> tuple[SecretMistake, ...]:
        """Raise ConfigError with all the mistakes, if there are any.

        Unless `demanding`, mistakes in secrets are returned instead.
        """
        secrets = tuple(one for one in self._mistakes if isinstance(one, SecretMistake))
        told = self._mistakes if demanding else [one for one in self._mistakes if not isinstance(one, SecretMistake)]
        if told:
            raise ConfigError(told)
        return secrets

    def missing(self, key: str, why: str) -> str:
        self.mistake(f"{key}: missing; {why}")
        return ""

    def unknown(self, table: Table, known: set[str], where: str) -> None:
        self.mistake(*(f"{where}{key}: unknown; keys here are {listed(known)}" for key in table if key not in known))

    def table(self, table: Table, key: str, where: str = "") -> Table:
        value = table.get(key, {})
        if isinstance(value, dict):
            return value
        self.mistake(f"{where}{key}: must be a table")
        return {}

    def text(self, table: Table, key: str, default: str, where: str) -> str:
        value = table.get(key, default)
        if isinstance(value, str):
            self._storable((value,), f"{where}{key}")
            return value.strip()
        self.mistake(f"{where}{key}: must be text in quotes")
        return default

    def line(self, table: Table, key: str, default: str, where: str) -> str:
        """A text that stands on one line of a card or a list."""
        value = self.text(table, key, default, where)
        if "\n" in value or len(value) > _LONGEST:
            self.mistake(f"{where}{key}: must be one line of at most {_LONGEST} characters")
        return value

    def name(self, name: str, where: str, plain: bool = False) -> None:
        """Note a mistake where a name among those in the table `where` could not be seen or stored.

        A `plain` one is part of the names of folders, adapters and commands, too.
        """
        if not name or name != name.strip() or not name.isprintable() or len(name) > _LONGEST:
            self.mistake(
                f"{where}: the name {name[:_LONGEST]!r} must have 1 to {_LONGEST} characters that can be seen, without "
                "a space at its beginning or end"
            )
        elif plain and not _PLAIN.fullmatch(name):
            self.mistake(f"{where}: the name {name!r} becomes a part of folders' names; write letters, digits, - and _")

    def texts(self, table: Table, key: str, default: tuple[str, ...], where: str) -> tuple[str, ...]:
        value = table.get(key, list(default))
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            self._storable(value, f"{where}{key}")
            return tuple(value)
        self.mistake(f'{where}{key}: must be a list of texts, ["…", "…"]')
        return default

    def one_of(self, table: Table, key: str, choices: tuple[str, ...], where: str) -> str:
        """One of the choices; the first where nothing is written."""
        value = self.text(table, key, choices[0], where)
        if value in choices:
            return value
        self.mistake(f"{where}{key}: {value!r} is no choice; choose from {listed(choices)}")
        return choices[0]

    def number(self, table: Table, key: str, default: float, where: str, at_most: float = 1e6) -> float:
        value = _number(table.get(key, default), at_most)
        if value is None:
            self.mistake(f"{where}{key}: must be a number from 0 to {at_most:,.10g}")
        return default if value is None else value

    def whole(self, table: Table, key: str, default: int, where: str, at_most: float = 1e6) -> int:
        """A number of things."""
        value = _number(table.get(key, default), at_most)
        if value is None or value != int(value):
            self.mistake(f"{where}{key}: must be a whole number from 0 to {at_most:,.10g}")
        return default if value is None else int(value)

    def yes_or_no(self, table: Table, key: str, default: bool, where: str) -> bool:
        value = table.get(key, default)
        if isinstance(value, bool):
            return value
        self.mistake(f"{where}{key}: write true or false, without quotes")
        return default

    def by_platform(self, table: Table, key: str, where: str) -> dict[str, str]:
        """A text for each platform in the table."""
        rows: dict[str, str] = {}
        for platform, value in self.of_platforms(table, key, where).items():
            if isinstance(value, str):
                rows[platform] = value.strip()
            else:
                self.mistake(f"{where}{key}.{platform}: must be text in quotes")
        return rows

    def lists_by_platform(self, table: Table, key: str, where: str) -> dict[str, list[object]]:
        """A list for each platform in the table."""
        rows: dict[str, list[object]] = {}
        for platform, value in self.of_platforms(table, key, where).items():
            if isinstance(value, list):
                rows[platform] = value
            else:
                self.mistake(f"{where}{key}.{platform}: must be a list, [ … ]")
        return rows

    def of_platforms(self, table: Table, key: str, where: str) -> Table:
        """The values of the known platforms."""
        rows = self.table(table, key, where)
        for platform in rows:
            if platform not in self._platforms:
                self.mistake(f"{where}{key}.{platform}: no such platform; there are {listed(self._platforms)}")
        return {platform: value for platform, value in rows.items() if platform in self._platforms}

    def _storable(self, texts: Iterable[str], key: str) -> None:
        found = next((sign for text in texts for sign in text if sign < " " and sign not in "\t\n\r"), None)
        if found is not None:
            self.mistake(f"{key}: has a control character (U+{ord(found):04X}), which nobody could see; take it out")


def _number(value: object, at_most: float) -> float | None:
    """The value as a number within these bounds; None: it is none."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= at_most:
        return float(value)
    return None


def listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
