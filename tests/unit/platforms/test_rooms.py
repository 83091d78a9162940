"""Every platform's folder has modules with the same names, so that knowledge of one helps with all."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import platforms

HERE = Path(platforms.__file__).parent
FOLDERS = [folder for folder in sorted(HERE.iterdir()) if (folder / "__init__.py").is_file()]
MUST = {
    "adapter": None,
    "events": None,
    "render": None,
    "inbound": "Inbound",
    "outbound": "Sender",
    "permissions": "Permissions",
    "attachments": None,
    "check": "check",
}
"""Module -> the names it must offer, the same everywhere; None: its names are the platform's own choice."""
MAY = {
    "commands": "Commands",
    "live_check": "live_check",
    "startup_check": "startup_check",
    "rate_limits": "Pace",
    "first_steps": "steps",
}
"""Modules that a platform may omit; their purpose is described nowhere else."""
DATA = {"init.toml", "locales/__init__.py", "locales/en.toml"}


def defined(file: Path) -> Iterator[str]:
    """The names of functions and classes at the top of a file."""
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def test_there_are_platforms_to_look_at() -> None:
    assert {folder.name for folder in FOLDERS} >= {"slack", "telegram", "web"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
class TestEveryFolder:
    def test_it_has_every_room_that_a_platform_must_have(self, folder: Path) -> None:
        there = {file.stem for file in folder.glob("*.py")}
        assert MUST.keys() - there == set()
        assert {name for name in DATA if not (folder / name).is_file()} == set()

    def test_what_a_room_is_for_is_in_it_and_nowhere_else(self, folder: Path) -> None:
        found = [(file.stem, name) for file in folder.glob("*.py") for name in defined(file)]
        rooms = {what: room for room, what in (MUST | MAY).items() if what}
        assert [(room, what) for room, what in found if rooms.get(what, room) != room] == []
        for room, what in (MUST | MAY).items():
            if what and (folder / f"{room}.py").is_file():
                assert (room, what) in found

    def test_its_top_offers_one_object(self, folder: Path) -> None:
        """If there were functions, importing a file of the same name would hide them."""
        files = {file.stem for file in folder.glob("*.py")}
        assert files & set(defined(folder / "__init__.py")) == set()
