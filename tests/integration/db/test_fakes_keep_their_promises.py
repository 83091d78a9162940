"""What steps rely on, tested with the real outbox, ledger, failed items and examples and with their fakes."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.domain.conversations import Decided, UndecidedConversation
from bot.domain.failures import MOST_ATTEMPTS, Failure, ItemKey
from bot.domain.learning import Example, Side, Source
from bot.domain.ledger import Ledger, Stored
from bot.domain.messages import MessageRef, Place
from bot.domain.model_ports import Examples
from bot.domain.ports import FailedItems, Outbox
from bot.domain.posts import OutboxItem, Post, Receipt, WordsPlease
from db.engine import Database
from db.examples import PostgresExamples
from db.failed_items import PostgresFailedItems
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.fakes_failed_items import FakeFailedItems
from tests.fakes_ledger import FakeLedger, FakeOutbox
from tests.fakes_registry import FakeExamples
from tests.integration.db.scenes import (
    ANN,
    JOINING,
    LEAD,
    PATIENCE,
    ROOM,
    SETTLE,
    SURE,
    after,
    claimed,
    decide,
    message,
)
from tests.samples import case

KEY = ItemKey("sort", "1")
ELSEWHERE = Place("slack", "C-ELSE")
FAR = Place("telegram", "ann-chat")


@pytest.fixture(params=["real", "fake"])
def failures(request: pytest.FixtureRequest, database: Database) -> FailedItems:
    return PostgresFailedItems(database) if request.param == "real" else FakeFailedItems()


@pytest.fixture(params=["real", "fake"])
async def owed(request: pytest.FixtureRequest, database: Database) -> Outbox:
    """An outbox with a post for each of three chats."""
    posts = [Post(place, WordsPlease("en")) for place in (ROOM, ELSEWHERE, FAR)]
    if request.param == "fake":
        return FakeOutbox(owed=[OutboxItem(number + 1, post, 1) for number, post in enumerate(posts)])
    outbox = PostgresOutbox(database)
    await outbox.add(posts, after(0))
    return outbox


@pytest.fixture(params=["real", "fake"])
def examples(request: pytest.FixtureRequest, database: Database) -> Examples:
    return PostgresExamples(database) if request.param == "real" else FakeExamples()


# --- failed items ---


async def test_an_item_is_set_aside_after_so_many_failures(failures: FailedItems) -> None:
    ends = [await failures.failed(Failure(KEY, "KeyError"), after(n)) for n in range(MOST_ATTEMPTS)]
    assert ends == [*[False] * (MOST_ATTEMPTS - 1), True]
    [item] = await failures.set_aside()
    assert (item.step, item.item, item.reason, item.attempts) == ("sort", "1", "KeyError", MOST_ATTEMPTS)
    assert await failures.counts() == {"sort": 1}


async def test_waiting_for_somebody_else_is_no_failure_and_a_final_one_is_the_last(failures: FailedItems) -> None:
    for _ in range(3 * MOST_ATTEMPTS):
        assert not await failures.failed(Failure(KEY, "Unreachable", later=True), after(1))
    assert await failures.set_aside() == []
    assert await failures.failed(Failure(replace(KEY, item="2"), "it cannot be read", final=True), after(1))
    assert [item.item for item in await failures.set_aside()] == ["2"]


async def test_success_forgets_what_failed_before(failures: FailedItems) -> None:
    for _ in range(MOST_ATTEMPTS - 1):
        await failures.failed(Failure(KEY, "KeyError"), after(1))
    await failures.succeeded(KEY)
    assert not await failures.failed(Failure(KEY, "KeyError"), after(2))


@pytest.mark.parametrize("act", ["retry", "drop"])
async def test_what_is_retried_or_dropped_is_no_longer_set_aside(failures: FailedItems, act: str) -> None:
    await failures.failed(Failure(KEY, "KeyError", final=True), after(1))
    [item] = await failures.set_aside()
    end = failures.retry if act == "retry" else failures.drop
    assert (await end(item.id, after(2)), await end(item.id, after(3)), await failures.counts()) == (True, False, {})


# --- outbox ---


async def test_only_these_platforms_no_busy_chats_and_no_more_than_asked_for(owed: Outbox) -> None:
    assert await owed.claim_due(["web"], after(1), 10) == []
    assert [one.post.place for one in await owed.claim_due(["slack"], after(1), 10, [ROOM.chat])] == [ELSEWHERE]
    assert [one.post.place for one in await owed.claim_due(["slack", "telegram"], after(1), 1)] == [ROOM]
    assert [one.post.place for one in await owed.claim_due(["slack", "telegram"], after(1), 9)] == [FAR]
    assert await owed.claim_due(["slack", "telegram"], after(1), 9) == []


async def test_a_reserved_turn_is_no_attempt(database: Database) -> None:
    outbox = PostgresOutbox(database)
    await outbox.add([Post(ROOM, WordsPlease("en"))], after(0))
    (item,) = await outbox.claim_due(["slack"], after(1), 10)
    await outbox.reserve(item, after(20))
    assert await outbox.claim_due(["slack"], after(19), 10) == []
    (again,) = await outbox.claim_due(["slack"], after(20), 10)
    assert again == item


# --- ledger ---


@pytest.fixture(params=["real", "fake"])
async def overtaken(
    request: pytest.FixtureRequest, database: Database
) -> tuple[PostgresLedger | FakeLedger, UndecidedConversation]:
    """A ledger, and a case claimed from it in whose conversation somebody has written since."""
    if request.param == "fake":
        fake = FakeLedger([case("charged")], overtaken={7})
        [first] = await fake.claim_undecided(after(5), SETTLE, PATIENCE, 10)
        return fake, first
    ledger = PostgresLedger(database, "tiny")
    await ledger.add_message(message("m1"), JOINING)
    first = await claimed(ledger)
    await ledger.add_message(message("m2", "since Monday", 6), JOINING)
    return ledger, first


Overtaken = tuple[PostgresLedger | FakeLedger, UndecidedConversation]


async def test_a_message_in_between_makes_the_decision_void_and_the_case_comes_again(overtaken: Overtaken) -> None:
    ledger, first = overtaken
    assert not await decide(ledger, first, SURE, [], "charged", None)
    [again] = await ledger.claim_undecided(after(20), SETTLE, PATIENCE, 10)
    assert again.conversation.id == first.conversation.id
    assert await decide(ledger, again, SURE, [], "charged", None)
    assert await ledger.claim_undecided(after(40), SETTLE, PATIENCE, 10) == []


async def test_a_decision_that_was_overtaken_is_left_out_of_those_stored_together(overtaken: Overtaken) -> None:
    ledger, first = overtaken
    assert await ledger.decide_all([Decided(first, SURE, (), "charged", None)]) == [False]
    assert not await decide(ledger, first, SURE, [], "charged", None), "and is let go of by who decides it alone"
    [again] = await ledger.claim_undecided(after(20), SETTLE, PATIENCE, 10)
    assert await ledger.decide_all([Decided(again, SURE, (), "charged", None)]) == [True]


@pytest.fixture(params=["real", "fake"])
def ledger(request: pytest.FixtureRequest, database: Database) -> Ledger:
    """A ledger with nothing in it."""
    return PostgresLedger(database, "tiny") if request.param == "real" else FakeLedger()


async def test_a_fact_is_new_once_alone_and_among_others(ledger: Ledger) -> None:
    first, second = message("m1"), message("m2", "since Monday", 1)
    assert await ledger.add_message(first, JOINING)
    assert not await ledger.add_message(first, JOINING)
    outcomes = await ledger.add_facts([first, second], JOINING)
    assert [isinstance(one, Stored) and one.new for one in outcomes] == [False, True]


async def test_a_language_that_somebody_chose_is_kept_and_nobody_elses(ledger: Ledger) -> None:
    assert await ledger.preferred(ANN) is None
    for language in ("es", "pt-BR"):
        await ledger.prefer(ANN, language)
    assert (await ledger.preferred(ANN), await ledger.preferred(LEAD)) == ("pt-BR", None)


async def test_of_two_who_want_the_same_turn_one_waits_for_the_other(ledger: Ledger) -> None:
    order: list[str] = []

    async def takes_it() -> None:
        async with ledger.alone("polling"):
            order.append("second")

    async with ledger.alone("polling"), ledger.alone("another"):
        waiting = asyncio.create_task(takes_it())
        await asyncio.sleep(0)
        order.append("first")
    await asyncio.wait_for(waiting, 10)
    assert order == ["first", "second"]


# --- receipts ---


async def test_receipts_that_come_together_are_all_stored(owed: Outbox) -> None:
    items = await owed.claim_due(["slack", "telegram"], after(1), 10)
    receipts = [Receipt(one, MessageRef(one.post.place.platform, one.post.place.chat, str(one.id))) for one in items]
    assert await owed.said_all(receipts, after(2)) == [True, True, True]
    assert await owed.claim_due(["slack", "telegram"], after(4_000), 10) == []


# --- examples ---


def _example(text: str, label: str, source: Source = Source.IMPORT, seconds: float = 0) -> Example:
    return Example(text, label, source, Side.TRAIN, after(seconds))


def _said(examples: Sequence[Example]) -> set[tuple[str, str, Source]]:
    return {(one.text, one.label, one.source) for one in examples}


async def test_adding_an_example_again_changes_nothing(examples: Examples) -> None:
    refund, login = _example("refund", "billing"), _example("log in", "it")
    assert await examples.add_examples("routing", [refund, login]) == 2
    assert await examples.add_examples("routing", [refund]) == 0
    assert _said(await examples.examples("routing")) == _said([refund, login])


async def test_a_newer_label_of_a_file_takes_the_place_of_the_older(examples: Examples) -> None:
    await examples.add_examples("routing", [_example("refund", "it")])
    newer = _example("refund", "billing", seconds=1)
    assert await examples.add_examples("routing", [newer]) == 1
    assert _said(await examples.examples("routing")) == _said([newer])


async def test_what_leaves_the_settings_counts_no_more_and_the_same_again_changes_nothing(examples: Examples) -> None:
    imported = _example("log in", "it")
    await examples.add_examples("routing", [imported])
    both = [_example("refund", "billing", Source.SETTINGS), _example("laptop", "it", Source.SETTINGS)]
    assert await examples.sync_settings("routing", both, after(1)) == 2
    assert await examples.sync_settings("routing", both, after(2)) == 0
    assert await examples.sync_settings("routing", both[:1], after(3)) == 1
    assert _said(await examples.examples("routing")) == _said([imported, both[0]])
