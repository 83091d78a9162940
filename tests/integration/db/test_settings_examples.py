"""Examples in the settings count; examples that were removed from them do not."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import select, text

from bot.domain.learning import Example, Side, Source
from db.engine import Database
from db.examples import PostgresExamples
from db.memory import PostgresMemory
from db.tables import ExampleRow
from tests.integration.db.scenes import TASK, VECTOR, after


def said(*pairs: tuple[str, str]) -> list[Example]:
    return [Example(words, label, Source.SETTINGS, Side.TRAIN, after(0)) for words, label in pairs]


def from_a_file(words: str, label: str, source: Source = Source.IMPORT) -> Example:
    return Example(words, label, source, Side.TRAIN, after(5))


@pytest.fixture
def examples(database: Database) -> PostgresExamples:
    return PostgresExamples(database)


async def standing(examples: PostgresExamples) -> list[tuple[str, str, str]]:
    return [(e.text, e.label, e.source.value) for e in sorted(await examples.examples("routing"), key=lambda e: e.at)]


async def test_what_is_taken_out_no_longer_counts_and_what_is_moved_moves(examples: PostgresExamples) -> None:
    first = said(("invoices", "billing"), ("my card", "billing"), ("passwords", "access"))
    assert await examples.sync_settings("routing", first, after(1)) == 3
    changed = said(("invoices", "billing"), ("my card", "access"))
    assert await examples.sync_settings("routing", changed, after(2)) == 3, "one added, two withdrawn"
    assert await standing(examples) == [("invoices", "billing", "settings"), ("my card", "access", "settings")]


async def test_what_is_moved_there_and_back_is_back(examples: PostgresExamples) -> None:
    for seconds, label in ((1, "billing"), (2, "access"), (3, "billing")):
        await examples.sync_settings("routing", said(("my card", label)), after(seconds))
    [back] = await examples.examples("routing")
    assert (back.label, back.at) == ("billing", after(3))


async def test_they_are_dated_when_they_were_first_said_in_the_order_of_the_settings(
    examples: PostgresExamples,
) -> None:
    await examples.sync_settings("routing", said(("b", "billing"), ("a", "access")), after(1))
    await examples.sync_settings("routing", said(("c", "access"), ("b", "billing"), ("a", "access")), after(2))
    assert [words for words, *_ in await standing(examples)] == ["b", "a", "c"]
    dated = {e.text: e.at for e in await examples.examples("routing")}
    assert after(1) <= dated["b"] < dated["a"] < after(2) <= dated["c"]


async def test_nothing_is_written_where_nothing_changed(examples: PostgresExamples, database: Database) -> None:
    same = said(("invoices", "billing"), ("passwords", "access"))
    await examples.sync_settings("routing", same, after(1))
    before = await _versions(database)
    assert await examples.sync_settings("routing", same, after(2)) == 0
    assert await _versions(database) == before


async def _versions(database: Database) -> Sequence[object]:
    """PostgreSQL's own number of the transaction that last wrote each row."""
    async with database.transaction() as session:
        return (await session.execute(text("SELECT id, xmin FROM examples ORDER BY id"))).all()


async def test_a_file_is_trusted_more_and_a_demos_seed_less(examples: PostgresExamples) -> None:
    await examples.add_examples("routing", [from_a_file("my card", "access")])
    await examples.add_examples("routing", [from_a_file("invoices", "access", Source.SEED)])
    wanted = said(("my card", "billing"), ("invoices", "billing"))
    for _ in range(2):
        await examples.sync_settings("routing", wanted, after(9))
        assert sorted(await standing(examples)) == [
            ("invoices", "billing", "settings"),
            ("my card", "access", "import"),
        ]
    assert await examples.sync_settings("routing", wanted, after(10)) == 0, "it does not write at every start"


async def test_of_a_text_under_two_labels_the_last_counts(examples: PostgresExamples) -> None:
    await examples.sync_settings("routing", said(("my card", "billing"), ("My card!", "access")), after(1))
    assert await standing(examples) == [("My card!", "access", "settings")]


async def test_other_tasks_and_other_sources_are_left_alone(examples: PostgresExamples) -> None:
    await examples.sync_settings("sentiment", said(("I am angry", "negative")), after(1))
    await examples.add_examples("routing", [from_a_file("my card", "access")])
    await examples.sync_settings("routing", [], after(2))
    assert await standing(examples) == [("my card", "access", "import")]
    assert len(await examples.examples("sentiment")) == 1


async def test_what_an_older_version_kept_of_the_settings_is_taken_over_with_its_vector(
    examples: PostgresExamples, database: Database
) -> None:
    memory = PostgresMemory(database, "tiny")
    await examples.add_examples("routing", [from_a_file("invoices", "billing", Source.SEED)])
    [(example, _)] = await memory.unembedded("tiny", 10)
    await memory.remember("tiny", {example: VECTOR})
    await examples.sync_settings("routing", said(("invoices", "billing")), after(9))
    assert await standing(examples) == [("invoices", "billing", "settings")]
    found = await memory.nearest(TASK, VECTOR, "an invoice")
    assert [anchor.example for anchor in found.anchors] == [example]
    assert (await examples.examples("routing"))[0].at == after(9)


async def test_an_import_that_runs_holds_up_no_start(examples: PostgresExamples, database: Database) -> None:
    """It holds the importers' lock, and rows that it overrules, for any length of time."""
    await examples.sync_settings("routing", said(("my card", "billing"), ("old words", "billing")), after(1))
    async with database.transaction() as importing:
        await importing.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('routing', 2))"))
        overruled = select(ExampleRow).where(ExampleRow.text == "old words").with_for_update()
        await importing.execute(overruled)
        async with asyncio.timeout(5):
            await examples.sync_settings("routing", said(("my card", "access")), after(2))
    await examples.sync_settings("routing", said(("my card", "access")), after(3))
    assert await standing(examples) == [("my card", "access", "settings")], "what was held then is caught up with"


async def test_the_settings_are_anchors_of_the_memory(examples: PostgresExamples, database: Database) -> None:
    memory = PostgresMemory(database, "tiny")
    await examples.sync_settings("routing", said(("invoices", "billing")), after(1))
    [(example, _)] = await memory.unembedded("tiny", 10)
    await memory.remember("tiny", {example: VECTOR})
    [anchor] = (await memory.nearest(TASK, VECTOR, "an invoice")).anchors
    assert (anchor.label, anchor.text) == ("billing", "invoices")
