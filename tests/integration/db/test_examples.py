"""Many examples at once, and which operations wait for each other."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text

from bot.domain.errors import SwitchboardError
from bot.domain.learning import Example, Side, Source
from bot.domain.team_changes import KnownLabel
from db.engine import Database
from db.examples import PostgresExamples
from db.memory import PostgresMemory
from db.team_changes import PostgresTeamChanges
from tests.integration.db.scenes import VECTOR, after
from tests.postgres import until_a_lock_is_waited_for

MANY = [Example(f"message number {n}", "access", Source.IMPORT, Side.TRAIN, after(0)) for n in range(4_500)]


@pytest.fixture
def examples(database: Database) -> PostgresExamples:
    return PostgresExamples(database)


async def test_more_than_one_transaction_holds(examples: PostgresExamples) -> None:
    assert await examples.add_examples("routing", MANY) == 4_500
    assert await examples.add_examples("routing", [*MANY, replace(MANY[0], text="one more")]) == 1
    assert len(await examples.examples("routing")) == 4_501


async def test_every_task_with_examples_is_known_be_it_in_the_settings_or_not(
    database: Database, examples: PostgresExamples
) -> None:
    two = [Example(text, "yes", Source.IMPORT, Side.TRAIN, after(0)) for text in ("a letter", "a stamp")]
    await examples.add_examples("subject.paper", two)
    await examples.add_examples("weather", [Example("it rains", "wet", Source.SETTINGS, Side.TRAIN, after(0))])
    assert await PostgresTeamChanges(database).learned() == [KnownLabel("subject.paper", 2, 0)]


async def test_a_newer_file_replaces_every_label(examples: PostgresExamples) -> None:
    await examples.add_examples("routing", MANY)
    newer = [replace(one, label="billing", at=after(9)) for one in MANY]
    assert await examples.add_examples("routing", newer) == 4_500
    assert await examples.examples("routing") == newer


async def test_a_newer_file_is_stored_though_the_planner_takes_the_table_for_empty(
    database: Database, examples: PostgresExamples
) -> None:
    await examples.add_examples("routing", MANY[:3_000])
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM examples"))
        await session.execute(text("ANALYZE examples"))
    await examples.add_examples("routing", MANY[:300])
    newer = [replace(one, label="billing", at=after(9)) for one in MANY[:300]]
    assert await examples.add_examples("routing", newer) == 300
    assert await examples.examples("routing") == newer


async def test_who_repeats_what_is_known_waits_for_no_import(
    database: Database, database_url: str, examples: PostgresExamples
) -> None:
    await examples.add_examples("routing", MANY[:3])
    async with database.transaction() as importing:
        await importing.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("routing", 2))))
        assert await examples.add_examples("routing", MANY[:3]) == 0
        assert len(await examples.examples("routing")) == 3
        waiting = asyncio.create_task(examples.add_examples("routing", MANY[:4]), name="something new")
        await until_a_lock_is_waited_for(database_url)
        assert not waiting.done(), "the lock is there: what is new waits for its turn"
    assert await waiting == 1


async def test_what_could_be_stored_before_an_interruption_is_kept(database: Database) -> None:
    class BreaksOff(PostgresExamples):
        async def _add(self, task: str, batch: list[Example]) -> int:  # type: ignore[override]
            if batch[0] == MANY[2_000]:
                raise SwitchboardError("gone")
            return await super()._add(task, batch)

    with pytest.raises(SwitchboardError):
        await BreaksOff(database).add_examples("routing", MANY)
    assert len(await PostgresExamples(database).examples("routing")) == 2_000
    assert await PostgresExamples(database).add_examples("routing", MANY) == 2_500


async def test_how_many_wait_for_a_vector(database: Database, examples: PostgresExamples) -> None:
    memory = PostgresMemory(database, "tiny")
    await examples.add_examples("routing", MANY[:5])
    assert await memory.count_unembedded("tiny") == 5
    await memory.remember("tiny", {number: VECTOR for number, _ in await memory.unembedded("tiny", 2)})
    assert (await memory.count_unembedded("tiny"), await memory.count_unembedded("other")) == (3, 5)


async def test_texts_that_only_signs_tell_apart_are_three(examples: PostgresExamples) -> None:
    texts = [f"Cannot build the {name} app" for name in ("C++", "C#", "C")]
    labels = ("access", "billing", "delivery")
    three = [Example(t, one, Source.IMPORT, Side.TRAIN, after(0)) for t, one in zip(texts, labels, strict=True)]
    assert await examples.add_examples("routing", three) == 3
    assert await examples.examples("routing") == three


async def test_what_has_no_vector_comes_before_what_has_anothers(
    database: Database, examples: PostgresExamples
) -> None:
    await examples.add_examples("routing", MANY[:6])
    numbers = [number for number, _ in await PostgresMemory(database, "m").unembedded("m", 10)]
    await PostgresMemory(database, "a").remember("a", dict.fromkeys(numbers[:2], VECTOR))
    await PostgresMemory(database, "z").remember("z", dict.fromkeys(numbers[2:4], VECTOR))
    memory = PostgresMemory(database, "m")
    in_order = [*numbers[4:], *numbers[:4]]
    for limit in (1, 3, 5, 6, 10):
        assert [number for number, _ in await memory.unembedded("m", limit)] == in_order[:limit]
    assert await memory.count_unembedded("m") == 6


async def test_an_example_keeps_the_name_of_its_file(examples: PostgresExamples) -> None:
    known = [replace(MANY[0], origin="old tickets.csv"), MANY[1]]
    await examples.add_examples("routing", known)
    assert [one.origin for one in await examples.examples("routing")] == ["old tickets.csv", ""]
