"""The words about settings, out of the commented settings that `switchboard init` writes: they stand nowhere else."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.init import settings_text
from bot.platforms import platform_modules

_HEADER = re.compile(r"^#? ?(\[{1,2}[a-z_.0-9-]+\]{1,2})$")
_KEY = re.compile(r"^#? ?([a-z_]+) = (.+)$")
_NAMES = ("tasks", "labels", "endpoints", "tokens", "webhooks", "workspaces")
"""What stands below these, tables or keys, bears names that people choose."""


class Key(NamedTuple):
    """A key, and the table that it stands in."""

    table: str
    name: str


@dataclass(slots=True)
class Words:
    """What the template says."""

    tables: dict[str, str] = field(default_factory=dict)
    """Table -> what stands before or below its header; empty: nothing."""
    keys: dict[Key, tuple[str, str]] = field(default_factory=dict)
    """Key -> (what it does, an example as one writes it)."""


def words() -> Words:
    """The template's words. Where a table comes more than once (`billing`, `it`), the first that has a key counts."""
    said: list[str] = []
    found, table = Words(), ""
    for line in _lines():
        if header := _HEADER.match(line):
            table = general(header[1].strip("[]"))
            found.tables[table] = " ".join([found.tables.get(table, ""), *said]).strip()
            said = []
        elif key := _KEY.match(line):
            value, explained = _apart(key[2])
            if explained and said:
                found.tables[table] = found.tables.get(table) or " ".join(said)
                said = []
            does = (explained or " ".join(said)).rstrip(":")
            if table not in _NAMES:
                found.keys.setdefault(Key(table, key[1]), (does, value))
            said = []
        elif line.startswith("# "):
            said.append(line.removeprefix("# "))
    return found


def uncommented() -> dict[str, object]:
    """Every table and every key of the template, those included that exclude each other."""
    lines = (re.sub(r"^# ?", "", line) if _HEADER.match(line) or _KEY.match(line) else line for line in _lines())
    return tomllib.loads("\n".join(lines))


def value_of(written: str) -> object:
    """What TOML reads there."""
    return tomllib.loads(f"key = {written}")["key"]


def general(path: str) -> str:
    """The path with `NAME` for what people name: `tasks.routing.labels.it` is `tasks.NAME.labels.NAME`."""
    parts = path.split(".")
    return ".".join("NAME" if n and parts[n - 1] in _NAMES else part for n, part in enumerate(parts))


def _lines() -> Iterator[str]:
    """What stands above the first table is about the file as a whole."""
    lines = settings_text(platform_modules(), http=False).splitlines()
    yield from lines[lines.index("[database]") :]


def _apart(written: str) -> tuple[str, str]:
    """The value, and what is said behind it."""
    for mark in re.finditer(" #", written):
        value = written[: mark.start()].strip()
        if _is_value(value):
            return value, written[mark.end() :].strip()
    return written, ""


def _is_value(written: str) -> bool:
    try:
        value_of(written)
    except tomllib.TOMLDecodeError:
        return False
    return True
