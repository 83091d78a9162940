"""Which corrections are judged again, and that holding back and releasing them does not affect others."""

from datetime import timedelta

from sqlalchemy import update

from bot.domain.guards import Held
from bot.domain.messages import Person
from bot.domain.second_look import PATIENCE, Verdicts
from db.engine import Database
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outbox import PostgresOutbox
from db.second_looks import PostgresSecondLooks
from db.tables import ExampleRow
from tests.integration.db.scenes import LEAD, TASK, VECTOR, after
from tests.integration.db.test_guards import OTHER, examples, ruled

LATER = after(1_000) + PATIENCE


async def test_those_of_one_lead_are_looked_at_a_day_later_where_there_is_a_second_one(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    looks = PostgresSecondLooks(database)
    await ruled(ledger, outbox, "m1")
    assert await looks.rulings("routing", LATER) == [], "nobody could be the second lead"
    await ruled(ledger, outbox, "m2", OTHER, at=100)
    assert await looks.rulings("routing", after(1_000)) == [], "a correction works for a day, come what may"
    second, first = await looks.rulings("routing", LATER)
    assert (first.lead, first.before, first.label, first.held) == (LEAD.key, "billing", "access", False)
    assert (second.lead, second.text) == (OTHER.key, "where is refund m2")
    both = [first.example, second.example]
    assert await looks.vectors("tiny", both) == {one: list(VECTOR) for one in both}
    assert await looks.vectors("another", both) == {}, "vectors of two embedders do not mix"
    assert await looks.rulings("another", LATER) == []


async def test_what_two_leads_say_or_somebody_accepted_is_not_looked_at(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    looks, third = PostgresSecondLooks(database), Person("slack", "third lead")
    await ruled(ledger, outbox, "m1")
    await ruled(ledger, outbox, "m2", OTHER, at=100, text="the very words")
    await ruled(ledger, outbox, "m3", third, at=200, text="the very words")
    await ruled(ledger, outbox, "m4", third, at=300)
    async with database.transaction() as session:
        await session.execute(
            update(ExampleRow).where(ExampleRow.text == "where is refund m4").values(accepted_by="cli")
        )
    assert [one.text for one in await looks.rulings("routing", LATER)] == ["where is refund m1"]
    disputed = update(ExampleRow).where(ExampleRow.lead == third.key, ExampleRow.text == "the very words")
    async with database.transaction() as session:
        await session.execute(disputed.values(held=Held.DISPUTED, quarantined=True))
    looked = [one.text for one in await looks.rulings("routing", LATER)]
    assert looked == ["the very words", "where is refund m1"], "a word in dispute agrees with nobody"


async def test_what_is_held_back_teaches_nobody_and_what_is_freed_teaches_again(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    looks, memory = PostgresSecondLooks(database), PostgresMemory(database, "tiny")
    await ruled(ledger, outbox, "m1")
    await ruled(ledger, outbox, "m2", OTHER, at=100)
    two, one = [ruling.example for ruling in await looks.rulings("routing", LATER)]
    assert await looks.settle("routing", Verdicts(hold=(one,)), LATER) == 1
    assert await looks.settle("routing", Verdicts(hold=(one,)), LATER) == 0, "it is held already"
    near = await memory.nearest(TASK, VECTOR, "where is refund m1")
    assert [neighbour.example for neighbour in near.corrections] == [two]
    assert [row.held for row in await examples(database)] == [Held.CONTRADICTED, None]
    held = {ruling.example: ruling.held for ruling in await looks.rulings("routing", LATER)}
    assert held == {one: True, two: False}
    assert await looks.settle("routing", Verdicts(free=(one, two)), LATER + timedelta(days=1)) == 1
    near = await memory.nearest(TASK, VECTOR, "where is refund m1")
    assert {neighbour.example for neighbour in near.corrections} == {one, two}


async def test_what_waits_for_another_reason_is_left_alone(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    looks = PostgresSecondLooks(database)
    await ruled(ledger, outbox, "m1")
    await ruled(ledger, outbox, "m2", OTHER, at=100)
    _, one = [ruling.example for ruling in await looks.rulings("routing", LATER)]
    async with database.transaction() as session:
        await session.execute(
            update(ExampleRow).where(ExampleRow.id == one).values(quarantined=True, held=Held.DISPUTED)
        )
    assert one not in [ruling.example for ruling in await looks.rulings("routing", LATER)]
    assert await looks.settle("routing", Verdicts(hold=(one,), free=(one,)), LATER) == 0
