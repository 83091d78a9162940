"""Starting, sharing, watching and stopping, with a stand-in for vLLM that starts at once."""

import asyncio
import contextlib
import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from bot.domain.errors import Refused, Unreachable
from inference import server
from inference.http import Health, health
from inference.server import EmbeddedServer
from inference.server_command import ServerSettings

STAND_IN = Path(__file__).parent / "stand_in.py"


class Told:
    """Progress as a person sees it."""

    def __init__(self) -> None:
        self.lines: list[tuple[float, str]] = []

    def __call__(self, share: float, doing: str) -> None:
        self.lines.append((share, doing))


@pytest.fixture
def moods(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Puts the stand-in in the place of vLLM; the contents of the list decide how the next one behaves."""
    moods = ["well"]

    def stand_in(settings: ServerSettings, socket: Path, cpu: bool) -> list[str]:
        return [sys.executable, str(STAND_IN), str(socket), settings.served, str(settings.base), moods[0]]

    monkeypatch.setattr(server, "command_line", stand_in)
    monkeypatch.setattr(server, "built_for_cpu", lambda: True)
    return moods


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    return ServerSettings(tmp_path / "base", "starter", tmp_path / "var")


def processes(socket: Path | None) -> list[int]:
    """Everything that runs for the server at this socket."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            state = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            if state != "Z" and (f"stand_in.py {socket} " in words or f"child of {socket}" in words):
                found.append(int(folder.name))
    return found


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(0.05)


async def test_server_answers_between_entering_and_leaving_and_leaves_nothing_behind(
    moods: list[str], settings: ServerSettings
) -> None:
    told = Told()
    async with EmbeddedServer(settings, told) as one:
        assert await health(one.line) is Health.ALIVE
        at = one.socket
        assert len(processes(at)) == 2, "the lifeline and the server"
    assert processes(at) == []
    assert told.lines[-1] == (1.0, "the model server is ready")
    assert any("starting" in doing for _, doing in told.lines)


async def test_the_server_is_its_users_alone_and_no_port_is_taken(moods: list[str], settings: ServerSettings) -> None:
    async with EmbeddedServer(settings, Told()) as one:
        assert one.socket is not None
        assert stat.S_ISSOCK(one.socket.stat().st_mode)
        assert one.socket.parent.stat().st_mode & 0o077 == 0
    assert list(one.socket.parent.iterdir()) == []


async def test_a_foreign_folder(moods: list[str], settings: ServerSettings, tmp_path: Path) -> None:
    """A socket folder that another user made is not used. A short name, because a long path moves the sockets."""
    settings.directory.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (settings.directory / "sockets").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match="belongs to somebody else"):
        async with EmbeddedServer(settings, Told()):
            pass


async def test_a_directory_whose_path_is_too_long_for_a_socket_has_one_all_the_same(
    moods: list[str], tmp_path: Path
) -> None:
    settings = ServerSettings(tmp_path / "base", "starter", tmp_path / ("long" * 30))
    async with EmbeddedServer(settings, Told()) as one, EmbeddedServer(settings, Told()) as other:
        assert one.socket == other.socket
        assert one.socket is not None
        assert one.socket.parent.stat().st_mode & 0o077 == 0
    one.socket.parent.rmdir()


async def test_deaf_server_and_its_children_go_all_the_same(moods: list[str], settings: ServerSettings) -> None:
    moods[0] = "deaf"
    async with EmbeddedServer(settings, Told()) as one:
        at = one.socket
        assert len(processes(at)) == 3
    assert processes(at) == []


async def test_two_processes_share_one_server(moods: list[str], settings: ServerSettings) -> None:
    async with EmbeddedServer(settings, Told()) as one, EmbeddedServer(settings, Told()) as other:
        assert one.socket == other.socket
        assert len(processes(one.socket)) == 2


