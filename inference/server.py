"""An embedded vLLM server: started, shared between processes, watched and stopped.

Processes of one installation (a command beside `run`) share one server: the first process starts it and records its
address, and the others use it. When it ends, the next process that needs one starts another. It listens at a socket in
a folder only its user may enter: nobody else on the machine can take its place, ask it anything or have it load an
adapter.
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
from inference.http import MALFORMED, UNIX, Health, health, open_line, open_local_line
from inference.private_socket import SocketTransport, fresh_socket
from inference.server_command import ServerSettings, built_for_cpu, command_line, environment

_USUAL_START, _LONGEST_START = 45.0, 900.0
"""Seconds. The first is the time of two cores without a GPU, and only for the progress shown."""
_LONGEST_STOP = 15.0
_SILENCE = 60.0
"""Seconds without an answer to /health after which a server counts as hung."""
_TICK = 0.5
_LONGEST_PAUSE = 60.0
_STEADY = 300.0
"""A server that ran for so many seconds before it ended is restarted at once."""

log = logging.getLogger(__name__)


class EmbeddedServer:
    """One vLLM server on this machine, ready while the context is entered; `line` leads to it, across restarts, too."""

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
        """Use the server that runs, or start one. Raises Refused or Unreachable: one sentence, with where the log
        is."""
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
        """Stop the server if it is ours, with all its processes."""
        await self._stop()
        await self.line.aclose()

    @property
    def joined(self) -> bool:
        """Whether the server belongs to another process."""
        return self._process is None

    @property
    def socket(self) -> Path | None:
        """Where the server listens; None before there is one."""
        return self._way.socket

    async def watch(self, on_restart: Callable[[], Awaitable[None]]) -> None:
        """Until cancelled: when the server ends or hangs, connect to another, waiting longer each time it does not
        last."""
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
        """The socket of the recorded server; None if its owner is gone, for then it will soon end."""
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
            with contextlib.suppress(PermissionError):  # another user's, and alive
                os.kill(int(record["owner"]), 0)
            return Path(record["socket"])
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return None

    async def _serves(self, socket: Path) -> bool | None:
        """Whether our model answers there; None: no server does. The address may be stale, and by now another
        program's.

        A silent server is busy or still starting: it is waited for, because a second one would only make both slower.
        """
        async with open_line(f"{UNIX}{socket}", patience=_SILENCE) as line:
            cards = await _cards(line)
        served = [_same_folder(root, self._settings.base) for name, root in cards if name == self._settings.served]
        return any(served) if cards else None

    async def _start(self, socket: Path) -> Path:
        """Start our server at this socket, where it is also restarted."""
        self._socket = socket
        await asyncio.to_thread(socket.unlink, missing_ok=True)  # a killed server leaves its socket behind
        try:
            process = self._process = await self._spawn(socket)
            await self._until_ready(socket, process)
        except BaseException:
            await self._stop()
            raise
        return socket

    def _keep(self, socket: Path) -> None:
        """Record our server for others to use. A running server with another model stays the recorded one."""
        self._record.write_text(json.dumps({"socket": str(socket), "owner": os.getpid()}), encoding="utf-8")
        self._kept = True

    async def _spawn(self, socket: Path) -> Process:
        cpu = built_for_cpu()
        with contextlib.suppress(FileNotFoundError):
            self._log.replace(self._log.with_suffix(".log.1"))
        with self._log.open("ab") as output:  # appending, so that the file may be truncated while the server writes
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", child_guard.__file__, *command_line(self._settings, socket, cpu)),
                stdin=PIPE,
                stdout=output,
                stderr=STDOUT,
                start_new_session=True,  # Ctrl-C is for us; we stop the server when we no longer need it
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
        """Close our server's lifeline, which then ends all its processes; does nothing if the server is not ours."""
        process, self._process = self._process, None
        if process is None:
            return
        if self._kept:
            self._record.unlink(missing_ok=True)  # before it stops answering, so that no process joins it now
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
    """(name, folder) of what is served; empty if no model server answers."""
    try:
        cards = (await line.get("/v1/models")).json()["data"]
        return [(str(card["id"]), str(card["root"])) for card in cards]
    except (httpx.HTTPError, httpx.InvalidURL, *MALFORMED):
        return []


def _same_folder(one: str, other: Path) -> bool:
    """Whether both paths lead to the same folder, also through links and mounts."""
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
    """Progress of restarts is shown to nobody; the log has it."""
