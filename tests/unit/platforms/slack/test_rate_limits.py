"""How fast one may speak."""

import asyncio
from datetime import timedelta

import pytest

from bot.domain.errors import Unreachable
from bot.platforms.slack.rate_limits import Pace


async def waited(pace: Pace, channel: str) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await pace.turn(channel)
    return loop.time() - began


async def test_a_short_burst_is_said_at_once_and_then_one_a_second() -> None:
    pace = Pace()
    assert max([await waited(pace, "C1") for _ in range(5)]) < 0.2
    assert 0.5 < await waited(pace, "C1") < 1.5


async def test_one_channel_holds_up_no_other() -> None:
    pace = Pace()
    pace.hold("C1", timedelta(seconds=10))
    assert await waited(pace, "C2") < 0.2


async def test_what_slack_wants_held_waits() -> None:
    pace = Pace()
    pace.hold("C1", timedelta(seconds=0.3))
    assert await waited(pace, "C1") > 0.2


async def test_a_turn_far_away_is_sent_back_with_its_time() -> None:
    pace = Pace()
    pace.hold("C1", timedelta(minutes=5))
    with pytest.raises(Unreachable) as caught:
        await pace.turn("C1")
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > timedelta(minutes=4)