async def test_one_that_is_at_work_is_waited_for_instead_of_started_again(
    moods: list[str], settings: ServerSettings
) -> None:
    moods[0] = "slow"
    told = Told()
    async with EmbeddedServer(settings, Told()) as one:
        assert await _joined(settings, told) == one.socket
        assert len(processes(one.socket)) == 2
    assert told.lines == [(1.0, "the model server is ready")]


async def _joined(settings: ServerSettings, told: Told) -> Path | None:
    async with EmbeddedServer(settings, told) as other:
        return other.socket


async def test_a_server_of_another_model_leaves_the_first_to_those_who_want_it(
    moods: list[str], settings: ServerSettings, tmp_path: Path
) -> None:
    another = ServerSettings(tmp_path / "another", "another", settings.directory)
    async with EmbeddedServer(settings, Told()) as one:
        async with EmbeddedServer(another, Told()) as two:
            assert two.socket != one.socket
        assert await _joined(settings, Told()) == one.socket


async def test_a_base_reached_over_a_link_is_the_same(moods: list[str], settings: ServerSettings) -> None:
    settings.base.mkdir()
    link = settings.base.with_name("link to it")
    link.symlink_to(settings.base)
    async with EmbeddedServer(settings, Told()) as one:
        assert await _joined(ServerSettings(link, settings.served, settings.directory), Told()) == one.socket


async def test_two_that_start_at_once_start_one(moods: list[str], settings: ServerSettings) -> None:
    one, other = Told(), Told()
    first, second = EmbeddedServer(settings, one), EmbeddedServer(settings, other)
    await asyncio.gather(first.__aenter__(), second.__aenter__())
    assert first.socket == second.socket
    assert any("another process" in doing for _, doing in one.lines + other.lines)
    await first.__aexit__(None, None, None)
    await second.__aexit__(None, None, None)


async def test_server_that_dies_is_replaced_at_the_same_address(moods: list[str], settings: ServerSettings) -> None:
    restarted = asyncio.Event()

    async def on_restart() -> None:
        restarted.set()

    async with EmbeddedServer(settings, Told()) as one:
        before, watching = one.socket, asyncio.create_task(one.watch(on_restart))
        for pid in processes(before):
            os.kill(pid, signal.SIGKILL)
        await asyncio.wait_for(restarted.wait(), 20)
        assert await health(one.line) is Health.ALIVE
        assert one.socket == before
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    await until(lambda: not processes(before))


async def test_user_of_anothers_server_starts_one_when_that_goes(moods: list[str], settings: ServerSettings) -> None:
    restarted = asyncio.Event()

    async def on_restart() -> None:
        restarted.set()

    first = EmbeddedServer(settings, Told())
    await first.__aenter__()
    async with EmbeddedServer(settings, Told()) as second:
        watching = asyncio.create_task(second.watch(on_restart))
        await first.__aexit__(None, None, None)
        await asyncio.wait_for(restarted.wait(), 20)
        assert await health(second.line) is Health.ALIVE
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        at = second.socket
    await until(lambda: not processes(at))


async def test_server_that_does_not_come_back_is_tried_again(
    moods: list[str], settings: ServerSettings, caplog: pytest.LogCaptureFixture
) -> None:
    restarted = asyncio.Event()

    async def on_restart() -> None:
        restarted.set()

    async with EmbeddedServer(settings, Told()) as one:
        moods[0] = "broken"
        watching = asyncio.create_task(one.watch(on_restart))
        for pid in processes(one.socket):
            os.kill(pid, signal.SIGKILL)
        await until(lambda: "not restarted" in caplog.text)
        moods[0] = "well"
        await asyncio.wait_for(restarted.wait(), 20)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_failed_start_is_one_sentence_with_the_reason_and_the_log(
    moods: list[str], settings: ServerSettings
) -> None:
    moods[0] = "broken"
    with pytest.raises(Unreachable) as failed:
        async with EmbeddedServer(settings, Told()):
            pass
    said = str(failed.value)
    assert said == (
        f"the model server did not start: ValueError: there is not enough memory; see {settings.directory / 'vllm.log'}"
    )


