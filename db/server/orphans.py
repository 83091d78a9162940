"""What is left of a PostgreSQL server that was killed: its other processes, and locks; removed before the next start.

A server whose first process was killed does not end at once: each of its other processes ends when it has finished its
statement, and until the last has ended no new server may use the folder. Ending them is as safe as the death of the
first: none of them can have a transaction acknowledged that is not in the log, and the next server recovers from it.
"""

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

PID_FILE = "postmaster.pid"
_PROCESSES = Path("/proc")
_GONE_SECONDS = 5.0
_PAUSE = 0.01


def postmaster(data: Path) -> int | None:
    """The number of the server's first process as its folder names it, be it alive or not; None: it names none."""
    return _named_in(data / PID_FILE)


def _named_in(lock: Path) -> int | None:
    try:
        return int(lock.read_text().partition("\n")[0])
    except (OSError, ValueError):
        return None


def remove_stale_lock(lock: Path, data: Path, program: Path) -> None:
    """Remove a lock file of the folder's server whose number another process has by now, or a dead one still has.

    PostgreSQL would take either for its server. A number that no process has it sees through by itself.
    """
    number = _named_in(lock)
    if number is not None and (_PROCESSES / str(number)).exists() and not _runs(number, data, program):
        lock.unlink(missing_ok=True)


async def death_of(number: int | None, within: float) -> None:
    """Return as soon as the process ends, and after `within` seconds at the latest, even if it lives or is unknown."""
    over = asyncio.Event()
    try:
        watched = os.pidfd_open(number or 0)
    except (OSError, AttributeError):  # it has ended already, or this system has no such thing
        await asyncio.sleep(within)
        return
    loop = asyncio.get_running_loop()
    loop.add_reader(watched, over.set)
    try:
        async with asyncio.timeout(within):
            await over.wait()
    except TimeoutError:
        return
    finally:
        loop.remove_reader(watched)
        os.close(watched)


def end_orphans(data: Path, program: Path) -> int:
    """End the processes of this program in the folder, unless the first of them lives; return how many there were.

    Blocks until they have ended, for at most five seconds. Where processes cannot be looked at, it does nothing. The
    caller makes sure that nobody starts a server meanwhile.
    """
    found = _inside(data, program)
    if postmaster(data) in found:
        return 0
    for number in found:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(number, signal.SIGKILL)
    deadline = time.monotonic() + _GONE_SECONDS
    while _inside(data, program) and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    return len(found)


def _inside(data: Path, program: Path) -> set[int]:
    """The living processes that run the program in the folder."""
    if not _PROCESSES.is_dir():
        return set()
    numbers = [int(one.name) for one in _PROCESSES.iterdir() if one.name.isdecimal()]
    return {number for number in numbers if _runs(number, data, program)}


def _runs(number: int, data: Path, program: Path) -> bool:
    process = _PROCESSES / str(number)
    try:
        return data.samefile(process / "cwd") and program.samefile(process / "exe")
    except OSError:
        return False  # it has ended, or belongs to another user
