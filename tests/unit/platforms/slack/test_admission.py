"""A few at a time, in their order, and nobody waits for longer than Slack does."""

import asyncio

import pytest

from bot.domain.errors import Unreachable
from bot.platforms.slack.admission import Admission


class Crowd:
    def __init__(self, at_once: int, most_waiting: int = 2_048, longest_wait: float = 2.0) -> None:
        self.door = Admission(at_once, most_waiting, longest_wait)
        self.inside, self.most, self.order = 0, 0, list[int]()
        self.may_leave = asyncio.Event()

    async def comes(self, number: int) -> None:
        async with self.door.admitted():
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.order.append(number)
            await self.may_leave.wait()
            self.inside -= 1


async def test_a_few_at_a_time_in_their_order() -> None:
    crowd = Crowd(3)
    crowd.may_leave.set()
    await asyncio.gather(*(crowd.comes(number) for number in range(20)))
    assert (crowd.most <= 3, crowd.order) == (True, list(range(20)))


async def test_who_finds_a_long_line_is_sent_away_at_once() -> None:
    crowd = Crowd(1, most_waiting=2)
    tasks = [asyncio.create_task(crowd.comes(number)) for number in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(Unreachable, match="too much comes in"):
        await crowd.comes(3)
    crowd.may_leave.set()
    await asyncio.gather(*tasks)
    assert crowd.order == [0, 1, 2]


async def test_who_waits_too_long_is_sent_away_and_takes_no_place() -> None:
    crowd = Crowd(1, longest_wait=0.01)
    first = asyncio.create_task(crowd.comes(0))
    await asyncio.sleep(0)
    with pytest.raises(Unreachable, match="too much waits"):
        await crowd.comes(1)
    crowd.may_leave.set()
    await first
    await crowd.comes(2)
    assert crowd.order == [0, 2]
