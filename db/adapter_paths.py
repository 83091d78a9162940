"""Where adapter folders lie: the database stores no absolute path, so that it can be restored, and folders moved,
anywhere."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

STARTER = "starter:"
"""The prefix of stored paths of adapters that come with the program."""


@dataclass(frozen=True, slots=True)
class AdapterPaths:
    """The folders that adapters are stored under."""

    runs: Path
    """`model.runs`."""
    starter: Path | None = None
    """The folder of the starter's own adapter; None where there is none."""

    def stored(self, path: Path) -> str:
        """The path as the database stores it: relative to the folder of runs, absolute only where it lies elsewhere."""
        whole = path.resolve()
        if self.starter is not None and whole.is_relative_to(self.starter.resolve()):
            return STARTER + whole.relative_to(self.starter.resolve()).as_posix()
        if whole.is_relative_to(self.runs.resolve()):
            return whole.relative_to(self.runs.resolve()).as_posix()
        return str(whole)

    def found(self, stored: str) -> Path:
        """The folder of a stored path. An absolute path that no longer exists is looked for below the folder of
        runs."""
        if self.starter is not None and stored.startswith(STARTER):
            return self.starter / stored.removeprefix(STARTER)
        path = Path(stored)
        moved = self.runs.joinpath(*PurePosixPath(stored).parts[-2:])
        if path.is_absolute() and not path.exists() and moved.exists():
            return moved
        return self.runs / path  # joining leaves an absolute path as it is
