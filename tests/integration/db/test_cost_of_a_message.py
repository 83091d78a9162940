"""What a message that comes alone costs in the database: counted, so the machine's load does not matter."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import ORMExecuteState, Session

from bot.domain.conversations import Decided, UndecidedConversation
from bot.domain.decisions import Decision
from bot.domain.messages import MessageRef
from bot.domain.posts import Receipt
from db.engine import Database
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outbox import PostgresOutbox
from db.registry import PostgresRegistry
from tests.integration.db.scenes import (
    JOINING,
    PATIENCE,
    SETTLE,
    SURE,
    TASK,
    UNSURE,
    VECTOR,
    after,
    message,
    posts_for,
)

Answer = TypeVar("Answer")


@contextmanager
def _counting() -> Iterator[Counter[str]]:
    counted = Counter[str]()

    def asked(*_: object) -> None:
        counted["statements"] += 1

    def committed(connection: Connection) -> None:
        counted["transactions"] += 1
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            counted["beginnings and ends"] += 2

    heard: list[tuple[str, Callable[..., None]]] = [("before_cursor_execute", asked), ("commit", committed)]
    for name, told in heard:
        event.listen(Engine, name, told)
    try:
        yield counted
    finally:
        for name, told in heard:
            event.remove(Engine, name, told)


async def _cost(work: Awaitable[Answer]) -> tuple[Answer, int, int, int]:
    """(result, statements, transactions, round trips to the server)."""
    with _counting() as counted:
        answer = await work
    trips = counted["statements"] + counted["beginnings and ends"]
    return answer, counted["statements"], counted["transactions"], trips


async def test_a_message_costs_so_many_statements_from_its_store_to_the_claim_of_its_card(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    _, *stored = await _cost(ledger.add_facts([message("m1")], JOINING))
    cases, *claimed = await _cost(ledger.claim_undecided(after(9), SETTLE, PATIENCE, 32))
    [case] = cases
    _, *serving = await _cost(PostgresRegistry(database).champion(TASK.name, "starter"))
    decided = Decided(case, SURE, tuple(posts_for(case.conversation.id)), "text", VECTOR)
    kept, *concluded = await _cost(ledger.decide_all([decided]))
    posts, *due = await _cost(outbox.claim_due(("telegram", "slack"), after(9), 32))

    assert kept == [True]
    assert len(posts) == 2
    assert {"stored": stored, "claimed": claimed, "serving": serving, "concluded": concluded, "due": due} == {
        "stored": [3, 1, 5],
        "claimed": [2, 1, 4],
        "serving": [1, 1, 1],
        "concluded": [3, 1, 5],
        "due": [1, 1, 1],
    }
    receipts = [Receipt(post, MessageRef(post.post.place.platform, "there", str(post.id))) for post in posts]
    _, *received = await _cost(outbox.said_all(receipts, after(10)))
    assert received == [1, 1, 1]
    nothing, *in_vain = await _cost(outbox.claim_due(("telegram", "slack"), after(11), 32))
    assert (nothing, in_vain) == ([], [1, 1, 1])


async def test_no_statement_of_a_message_is_an_update_of_a_mapped_class(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    asked = list[tuple[bool, bool]]()

    def heard(state: ORMExecuteState) -> None:
        asked.append((state.is_update, state.is_orm_statement))

    event.listen(Session, "do_orm_execute", heard)
    try:
        await ledger.add_message(message("m1"), JOINING)
        case = await _undecided(ledger)
        assert await ledger.decide_all([Decided(case, SURE, tuple(posts_for(case.conversation.id)), "text", VECTOR)])
        posts = await outbox.claim_due(("telegram", "slack"), after(9), 32)
        refs = [MessageRef(post.post.place.platform, "there", str(post.id)) for post in posts]
        await outbox.said_all([Receipt(*one) for one in zip(posts, refs, strict=True)], after(10))
    finally:
        event.remove(Session, "do_orm_execute", heard)
    assert (True, False) in asked, "both claims and the receipts are updates"
    assert (True, True) not in asked, "SQLAlchemy would copy it, and derive its key, for every call"


async def test_the_memory_that_is_held_costs_one_statement_where_nothing_is_known(database: Database) -> None:
    memory = PostgresMemory(database, "tiny")
    await memory.load(TASK)

    _, *asked = await _cost(memory.nearest_many(TASK, [VECTOR], ["where is my refund"], askers=["telegram:ann"]))

    assert asked == [1, 1, 1]


@pytest.mark.parametrize(("decision", "left"), [(SURE, 0), (UNSURE, 2)], ids=["decided", "asked"])
async def test_what_a_decision_concludes_is_what_its_person_said_and_only_where_nobody_is_asked(
    ledger: PostgresLedger, decision: Decision, left: int
) -> None:
    await ledger.add_message(message("m1"), JOINING)
    await ledger.add_message(message("m2", seconds=1), JOINING)
    case = await _undecided(ledger)

    assert await ledger.decide_all([Decided(case, decision, tuple(posts_for(case.conversation.id)), "text", VECTOR)])

    assert len(await ledger.claim_follow_ups(after(20), 32)) == 0
    again = await ledger.claim_undecided(after(9) + timedelta(days=1), SETTLE, PATIENCE, 32)
    assert sum(len(one.messages) for one in again) == left


async def test_a_decision_that_a_message_overtakes_concludes_nothing(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    case = await _undecided(ledger)
    await ledger.add_message(message("m2", seconds=1), JOINING)

    decided = Decided(case, SURE, tuple(posts_for(case.conversation.id)), "text", VECTOR)
    assert await ledger.decide_all([decided]) == [False]
    assert await ledger.decide_one(decided) is False

    again = await _undecided(ledger)
    assert [one.ref.id for one in again.messages] == ["m1", "m2"]


async def _undecided(ledger: PostgresLedger) -> UndecidedConversation:
    [case] = await ledger.claim_undecided(after(9), SETTLE, PATIENCE, 32)
    return case
