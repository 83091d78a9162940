"""Where adapters lie: the database holds no absolute path, so that it can be restored, and folders moved, anywhere."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

STARTER = "starter:"
"""Before what comes with the program."""


@dataclass(frozen=True, slots=True)
class AdapterPaths:
    """The folders that adapters lie under."""

    runs: Path
    """`model.runs`."""
    starter: Path | None = None
    """Where the starter's own adapter is; None where there is none."""

    def stored(self, path: Path) -> str:
        """As the database holds it: below the folder of runs; absolute only where it lies elsewhere."""
        whole = path.resolve()
        if self.starter is not None and whole.is_relative_to(self.starter.resolve()):
            return STARTER + whole.relative_to(self.starter.resolve()).as_posix()
        if whole.is_relative_to(self.runs.resolve()):
            return whole.relative_to(self.runs.resolve()).as_posix()
        return str(whole)

    def found(self, stored: str) -> Path:
        """The folder meant. An absolute path that leads nowhere any more is looked for below the folder of runs."""
        if self.starter is not None and stored.startswith(STARTER):
            return self.starter / stored.removeprefix(STARTER)
        path = Path(stored)
        moved = self.runs.joinpath(*PurePosixPath(stored).parts[-2:])
        if path.is_absolute() and not path.exists() and moved.exists():
            return moved
        return self.runs / path  # where an absolute path stays what it is
