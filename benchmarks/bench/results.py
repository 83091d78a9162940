"""Measured results, one file for each arm, so that an interrupted run continues where it was."""

import hashlib
import json
import re
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.bench.trial import Trial
from benchmarks.bench.workspace import ROOT
from benchmarks.machine import machine
from bot.files import write_whole


@dataclass(frozen=True, slots=True)
class Key:
    """What a result depends on besides the machine."""

    commit: str
    seed: int
    data: str


@dataclass(frozen=True, slots=True)
class Results:
    """The folder of finished arms."""

    folder: Path
    commit: str
    seed: int
    any_commit: bool = False
    """Whether results of other commits count, too."""

    def finished(self, trial: Trial, arm: str) -> dict[str, object] | None:
        """The stored result; None: none yet, or one of another commit, seed or data."""
        try:
            found = json.loads(self._file(trial, arm).read_text("utf-8"))
            key = Key(**found["key"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        wanted = self._key(trial)
        if self.any_commit:
            wanted = Key(key.commit, wanted.seed, wanted.data)
        return found if key == wanted else None

    def keep(self, trial: Trial, arm: str, measured: dict[str, object]) -> dict[str, object]:
        """Store the result with what it depends on, completely or not at all."""
        whole = {"key": asdict(self._key(trial)), "set": trial.name, "arm": arm, "machine": machine(), **measured}
        self.folder.mkdir(parents=True, exist_ok=True)
        written = json.dumps(whole)
        write_whole(self._file(trial, arm), written + "\n")
        return dict(json.loads(written))  # as it will be when read back

    def log(self, trial: Trial) -> Path:
        """The file for the output of the product's commands."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"{_plain(trial.name)}.log"

    def _file(self, trial: Trial, arm: str) -> Path:
        return self.folder / f"{_plain(trial.name)}.{_plain(arm)}.json"

    def _key(self, trial: Trial) -> Key:
        return Key(self.commit, self.seed, trial.digest)


def commit() -> str:
    """The commit that is checked out, with a digest of uncommitted changes if there are any."""
    try:
        name = _git("rev-parse", "--short", "HEAD").strip()
        changed = _git("diff", "HEAD", "--", ".", ":!docs")
    except (OSError, subprocess.CalledProcessError):
        return "no commit"
    return f"{name}+{hashlib.sha256(changed.encode()).hexdigest()[:6]}" if changed else name


def _git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", ROOT, *arguments], check=True, capture_output=True, text=True).stdout


def _plain(name: str) -> str:
    return re.sub(r"[^\w-]+", "_", name)