async def test_directory_that_cannot_be_written_is_one_sentence(moods: list[str], tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file, not a folder", encoding="utf-8")
    with pytest.raises(Refused, match="could not be started"):
        async with EmbeddedServer(ServerSettings(tmp_path, "starter", tmp_path / "var"), Told()):
            pass


ALIVE = "OWNER"
RECORDS = [
    "",
    "{",
    "[]",
    "{}",
    *(json.dumps({"socket": u, "owner": ALIVE}) for u in ("/nowhere/vllm.sock", "x", 5, "a\0b")),
]


@pytest.mark.parametrize("record", RECORDS)
async def test_stale_address_is_ignored(moods: list[str], settings: ServerSettings, record: str) -> None:
    settings.directory.mkdir()
    (settings.directory / "server.json").write_text(record.replace(f'"{ALIVE}"', str(os.getpid())), encoding="utf-8")
    async with EmbeddedServer(settings, Told()) as one:
        assert await health(one.line) is Health.ALIVE


async def test_address_of_a_stranger_is_ignored_and_the_stranger_left_alone(
    moods: list[str], settings: ServerSettings, tmp_path: Path
) -> None:
    foreign = ServerSettings(tmp_path / "another-base", "starter", tmp_path / "elsewhere")
    async with EmbeddedServer(foreign, Told()) as stranger:
        settings.directory.mkdir()
        record = json.dumps({"socket": str(stranger.socket), "owner": os.getpid()})
        (settings.directory / "server.json").write_text(record, encoding="utf-8")
        async with EmbeddedServer(settings, Told()) as one:
            assert one.socket != stranger.socket
        assert await health(stranger.line) is Health.ALIVE


async def test_server_whose_owner_was_killed_is_not_joined_on_its_last_breath(
    moods: list[str], settings: ServerSettings
) -> None:
    gone = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await gone.wait()
    async with EmbeddedServer(settings, Told()) as dying:
        record = json.dumps({"socket": str(dying.socket), "owner": gone.pid})
        (settings.directory / "server.json").write_text(record, encoding="utf-8")
        async with EmbeddedServer(settings, Told()) as one:
            assert one.socket != dying.socket


async def test_cancelled_start_leaves_nothing_behind(
    moods: list[str], settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(line: httpx.AsyncClient) -> Health:
        return Health.SILENT

    monkeypatch.setattr(server, "health", silent)
    told = Told()
    starting = asyncio.create_task(EmbeddedServer(settings, told).__aenter__())
    await until(lambda: bool(told.lines))
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    assert starting.cancelled()
    assert not _servers(settings.base)


async def test_server_goes_with_a_process_that_was_killed_without_warning(tmp_path: Path) -> None:
    """The owner gets SIGKILL, so none of our code runs in it: the lifeline alone must end the server."""
    owner = f"""
import subprocess, sys
from inference import child_guard
command = [sys.executable, {str(STAND_IN)!r}, {str(tmp_path / "s")!r}, "starter", {str(tmp_path)!r}, "deaf"]
subprocess.Popen([sys.executable, "-I", child_guard.__file__, *command], stdin=subprocess.PIPE, start_new_session=True)
print("started", flush=True)
input()
"""
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(sys.executable, "-c", owner, stdin=pipe, stdout=pipe)
    assert running.stdout is not None
    assert await running.stdout.readline() == b"started\n"
    await until(lambda: len(_servers(tmp_path)) == 2)
    running.kill()
    await running.wait()
    await until(lambda: not _servers(tmp_path))


def _mentions(process: Path, words: str) -> bool:
    with contextlib.suppress(OSError):
        return words.encode() in (process / "cmdline").read_bytes()
    return False


def _servers(folder: Path) -> list[Path]:
    """What runs for this folder: the lifeline and the stand-in."""
    return [p for p in Path("/proc").glob("[0-9]*") if _mentions(p, f"\0starter\0{folder}\0")]
