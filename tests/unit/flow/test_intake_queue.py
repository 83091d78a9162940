"""Facts that arrive together are stored together, once each, and no more wait than can be stored in time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bot.domain.errors import Refused, Unreachable
from bot.domain.ledger import Stored, ThreadingPolicy
from bot.domain.messages import Fact, Message, MessageRef
from bot.flow import intake_queue
from bot.flow.intake_queue import TOGETHER, WRITERS, IntakeQueue
from tests.fakes_ledger import FakeLedger
from tests.samples import message

JOINING = ThreadingPolicy(timedelta(seconds=3), timedelta(hours=24), timedelta(hours=72))


@dataclass
class Slow(FakeLedger):
    """Stores only when it is allowed to; records which facts it was given together."""

    may: asyncio.Event = field(default_factory=asyncio.Event)
    batches: list[int] = field(default_factory=list)
    down: bool = False

    async def add_facts(self, facts: Sequence[Fact], policy: ThreadingPolicy) -> Sequence[Stored | Exception]:
        self.batches.append(len(facts))
        await self.may.wait()
        if self.down:
            raise Unreachable("database: down")
        stored = await super().add_facts(facts, policy)
        poison = [isinstance(fact, Message) and fact.text == "poison" for fact in facts]
        return [Refused("no") if bad else new for bad, new in zip(poison, stored, strict=True)]


def said(number: int, text: str = "hello") -> Message:
    return replace(message(text), ref=MessageRef("web", "customer", str(number)))


@pytest.fixture
def ledger() -> Slow:
    return Slow()


@pytest.fixture
def queue(ledger: Slow) -> IntakeQueue:
    return IntakeQueue(ledger, JOINING)


async def _begun(queue: IntakeQueue, facts: Sequence[Fact]) -> list[asyncio.Task[Stored]]:
    tasks = [asyncio.create_task(queue.store(fact)) for fact in facts]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_what_comes_at_once_is_stored_together_and_in_order(ledger: Slow, queue: IntakeQueue) -> None:
    facts = [said(number) for number in range(3 * TOGETHER)]
    tasks = await _begun(queue, facts)
    ledger.may.set()
    assert await asyncio.gather(*tasks) == [Stored(new=True)] * len(facts)
    assert (ledger.stored, ledger.batches) == (facts, [TOGETHER] * 3)


async def test_no_more_than_a_few_transactions_at_a_time(ledger: Slow, queue: IntakeQueue) -> None:
    tasks = await _begun(queue, [said(number) for number in range(10 * TOGETHER)])
    assert ledger.batches == [TOGETHER] * WRITERS
    ledger.may.set()
    assert all(one.new for one in await asyncio.gather(*tasks))


async def test_deliveries_that_wait_for_the_same_fact_are_stored_once(ledger: Slow, queue: IntakeQueue) -> None:
    tasks = await _begun(queue, [said(1), said(1), said(2)])
    late = await _begun(queue, [said(1)])
    ledger.may.set()
    assert await asyncio.gather(*tasks, *late) == [Stored(new=True)] * 4
    assert ledger.batches == [2]


async def test_whoever_is_too_many_is_turned_away_at_once(
    ledger: Slow, queue: IntakeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_queue, "MOST_WAITING", 5)
    first = await _begun(queue, [said(number) for number in range(5)])
    more = await _begun(queue, [said(number) for number in range(10, 16)])
    assert [task.done() for task in more] == [False] * 5 + [True]
    with pytest.raises(Unreachable, match="too much comes in"):
        await more[-1]
    ledger.may.set()
    assert all(one.new for one in await asyncio.gather(*first, *more[:-1]))


async def test_one_that_cannot_be_stored_takes_nothing_from_the_others(ledger: Slow, queue: IntakeQueue) -> None:
    good, bad, other = await _begun(queue, [said(1), said(2, "poison"), said(3)])
    ledger.may.set()
    assert (await good, await other) == (Stored(new=True), Stored(new=True))
    with pytest.raises(Refused):
        await bad


async def test_a_database_that_is_down_is_told_to_everybody_and_forgotten(ledger: Slow, queue: IntakeQueue) -> None:
    tasks = await _begun(queue, [said(1), said(2)])
    ledger.down = True
    ledger.may.set()
    assert [type(one) for one in await asyncio.gather(*tasks, return_exceptions=True)] == [Unreachable] * 2
    ledger.down = False
    assert (await queue.store(said(1))).new


async def test_what_its_bringer_gave_up_is_not_stored_behind_their_back(ledger: Slow, queue: IntakeQueue) -> None:
    tasks = await _begun(queue, [said(number) for number in range(WRITERS * TOGETHER + 1)])
    tasks[-1].cancel()
    ledger.may.set()
    assert sum(one.new for one in await asyncio.gather(*tasks[:-1])) == WRITERS * TOGETHER
    assert len(ledger.stored) == WRITERS * TOGETHER
