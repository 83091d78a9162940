"""Prints the tree that the README shows: every file of the product with the first sentence it says of itself."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHOWN = ("bot", "inference", "db", "migrations")
OTHERS = {
    "benchmarks/": "what we claim, as commands anyone can run",
    "docs/": "the handbook: running, slack, telegram, leads, people, architecture, new-platform, reports, figures …",
    "deploy/": "how the environment is made",
    "tests/": "unit, integration (real PostgreSQL, real vLLM, real clients), acceptance (real processes)",
}


def tree() -> str:
    """The tree as text, folders first named by what their `__init__` says."""
    lines = [line for name in SHOWN for line in _folder(ROOT / name, 0)]
    return "\n".join([*lines, *(f"{name:<26}{clause}" for name, clause in OTHERS.items())])


def _folder(folder: Path, depth: int) -> Iterator[str]:
    own = folder / "__init__.py"
    yield _line(f"{folder.name}/", _says(own) if own.is_file() else "", depth)
    for path in sorted(folder.iterdir(), key=lambda p: (p.is_dir(), p.name)):
        if path.is_dir() and any(path.glob("*.py")) and path.name != "versions":
            yield from _folder(path, depth + 1)
        elif path.suffix == ".py" and path != own:
            yield _line(path.name, _says(path), depth + 1)


def _line(name: str, clause: str, depth: int) -> str:
    return f"{'  ' * depth + name:<26}{clause}".rstrip()


def _says(file: Path) -> str:
    """The first sentence of the module, without its full stop."""
    said = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return " ".join(said.split("\n\n")[0].split()).split(". ")[0].rstrip(".")


if __name__ == "__main__":
    sys.stdout.write(f"{tree()}\n")
