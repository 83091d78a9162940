"""Items that are handled alone share a call: together when they arrive together, and each alone if that fails."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.flow.batch import Batch


class Doubling:
    """Doubles numbers and records every call. Calls wait while `open` is not set; a call with a 13 in it fails."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.begun = asyncio.Semaphore(0)
        """Released by every call."""
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, asked: Sequence[int]) -> Sequence[int]:
        self.calls.append(list(asked))
        self.begun.release()
        await self.open.wait()
        if 13 in asked:
            raise ValueError("thirteen")
        return [2 * number for number in asked]


async def test_what_is_asked_in_one_turn_is_one_call() -> None:
    ask = Doubling()
    batch = Batch(ask, most=10, calls=4)
    assert await asyncio.gather(*map(batch.one, range(5))) == [0, 2, 4, 6, 8]
    assert ask.calls == [[0, 1, 2, 3, 4]]


async def test_a_call_is_never_larger_than_it_may_be() -> None:
    ask = Doubling()
    batch = Batch(ask, most=2, calls=4)
    assert await asyncio.gather(*map(batch.one, range(5))) == [0, 2, 4, 6, 8]
    assert sorted(ask.calls) == [[0, 1], [2, 3], [4]]


async def test_what_comes_while_all_calls_are_underway_goes_together_with_the_next() -> None:
    ask = Doubling()
    ask.open.clear()
    batch = Batch(ask, most=10, calls=1)
    asked = [asyncio.create_task(batch.one(0))]
    await ask.begun.acquire()
    for number in (1, 2, 3):
        asked.append(asyncio.create_task(batch.one(number)))
        await asyncio.sleep(0)
    ask.open.set()
    assert await asyncio.gather(*asked) == [0, 2, 4, 6]
    assert ask.calls == [[0], [1, 2, 3]]


async def test_another_call_begins_while_one_hangs() -> None:
    ask = Doubling()
    ask.open.clear()
    batch = Batch(ask, most=10, calls=2)
    hangs = asyncio.create_task(batch.one(0))
    await ask.begun.acquire()
    second = asyncio.create_task(batch.one(1))
    await ask.begun.acquire()
    ask.open.set()
    assert [await hangs, await second] == [0, 2]


async def test_one_that_cannot_be_asked_fails_alone() -> None:
    ask = Doubling()
    batch = Batch(ask, most=10, calls=4)
    ends = await asyncio.gather(*map(batch.one, (1, 13, 3)), return_exceptions=True)
    assert ends[0] == 2
    assert ends[2] == 6
    assert isinstance(ends[1], ValueError)
    assert ask.calls[0] == [1, 13, 3]
    assert sorted(ask.calls[1:]) == [[1], [3], [13]]


async def test_whoever_gave_up_waiting_leaves_the_others_their_answers() -> None:
    ask = Doubling()
    ask.open.clear()
    batch = Batch(ask, most=10, calls=1)
    first, second = asyncio.create_task(batch.one(1)), asyncio.create_task(batch.one(2))
    await ask.begun.acquire()
    first.cancel()
    ask.open.set()
    assert await second == 4
    with pytest.raises(asyncio.CancelledError):
        await first
