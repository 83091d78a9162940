"""What the code says of settings: its reader is given a document, and what it asks for and complains of is noted."""

import re
from collections.abc import Iterator, Mapping
from datetime import time
from pathlib import Path

from bot.domain.errors import ConfigError
from bot.settings import read
from docs.settings_words import Key, general, uncommented

_SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "TELEGRAM_BOT_TOKEN": "1:A",
    "SWITCHBOARD_HELPDESK_SECRET": "0123456789abcdef" * 2,
}
_KEYS = re.compile(r"^(.*?)\.?\?: (?:unknown; keys here|no such setting; there) are (.+)$")
_CHOICES = re.compile(r"^(.+?)\.(\w+): '\?' is no choice; choose from (.+)$")
_MODES = re.compile(r"^(.+?)\.(\w+): '\?' is no mode; write (.+)$")
_NUMBER = re.compile(r"^(.+?)\.(\w+): must be a ((?:whole )?number from .+)$")
_MISSED = re.compile(r"^([a-z_.0-9-]+)\.(\w+): ")
_NOWHERE = Path("switchboard.toml")
_WRONG = time(0)
"""TOML has times; no setting is one."""


def known_keys() -> set[Key]:
    """Every key that the reader takes: it names them all to whoever writes one that there is none of."""
    found = set()
    for mistake in _mistakes(_with_question_marks(uncommented())):
        if names := _KEYS.match(mistake):
            table = general(re.sub(r"\[\d+\]", "", names[1]))
            found |= {Key(table, name) for name in re.split(r", | and ", names[2])}
    return {key for key in found if key.table}


def defaults() -> dict[Key, object]:
    """What counts for each key that is left out; nothing where that depends on what else is written."""
    asked: dict[Key, object] = {}
    _mistakes(_Noted(_emptied(uncommented()), "", asked))
    return asked


def required() -> set[Key]:
    """The keys that are missed where a table is there without them."""
    said = (_MISSED.match(mistake) for mistake in _mistakes(_emptied(uncommented())))
    return {Key(general(missed[1]), missed[2]) for missed in said if missed}


def takes() -> dict[Key, str]:
    """Choices and ranges of numbers, as the reader tells them to whoever writes something else."""
    found: dict[Key, str] = {}
    for wrong in ("?", _WRONG):
        for mistake in _mistakes(_replaced(uncommented(), wrong)):
            for pattern in (_CHOICES, _MODES, _NUMBER):
                if said := pattern.match(mistake):
                    what = said[3].replace('"', "")
                    found.setdefault(Key(general(said[1]), said[2]), re.sub(r", (?=\w+$)", " or ", what))
    return found


def environment() -> dict[str, bool]:
    """Every variable that reading settings asks for -> whether it may also be a file, `NAME_FILE`."""
    asked: set[str] = set()
    document = {**uncommented(), "model": {"server": "http://127.0.0.1:8000", "server_adapters": "fetch"}}
    _mistakes(document, _Asked(asked))
    for table in _tables(document):
        table.pop("digest", None)  # an API's token is looked for in the environment where there is none
        table["mode"] = {"socket": "http", "polling": "webhook"}.get(str(table.get("mode")), "")
    _mistakes(document, _Asked(asked))
    plain = {name for name in asked if not name.endswith("_FILE") and name != "CREDENTIALS_DIRECTORY"}
    return {name: f"{name}_FILE" in asked for name in plain}


class _Noted(dict[str, object]):
    """A table that notes what is asked of it, and what would count if it were not there."""

    def __init__(self, table: Mapping[str, object], path: str, asked: dict[Key, object]) -> None:
        below = f"{path}." if path else ""
        super().__init__({key: self._inner(value, f"{below}{key}", asked) for key, value in table.items()})
        self._path, self._asked = general(path), asked

    def get(self, key: str, default: object = None) -> object:
        if not isinstance(default, dict) or not isinstance(super().get(key), _Noted):
            known = Key(self._path, key)
            self._asked[known] = default if self._asked.get(known, default) in (default, None) else None
        return super().get(key, default)

    @staticmethod
    def _inner(value: object, path: str, asked: dict[Key, object]) -> object:
        if isinstance(value, dict):
            return _Noted(value, path, asked)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return [_Noted(row, path, asked) for row in value]
        return value


class _Asked(Mapping[str, str]):
    """An environment that has nothing, and notes what is asked for."""

    def __init__(self, asked: set[str]) -> None:
        self._asked = asked

    def __getitem__(self, name: str) -> str:
        self._asked.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _mistakes(document: Mapping[str, object], environment: Mapping[str, str] = _SECRETS) -> list[str]:
    try:
        read(document, _NOWHERE, environment, _NOWHERE.parent)
    except ConfigError as error:
        return list(error.mistakes)
    return []


def _with_question_marks(table: dict[str, object]) -> dict[str, object]:
    for inner in [table, *_tables(table)]:
        inner["?"] = 1
    return table


def _replaced(table: dict[str, object], wrong: object) -> dict[str, object]:
    for inner in _tables(table):
        for key, value in inner.items():
            if not isinstance(value, dict):
                inner[key] = wrong
    return table


def _emptied(table: dict[str, object]) -> dict[str, object]:
    for inner in _tables(table):
        for key in [key for key, value in inner.items() if not isinstance(value, dict)]:
            del inner[key]
    return table


def _tables(table: Mapping[str, object]) -> Iterator[dict[str, object]]:
    for value in table.values():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield inner
                yield from _tables(inner)
