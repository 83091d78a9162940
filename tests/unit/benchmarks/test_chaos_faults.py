"""The fault campaign's faults and checks: each fault breaks its target and ends; each count is right."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from benchmarks.chaos.clock import SteppedClock
from benchmarks.chaos.copies import DIED, LOST, UNEXPLAINED, causes, warnings
from benchmarks.chaos.disks import PLACES, Disks
from benchmarks.chaos.platforms import ChaoticTelegram, Weather

ANN = 1_000_001


@pytest.mark.parametrize("what", PLACES)
def test_a_full_disk_takes_nothing_until_there_is_room_again(tmp_path: Path, what: str) -> None:
    disks, folder = Disks(tmp_path), tmp_path / PLACES[what][0]
    if not disks.mount():
        pytest.skip("this user may mount nothing: the campaign fills no disk here")
    try:
        (folder / "before").write_bytes(b"x")
        disks.fill(what)
        with pytest.raises(OSError, match="No space left"):
            (folder / "more").write_bytes(b"x" * 100_000)
        for other in set(PLACES) - {what}:
            (tmp_path / PLACES[other][0] / "elsewhere").write_bytes(b"x")
        disks.free(what)
        (folder / "more").write_bytes(b"x" * 100_000)
    finally:
        disks.unmount()
    assert not os.path.ismount(folder)


def test_a_disk_that_nobody_mounted_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not Disks(tmp_path).mount()
    assert list(tmp_path.iterdir()) == []


def test_a_clock_steps_forth_and_back_and_timers_know_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", time.time)  # the test leaves them as they were
    file, right, began = tmp_path / "clock", time.time(), time.monotonic()
    SteppedClock(file).install()
    told = []
    for ahead in ("36000", "-36000", "half a num"):
        file.write_text(ahead)
        told.append(round((time.time() - right) / 3600))
    assert told == [10, -10, 0]
    assert time.monotonic() - began < 3600


def test_a_clock_without_a_file_is_right(tmp_path: Path) -> None:
    assert SteppedClock(tmp_path / "none").ahead == 0
    assert abs(SteppedClock(tmp_path / "none").time() - time.time()) < 60


@asynccontextmanager
async def _telegram(weather: Weather) -> AsyncIterator[tuple[ChaoticTelegram, httpx.AsyncClient]]:
    async with ChaoticTelegram(weather) as telegram:
        address = f"{telegram.api_url}{telegram.token}/"
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as bot:
            await telegram.writes(ANN, "hello")
            yield telegram, bot


async def test_which_answers_telegram_owes_is_known() -> None:
    weather = Weather(random.Random(1), repeats=False)
    async with _telegram(weather) as (telegram, bot):
        await bot.post("sendMessage", json={"chat_id": ANN, "text": "heard"})
        weather.misdeed, weather.odds, weather.about = "hangs up after", 1.0, "telegram"
        with pytest.raises(httpx.TransportError):
            await bot.post("sendMessage", json={"chat_id": ANN, "text": "not heard"})
        weather.misdeed = "500"
        await bot.post("sendMessage", json={"chat_id": ANN, "text": "never said"})
        heard, lost = ((str(ANN), str(post.message_id)) for post in telegram.posts(ANN))
        assert (set(weather.said), weather.unanswered) == ({heard, lost}, {lost})


async def test_two_who_poll_at_the_same_time_are_seen_and_one_after_the_other_is_none() -> None:
    async with _telegram(Weather(random.Random(1), repeats=False)) as (telegram, bot):
        for offset in (0, 1):
            await bot.post("getUpdates", json={"timeout": 0, "offset": offset})
        assert telegram.pollers.together == 0
        asked = {"timeout": 20, "offset": 800_000_000}
        first = asyncio.create_task(bot.post("getUpdates", json=asked))
        await telegram.until(lambda: telegram.pollers.waiting == 1, 30)
        second = asyncio.create_task(bot.post("getUpdates", json=asked))
        assert (await first).status_code == 409
        assert telegram.pollers.together == 1
        second.cancel()


def test_a_copy_has_one_cause() -> None:
    lost, died, neither, unknown = ("1", "1"), ("1", "2"), ("1", "3"), ("1", "4")
    said = {lost: 5.0, died: 100.0, neither: 200.0}
    found = causes([lost, died, neither, unknown], {"1": 4}, {lost}, said, [101.0, 199.0, 300.0])
    assert found == {LOST: 1, DIED: 1, UNEXPLAINED: 2}


def test_a_copy_of_which_no_bot_warned_has_no_cause() -> None:
    copies = [("1", "1"), ("1", "2"), ("-2", "1")]
    found = causes(copies, {"1": 1}, copies, {}, [])
    assert found == {LOST: 1, UNEXPLAINED: 2}


def test_what_bots_warn_of_is_counted_by_chat(tmp_path: Path) -> None:
    words = "post may stand twice: an earlier attempt has no receipt"
    lines = [
        f"WARNING bot.platforms.telegram.outbound: {words} platform='telegram' post=5 chat='-10012' attempt=2",
        f'{{"level": "WARNING", "message": "{words}", "platform": "telegram", "chat": "34", "attempt": 2}}',
        "INFO bot: something else chat='7'",
    ]
    (tmp_path / "output-1.err").write_text("\n".join(lines), "utf-8")
    (tmp_path / "output-2.out").write_text(lines[0], "utf-8")
    assert warnings(tmp_path) == {"-10012": 2, "34": 1}
