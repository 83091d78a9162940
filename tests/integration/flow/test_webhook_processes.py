"""Several processes with one queue of webhooks: together they send everything, though one is killed."""

import asyncio
import re
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from bot.domain.messages import Person
from bot.domain.webhooks import EventKind, Webhook
from db.webhooks import PostgresWebhookEvents
from tests.integration.flow.test_webhooks import events, receiver, verify  # noqa: F401  fixtures, too
from tests.servers.webhook_receiver import Receiver
from tests.servers.webhook_sender import NAME, SECRET
from tests.waiting import until
from tests.worlds.story import Story

_MANY = 12
_LATER = 120
"""Seconds by which the other processes' clocks are ahead, so that for them a killed process's claim has expired."""


@asynccontextmanager
async def sending(database_url: str, receiver: Receiver, ahead: int) -> AsyncIterator[Process]:  # noqa: F811
    """A process that sends webhooks, killed at the end."""
    words = "-m", "tests.servers.webhook_sender", database_url, f"{receiver.url}/", str(ahead)
    process = await asyncio.create_subprocess_exec(sys.executable, *words)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_two_processes_tell_all_that_a_killed_one_left_and_each_event_once(
    story: Story,
    receiver: Receiver,  # noqa: F811
    events: PostgresWebhookEvents,  # noqa: F811
    database_url: str,
) -> None:
    await events.declare([Webhook(NAME, f"{receiver.url}/", frozenset(EventKind), SECRET, texts=False)])
    story.time = datetime.now(UTC)
    for number in range(_MANY):
        await story.writes("I was charged twice", f"m{number}", author=Person("web", f"p{number}", "P"))
    await story.settles()
    receiver.answers.clear()
    async with sending(database_url, receiver, ahead=0) as killed:
        await until(lambda: receiver.asked > 0, seconds=60)
        killed.kill()  # with events that it has sent without receiving an answer
        await killed.wait()
        killed_at = int(datetime.now(UTC).timestamp())
        receiver.answers.set()
        async with sending(database_url, receiver, _LATER), sending(database_url, receiver, _LATER):
            await until(lambda: len(_told(receiver, killed_at)) >= _MANY, seconds=60)
            await until_none_waits(events)
    told = _told(receiver, killed_at)
    assert Counter(str(event["id"]) for event in told) == Counter({str(event["id"]): 1 for event in told})
    assert sorted(int(str(event["conversation"])) for event in told) == list(range(1, _MANY + 1))
    is_from_switchboard = verify()
    assert all(is_from_switchboard(signed, body, SECRET) for signed, body in receiver.taken)
    assert {str(event["id"]) for event in receiver.events()} == {str(event["id"]) for event in told}


def _told(receiver: Receiver, killed_at: int) -> list[Mapping[str, object]]:  # noqa: F811
    """The events that the other processes sent: their clocks are ahead."""
    pairs = zip(receiver.taken, receiver.events(), strict=True)
    return [event for (signed, _), event in pairs if _signed_at(signed) > killed_at + _LATER // 2]


def _signed_at(signed: str) -> int:
    found = re.search(r"t=(\d+)", signed)
    return int(found.group(1)) if found else 0


async def until_none_waits(events: PostgresWebhookEvents) -> None:  # noqa: F811
    async with asyncio.timeout(60):
        while (await events.states())[NAME].waiting:  # noqa: ASYNC110  another process empties it
            await asyncio.sleep(0.01)
