"""A fresh workspace for a set: its own settings, database and model server, used through the product's own commands."""

import asyncio
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench.trial import OUT_OF_SCOPE, Row, Trial
from bot.console import share_of
from bot.demo import company
from bot.domain.errors import SwitchboardError
from db.server.embedded import embedded
from inference.base_models import base_folder
from inference.server import EmbeddedServer
from inference.server_command import ServerSettings

ROOT = Path(__file__).parents[2]
_OURS = frozenset({"SWITCHBOARD_CONFIG", "DATABASE_URL"})
"""Variables that would lead a command to the user's real settings or database."""
_SPOKEN = {"pt": "pt-BR", "es": "es"}
_LAST_LINES = 3


class CommandFailed(SwitchboardError):
    """A command of the product ended with an unexpected exit code."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended: seconds taken, exit code and standard output."""

    seconds: float
    code: int
    out: str

    def json(self) -> dict[str, object]:
        """The last line of its output. Raises ValueError if that is no JSON object."""
        found = json.loads(self.out.strip().rpartition("\n")[2])
        if not isinstance(found, dict):
            raise ValueError("no JSON object")  # noqa: TRY004  what the caller can do about it is the same
        return found


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder in which commands run; their messages for people go into the log."""

    home: Path
    settings: Path
    log: Path

    async def run(self, *arguments: str, may_say_no: bool = False) -> Ran:
        """Run one command to its end. Raises CommandFailed for an exit code other than 0 (or 1, if `may_say_no`)."""
        began = time.perf_counter()
        with self.log.open("ab") as told, share_of(f"switchboard {arguments[0]}") as _:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot.cli", *arguments, "--config", str(self.settings)),
                cwd=self.home,
                env=_environment(),
                stdout=asyncio.subprocess.PIPE,
                stderr=told,
            )
            try:
                out, _ = await process.communicate()
            finally:
                await _end(process)
        ran = Ran(time.perf_counter() - began, process.returncode or 0, out.decode("utf-8", "replace"))
        if ran.code != 0 and not (may_say_no and ran.code == 1):
            raise CommandFailed(f"switchboard {arguments[0]} ended with {ran.code}: {self._last_words()}")
        return ran

    def file(self, name: str, **splits: Sequence[Row]) -> str:
        """Write examples to a file here, its rows under the names of their splits; return its name."""
        rows = [{"text": r.text, "label": r.label, "split": split} for split, some in splits.items() for r in some]
        (self.home / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
        return name

    def _last_words(self) -> str:
        lines = self.log.read_text("utf-8", "replace").strip().splitlines()[-_LAST_LINES:]
        return f"{' / '.join(line.strip() for line in lines)} (see {self.log})"


@asynccontextmanager
async def workspace(trial: Trial, log: Path) -> AsyncIterator[Workspace]:
    """The set's workspace, with its database and model server running inside the context; afterwards it is removed."""
    await asyncio.to_thread(log.unlink, missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="switchboard-bench-") as folder:
        home = Path(folder)
        settings = company.SETTINGS if trial.shipped else home / "switchboard.toml"
        if not trial.shipped:
            settings.write_text(written_settings(trial), "utf-8")
        directory = home / "var"  # where both kinds of settings store their data
        with share_of("starting the model server") as told:
            server = EmbeddedServer(ServerSettings(base_folder("starter"), "starter", directory), told)
            async with embedded(directory / "postgres"), server:
                yield Workspace(home, settings, log)


def written_settings(trial: Trial) -> str:
    """Settings as a user would write them who knows nothing of the labels but their names."""
    languages = ["en", *(_SPOKEN[part] for part in trial.parts if part in _SPOKEN)]
    lines = [
        f"[conversation]\nlanguages = {json.dumps(languages)}",
        "[platforms.web]",
        '[tasks.routing]\nquestion = "What is this message about?"',
        f"fallback = {json.dumps(trial.labels[-1])}",
    ]
    for place, name in enumerate(trial.labels):
        # A label's name may contain characters that a room's may not
        lines.append(
            f"[tasks.routing.labels.{json.dumps(name)}]\n"
            f"means = {json.dumps(meaning(name))}\n"
            f'deliver_to = {{ web = "room-{place}" }}'
        )
    return "\n".join(lines) + "\n"


def meaning(label: str) -> str:
    """A label's name as words: `calendar.FindDuration` is "calendar find duration"."""
    if label == OUT_OF_SCOPE:
        return "Anything else"
    words = re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label)).strip().lower()
    return words or label


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OURS}
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), kept.get("PYTHONPATH", ""))))}


async def _end(process: asyncio.subprocess.Process) -> None:
    """Let a command that we leave in the middle end by itself, because it has children of its own."""
    if process.returncode is None:
        process.terminate()
        await process.wait()
