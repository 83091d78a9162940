"""A caller that is cancelled while a connection is opened for it leaves none open."""

import asyncio
import gc
import warnings
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from itertools import count
from types import coroutine
from typing import Any

import pytest

from db.engine import Database, open_database
from db.server.notifications import listen

Opening = Callable[[Database], Coroutine[Any, Any, None]]


async def _asks(database: Database) -> None:
    """The first query of all, with which SQLAlchemy examines the server."""
    await database.ping()


async def _waits(database: Database) -> None:
    connection = await database.dedicated()
    await connection.close()


async def _holds_a_lock(database: Database) -> None:
    async with database.locked("turn", wait=True):
        pass


async def _listens(database: Database) -> None:
    async with listen(database):
        pass


@pytest.mark.parametrize("opens", [_asks, _waits, _holds_a_lock, _listens])
async def test_cancelled_at_any_moment_it_leaves_no_connection_open(database_url: str, opens: Opening) -> None:
    gc.collect()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for moment in count():
            async with open_database(database_url) as database:
                task = asyncio.ensure_future(_cancelled_at(moment, opens(database)))
                await asyncio.wait([task])
            if not task.cancelled():
                await task
                break
        gc.collect()
    assert moment >= 3, "to connect, to ask, to say what we need"
    assert [str(one.message) for one in said] == []


@coroutine
def _cancelled_at(moment: int, work: Coroutine[Any, Any, None]) -> Generator[Any, None, None]:
    """Run the work and cancel it at its so-many-th wait; it ends normally if it waits less often."""
    task = asyncio.current_task()
    assert task is not None
    go_on: Callable[[], object] = partial(work.send, None)
    for number in count():
        try:
            waits_for = go_on()
        except StopIteration:
            return
        if number == moment:
            task.cancel()
        try:
            yield waits_for
        except BaseException as error:  # noqa: BLE001 - handed on to the work, whatever it is
            go_on = partial(work.throw, error)
        else:
            go_on = partial(work.send, None)
