"""An embedded vLLM server: started, shared between processes, watched and stopped.

Processes of one installation (a command beside `run`) share one server: whoever comes first starts it and writes its
address down, the others use it. When it goes, whoever still wants one starts the next. It listens at a socket in a
folder of its user's alone: nobody else on the machine can take its place, ask it anything or have it load an adapter.
"""

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from bot.domain.errors import Refused, SwitchboardError, Unreachable
from bot.domain.learning import Progress
from inference import child_guard
from inference.child_environment import needed
from inference.file_lock import locked
from inference.http import UNIX, Health, health, open_line, open_local_line
from inference.private_socket import SocketTransport, fresh_socket
from inference.server_command import ServerSettings, built_for_cpu, command_line, environment

_USUAL_START, _LONGEST_START = 45.0, 900.0
"""Seconds. The first, what two cores without a GPU take, is only for the progress shown."""
_LONGEST_STOP = 15.0
_SILENCE = 60.0
"""Seconds without an answer to /health after which a server counts as hung."""
_TICK = 0.5
_LONGEST_PAUSE = 60.0
_STEADY = 300.0
"""Seconds after which a server that falls over is restarted at once again."""

log = logging.getLogger(__name__)


class EmbeddedServer:
    """One vLLM server on this machine, ready from entering to leaving; `line` leads to it, restarts included."""

    def __init__(self, settings: ServerSettings, progress: Progress) -> None:
        self._settings = settings
        self._progress = progress
        self._process: Process | None = None
        self._kept = False
        self._since = 0.0
        self._socket: Path | None = None
        self._record = settings.directory / "server.json"
        self._log = settings.directory / "vllm.log"
        self._way = SocketTransport()
        self.line = open_local_line(self._way)  # leads nowhere before there is a server

    async def __aenter__(self) -> Self:
        """Use the server that runs, or start one. Raises Refused or Unreachable: one sentence, and where the log is."""
        try:
            await self._connect()
        except OSError as error:
            await self.line.aclose()
            raise Refused(f"the model server could not be started: {error}") from error
        except BaseException:
            await self.line.aclose()
            raise
        self._progress = _unseen
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server if it is ours; no process of it is left."""
        await self._stop()
        await self.line.aclose()

    @property
    def joined(self) -> bool:
        """Whether the server is another process's, which runs here."""
        return self._process is None

    @property
    def socket(self) -> Path | None:
        """Where the server listens; None before there is one."""
        return self._way.socket

    async def watch(self, on_restart: Callable[[], Awaitable[None]]) -> None:
        """Until cancelled: when the server goes or hangs, have another, waiting longer each time it does not last."""
        pause = 0.0
        while True:
            await self._until_gone()
            pause = 0.0 if time.monotonic() - self._since > _STEADY else pause
            log.warning("model server gone", extra={"pause": pause})
            await self._stop()
            await asyncio.sleep(pause)
            pause = min(max(1.0, 2 * pause), _LONGEST_PAUSE)
            try:
                await self._connect()
                await on_restart()
            except (SwitchboardError, OSError):
                log.exception("model server not restarted")

    async def _connect(self) -> None:
        """Point the line to a server that answers: another process's, or a new one of ours."""
        self._settings.directory.mkdir(parents=True, exist_ok=True)
        lock = self._settings.directory / "server.lock"
        async with locked(lock, lambda: self._progress(0.0, "another process is starting the model server")):
            socket = self._shared()
            ours = None if socket is None else await self._serves(socket)
            if socket is None or not ours:
                socket = await self._start(self._socket or fresh_socket(self._settings.directory))
                if ours is None:
                    self._keep(socket)
            await self._way.lead_to(socket)
        self._since = time.monotonic()
        self._progress(1.0, "the model server is ready")

    def _shared(self) -> Path | None:
        """The socket of the server that is kept here; None when its keeper is gone: it will not answer for long."""
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
            with contextlib.suppress(PermissionError):  # somebody else's, and alive
                os.kill(int(record["owner"]), 0)
            return Path(record["socket"])
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return None

    async def _serves(self, socket: Path) -> bool | None:
        """Whether our model answers there; None: nobody does. The address may be stale, and by now somebody else's.

        One that is silent is at work, or still waking up: it is waited for, because another beside it would only make
        both slower.
        """
        async with open_line(f"{UNIX}{socket}", patience=_SILENCE) as line:
            cards = await _cards(line)
        served = [_same_folder(root, self._settings.base) for name, root in cards if name == self._settings.served]
        return any(served) if cards else None

    async def _start(self, socket: Path) -> Path:
        """A server of ours there, now and whenever it has to be started again."""
        self._socket = socket
        await asyncio.to_thread(socket.unlink, missing_ok=True)  # a server that was killed has left it behind
        try:
            process = self._process = await self._spawn(socket)
            await self._until_ready(socket, process)
        except BaseException:
            await self._stop()
            raise
        return socket

    def _keep(self, socket: Path) -> None:
        """Let others use our server. Where one of another model runs already, that stays the one they find."""
        self._record.write_text(json.dumps({"socket": str(socket), "owner": os.getpid()}), encoding="utf-8")
        self._kept = True

    async def _spawn(self, socket: Path) -> Process:
        cpu = built_for_cpu()
        with contextlib.suppress(FileNotFoundError):
            self._log.replace(self._log.with_suffix(".log.1"))
        with self._log.open("ab") as output:  # appending, so that it may be begun anew while the server writes
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", child_guard.__file__, *command_line(self._settings, socket, cpu)),
                stdin=PIPE,
                stdout=output,
                stderr=STDOUT,
                start_new_session=True,  # Ctrl-C is for us; we end the server when we are done with it
                env={**needed(os.environ), **environment(cpu)},
            )

    async def _until_ready(self, socket: Path, process: Process) -> None:
        began = time.monotonic()
        self._progress(0.0, "starting the model server")
        async with open_line(f"{UNIX}{socket}") as line:
            while await health(line) is not Health.ALIVE:
                seconds = time.monotonic() - began
                if process.returncode is not None or seconds > _LONGEST_START:
                    raise Unreachable(f"the model server did not start: {_last_words(self._log)}; see {self._log}")
                self._progress(min(seconds / _USUAL_START, 0.95), f"starting the model server ({seconds:.0f} s)")
                await asyncio.sleep(_TICK)

    async def _until_gone(self) -> None:
        heard = time.monotonic()
        while time.monotonic() - heard < _SILENCE:
            match await health(self.line):
                case Health.GONE:
                    return
                case Health.ALIVE:
                    heard = time.monotonic()
            await asyncio.sleep(_TICK)

    async def _stop(self) -> None:
        """Let go of our server's lifeline, which then ends every process of it; nothing when it is not ours."""
        process, self._process = self._process, None
        if process is None:
            return
        if self._kept:
            self._record.unlink(missing_ok=True)  # before it stops answering, so that nobody joins it now
            self._kept = False
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _LONGEST_STOP)
        except TimeoutError:
            log.error("model server's lifeline had to be killed", extra={"pid": process.pid})
            process.kill()
            await process.wait()
        if self._socket is not None:
            await asyncio.to_thread(self._socket.unlink, missing_ok=True)


async def _cards(line: httpx.AsyncClient) -> list[tuple[str, str]]:
    """(name, folder) of what is served; nothing where no model server answers."""
    try:
        cards = (await line.get("/v1/models")).json()["data"]
        return [(str(card["id"]), str(card["root"])) for card in cards]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        return []


def _same_folder(one: str, other: Path) -> bool:
    """Whether both lead to one folder, over links and mounts, too."""
    try:
        return one == str(other) or other.samefile(one)
    except OSError:
        return False


def _last_words(file: Path) -> str:
    """The last line of the log that names an error."""
    with contextlib.suppress(OSError):
        lines = file.read_text(encoding="utf-8", errors="replace")[-20_000:].splitlines()
        for line in reversed(lines):
            if "Error" in line and "Traceback" not in line:
                return line.strip()[-300:]
    return "it said nothing"


def _unseen(_share: float, _doing: str) -> None:
    """Restarts have nobody to watch them; the log has."""
