"""The server from the wheel: started once, shared, stopped by the last process, found again after a crash."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bot.domain.errors import Unreachable
from db.engine import Database, open_database
from db.server.embedded import embedded, serving
from tests.integration.db.remembered_words import remember, remembered
from tests.waiting import until

_HOLDS = """
import sys, time
from pathlib import Path
from db.migrate import upgrade
from db.server.embedded import serving

with serving(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


def _holder(home: Path) -> subprocess.Popen[str]:
    """Another process that holds the server until its stdin is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    return process


def _let_go(holder: subprocess.Popen[str]) -> None:
    holder.communicate(timeout=30)
    assert holder.returncode == 0


def _kill(holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.communicate(timeout=30)


def _postmaster(home: Path) -> int | None:
    """The running server's process; None if there is none."""
    try:
        number = int((home / "data" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(number, 0)
    except (FileNotFoundError, ProcessLookupError):
        return None
    return number


def test_it_stops_with_its_user_and_keeps_the_data(home: Path) -> None:
    with serving(home) as url:
        remember(url, "kept")
        assert _postmaster(home) is not None
    assert _postmaster(home) is None
    with serving(home) as url:
        assert remembered(url) == ["kept"]


async def test_it_does_the_same_for_an_event_loop(home: Path) -> None:
    async with embedded(home) as url:
        remember(url, "kept")
    assert _postmaster(home) is None


async def test_cancelled_while_starting_it_leaves_nothing_behind(home: Path) -> None:
    async def hold() -> None:
        async with embedded(home):
            await asyncio.sleep(60)

    holding = asyncio.create_task(hold())
    await asyncio.to_thread(_wait_until_made, home)
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert _postmaster(home) is None
    assert (home / "data" / "server.log").exists()  # it did start


def test_processes_share_it_and_the_last_stops_it(home: Path) -> None:
    first, second = _holder(home), _holder(home)
    running = _postmaster(home)
    _let_go(first)
    assert _postmaster(home) == running is not None
    with serving(home) as url:
        _let_go(second)
        remember(url, "still here")
    assert _postmaster(home) is None


def test_it_starts_once_however_many_come_at_once(home: Path) -> None:
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", _HOLDS, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    said = {holder.stdout.readline() for holder in starts if holder.stdout}
    assert len(said) == 1
    for holder in starts:
        _let_go(holder)
    assert _postmaster(home) is None


def test_the_killed_do_not_count(home: Path) -> None:
    killed, living = _holder(home), _holder(home)
    _kill(killed)
    assert _postmaster(home) is not None
    _let_go(living)
    assert _postmaster(home) is None


def test_a_server_left_behind_is_found_and_stopped_in_the_end(home: Path) -> None:
    holder = _holder(home)
    _kill(holder)
    left = _postmaster(home)
    assert left is not None
    with serving(home) as url:
        assert _postmaster(home) == left
        remember(url, "found")
    assert _postmaster(home) is None


def test_it_recovers_when_everything_was_killed(home: Path) -> None:
    with serving(home) as url:
        remember(url, "committed")
        postmaster = _postmaster(home)
        assert postmaster is not None
        os.kill(postmaster, signal.SIGKILL)
        _wait_until_gone(postmaster)
    assert (home / "data" / "postmaster.pid").exists()
    with serving(home) as url:
        assert remembered(url) == ["committed"]


def _wait_until_made(home: Path) -> None:
    deadline = time.monotonic() + 30
    while not (home / "data").exists() and time.monotonic() < deadline:
        time.sleep(0.01)


def _wait_until_gone(number: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    raise TimeoutError(number)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else, who needs a way to it")
def test_it_stops_though_the_way_to_it_was_closed_meanwhile(home: Path) -> None:
    with serving(home):
        home.parent.chmod(0o700)
    assert _postmaster(home) is None


async def test_told_to_leave_again_and_again_while_every_thread_is_busy_it_leaves_no_server(home: Path) -> None:
    free = threading.Event()

    async def holds() -> None:
        async with embedded(home):
            assert _postmaster(home) is not None
            loop = asyncio.get_running_loop()
            busy = [loop.run_in_executor(None, free.wait) for _ in range(64)]
            holding.set()
            try:
                await asyncio.gather(*busy)
            except asyncio.CancelledError:
                await asyncio.sleep(0)
                raise

    holding = asyncio.Event()
    holder = asyncio.create_task(holds())
    await holding.wait()
    holder.cancel()
    await until(lambda: any(task.get_name() == "leave postgres" for task in asyncio.all_tasks()))
    for _ in range(2):  # while no thread is free to stop the server
        holder.cancel()
        await asyncio.sleep(0)
    free.set()
    with pytest.raises(asyncio.CancelledError):
        await holder
    assert _postmaster(home) is None


_WATCHES = """
import asyncio, sys, time
from pathlib import Path
from db.server import embedded as module
from db.server.embedded import embedded

look = module._Server.listens

def told(server):
    began, there = time.monotonic(), look(server)
    print(began if there else "gone", flush=True)
    return there

module._Server.listens = told

async def main():
    async with embedded(Path(sys.argv[1])):
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


def _watcher(home: Path) -> subprocess.Popen[str]:
    """Another process that holds the server and watches it."""
    return subprocess.Popen(
        [sys.executable, "-c", _WATCHES, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


async def _finds_it_after(other: subprocess.Popen[str], moment: float) -> None:
    """Wait until the watcher has looked after that moment and found the server."""
    assert other.stdout is not None
    async with asyncio.timeout(30):
        while line := (await asyncio.to_thread(other.stdout.readline)).strip():
            if line != "gone" and float(line) > moment:
                return
    raise AssertionError("it ended")


async def _answers_again(database: Database, home: Path, killed: int) -> None:
    """Wait for an answer from another server: the killed one may still finish what it had begun."""
    async with asyncio.timeout(60):
        while True:
            try:
                await database.ping()
                if await asyncio.to_thread(_postmaster, home) not in (None, killed):
                    return
            except Unreachable:
                pass  # it is starting
            await asyncio.sleep(0.1)


async def test_killed_it_comes_back_and_the_pool_works_again(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with embedded(home) as url, open_database(url) as database:
        await asyncio.to_thread(remember, url, "kept")
        for _ in range(2):
            killed = _postmaster(home)
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            await _answers_again(database, home, killed)
        assert await asyncio.to_thread(remembered, url) == ["kept"]
    assert _postmaster(home) is None, "who leaves last stops the one that was started again, too"
    assert "database server gone, restarting" in caplog.text


async def test_of_several_who_watch_one_starts_it_again(home: Path) -> None:
    others = [_watcher(home) for _ in range(2)]
    async with embedded(home) as url, open_database(url) as database:
        for other in others:
            await _finds_it_after(other, 0.0)
        killed = _postmaster(home)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await _answers_again(database, home, killed)
        revived = _postmaster(home)
        back = time.monotonic()
        await asyncio.gather(*(_finds_it_after(other, back) for other in others))
        assert _postmaster(home) == revived != killed
        said = (home / "data" / "server.log").read_text()
        assert said.count("database system is ready to accept connections") == 2
        await asyncio.gather(*(asyncio.to_thread(_let_go, other) for other in others))
        await database.ping()
    assert _postmaster(home) is None
