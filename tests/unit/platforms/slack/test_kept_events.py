"""Thousands of events at once and a slow database: each is stored once, and acknowledged at one of Slack's attempts."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from slack_bolt.response import BoltResponse

from bot.domain.errors import Unreachable
from bot.domain.ledger import Stored, ThreadingPolicy
from bot.domain.messages import Fact, MessageRef
from bot.flow.intake_queue import IntakeQueue
from bot.platforms.slack import kept_events
from bot.platforms.slack.kept_events import ANSWER_SECONDS, EACH, KeptEvents
from tests.fakes_ledger import FakeLedger
from tests.leaping_clock import run_leaping
from tests.samples import message

POLICY = ThreadingPolicy(timedelta(seconds=3), timedelta(hours=24), timedelta(hours=72))
AS_SLACK = (0.0, 0.0, 60.0, 300.0)
"""Seconds before each of Slack's attempts."""
BODY = b"x" * 1_500


@dataclass
class SlowLedger(FakeLedger):
    """Each transaction takes so many seconds."""

    seconds: float = 0.0
    down_until: float = 0.0
    times: "Counter[str]" = field(default_factory=Counter)
    """How many times each message was stored, by its id."""

    async def add_facts(self, facts: Sequence[Fact], policy: ThreadingPolicy) -> Sequence[Stored | Exception]:
        await asyncio.sleep(self.seconds)
        if asyncio.get_running_loop().time() < self.down_until:
            raise Unreachable("database: down")
        new = [not self.times[fact.ref.id] for fact in facts]
        self.times.update(fact.ref.id for fact in facts)
        return [Stored(one) for one in new]


@dataclass
class Burst:
    """Everybody writes at the same moment; the results are recorded."""

    ledger: SlowLedger
    events: KeptEvents = field(default_factory=KeptEvents)
    acknowledged: Counter[int] = field(default_factory=Counter)
    """Attempt -> how many events were acknowledged at it."""
    refused: int = 0
    """Events that were not acknowledged at any attempt."""
    slowest: float = 0.0
    most_bytes: int = 0

    def __post_init__(self) -> None:
        self._queue = IntakeQueue(self.ledger, POLICY)

    async def happens(self, events: int, body: bytes = BODY) -> None:
        """Deliver them as Slack does."""
        await asyncio.gather(*(self._delivered(number, body) for number in range(events)))

    async def _delivered(self, number: int, body: bytes) -> None:
        for attempt, pause in enumerate(AS_SLACK, 1):
            await asyncio.sleep(pause)
            if await self._answered(number, body):
                self.acknowledged[attempt] += 1
                return
        self.refused += 1

    async def _answered(self, number: int, body: bytes) -> bool:
        now = asyncio.get_running_loop().time
        began = now()
        try:
            answer = await self.events.taken(f"Ev{number}", body, lambda _: self.take(number))
        except Unreachable:
            return False
        finally:
            self.slowest = max(self.slowest, now() - began)
            self.most_bytes = max(self.most_bytes, self.events.bytes)
        return answer.status == 200

    async def take(self, number: int) -> BoltResponse:
        said = replace(message("hello"), ref=MessageRef("slack", "C1", str(number)))
        try:
            await self._queue.store(said)
        except Unreachable:
            return BoltResponse(status=503, body="")
        return BoltResponse(status=200, body="")


@pytest.mark.parametrize("seconds", [0.01, 0.3, 1.0, 2.9])
def test_of_five_thousand_at_once_none_is_refused_by_every_attempt(seconds: float) -> None:
    burst = Burst(SlowLedger(seconds=seconds))
    run_leaping(burst.happens(5_000))
    assert (burst.refused, sum(burst.acknowledged.values())) == (0, 5_000)
    assert (len(burst.ledger.times), set(burst.ledger.times.values())) == (5_000, {1})
    assert burst.slowest <= ANSWER_SECONDS
    assert 0 < burst.most_bytes <= kept_events.MOST_BYTES
    assert burst.events.bytes == 0


def test_an_outage_longer_than_slacks_last_attempt_loses_nothing_that_found_room() -> None:
    burst = Burst(SlowLedger(down_until=400.0))

    async def outage() -> None:
        await burst.happens(500)
        await asyncio.sleep(60)
        assert len(burst.ledger.times) == 500
        assert (await burst.events.taken("Ev7", BODY, lambda _: burst.take(7))).status == 200

    run_leaping(outage())
    assert burst.refused == 500, "Slack has given up"


def test_what_finds_no_room_is_refused_at_once_and_room_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_events, "MOST_BYTES", 1_000 * (len(BODY) + EACH))
    burst = Burst(SlowLedger(seconds=1.0))
    run_leaping(burst.happens(2_000))
    assert burst.most_bytes == 1_000 * (len(BODY) + EACH)
    assert (burst.refused, len(burst.ledger.times)) == (0, 2_000), "those without room at first found it a minute later"


async def test_whoever_comes_when_too_many_wait_is_turned_away_at_once_and_stored_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept_events, "MOST_WAITING", 1)
    events, may = KeptEvents(), asyncio.Event()

    async def take(_: bytes) -> BoltResponse:
        await may.wait()
        return BoltResponse(status=200, body="")

    first = asyncio.create_task(events.taken("Ev1", BODY, take))
    await asyncio.sleep(0)
    with pytest.raises(Unreachable, match="too much comes in at once; the event is kept"):
        await events.taken("Ev2", BODY, take)
    may.set()
    assert (await first).status == 200
    await asyncio.sleep(0.01)
    assert (await events.taken("Ev2", BODY, lambda _: pytest.fail("it was stored already"))).status == 200


async def test_a_repeat_joins_what_is_in_progress_and_wakes_what_waits_for_another_try() -> None:
    events, tries, answers = KeptEvents(), 0, [503, 503, 200]

    async def take(_: bytes) -> BoltResponse:
        nonlocal tries
        tries += 1
        return BoltResponse(status=answers[tries - 1], body="")

    deliveries = [asyncio.create_task(events.taken("Ev1", BODY, take))]
    for _ in range(2):
        await asyncio.sleep(0.01)
        deliveries.append(asyncio.create_task(events.taken("Ev1", BODY, take)))
    assert [(await one).status for one in deliveries] == [200] * 3
    assert tries == 3


async def test_a_bug_is_told_to_who_waits_and_nothing_is_kept_of_it() -> None:
    async def take(_: bytes) -> BoltResponse:
        raise RuntimeError("a bug")

    events = KeptEvents()
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await events.taken("Ev1", BODY, take)
    assert events.bytes == 0


async def test_at_the_end_nothing_goes_on() -> None:
    events, begun = KeptEvents(), asyncio.Event()

    async def take(_: bytes) -> BoltResponse:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody ends the wait")

    delivery = asyncio.create_task(events.taken("Ev1", BODY, take))
    await begun.wait()
    await events.end()
    assert events.bytes == 0
    with pytest.raises(asyncio.CancelledError):
        await delivery
