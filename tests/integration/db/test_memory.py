"""Examples are stored once, and the nearest are found: corrections and anchors."""

import math
import random
import time
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import text

from bot.domain.learning import Example, Side, Source
from db.engine import Database
from db.examples import PostgresExamples
from db.memory import PostgresMemory
from tests.integration.db.scenes import TASK, VECTOR, after

SEED = Example("reset my password", "access", Source.SEED, Side.TRAIN, after(0))


def example(
    text: str, label: str = "access", source: Source = Source.SEED, at: datetime | None = None, side: Side = Side.TRAIN
) -> Example:
    return Example(text, label, source, side, at or after(0))


@pytest.fixture
def examples(database: Database) -> PostgresExamples:
    return PostgresExamples(database)


@pytest.fixture(params=["in the table", "held in this process"])
async def memory(database: Database, request: pytest.FixtureRequest) -> PostgresMemory:
    """A memory that was loaded while empty, so everything that a test finds was read later."""
    memory = PostgresMemory(database, "tiny")
    if request.param == "held in this process":
        await memory.load(TASK)
    return memory


async def _embed(memory: PostgresMemory, vectors: dict[str, tuple[float, ...]], embedder: str = "tiny") -> None:
    await memory.remember(
        embedder, {found: vectors[text] for found, text in await memory.unembedded(embedder, 100) if text in vectors}
    )


async def test_an_example_again_changes_nothing(examples: PostgresExamples) -> None:
    assert await examples.add_examples("routing", [SEED, example("my card is lost", "billing")]) == 2
    assert await examples.add_examples("routing", [replace(SEED, text="Reset my PASSWORD!", at=after(9))]) == 0
    assert [one.text for one in await examples.examples("routing")] == ["reset my password", "my card is lost"]
    assert (await examples.examples("routing"))[0] == SEED
    assert await examples.examples("sentiment") == []


async def test_a_newer_file_replaces_the_label(examples: PostgresExamples) -> None:
    await examples.add_examples("routing", [SEED])
    newer = example("reset my password", "billing", Source.IMPORT, after(10))
    assert await examples.add_examples("routing", [newer]) == 1
    assert await examples.examples("routing") == [newer]
    assert await examples.add_examples("routing", [SEED]) == 0
    assert await examples.examples("routing") == [newer]


async def test_an_older_file_replaces_nothing(examples: PostgresExamples) -> None:
    newer = example("reset my password", "billing", Source.IMPORT, after(10))
    await examples.add_examples("routing", [newer])
    await examples.add_examples("routing", [replace(newer, label="access", at=after(5))])
    assert await examples.examples("routing") == [newer]


async def test_a_label_may_come_back_in_a_newer_file(examples: PostgresExamples) -> None:
    for seconds, label in ((1, "access"), (2, "billing"), (3, "access")):
        await examples.add_examples("routing", [example("reset", label, Source.IMPORT, after(seconds))])
    assert [(one.label, one.at) for one in await examples.examples("routing")] == [("access", after(3))]


async def test_the_last_line_of_a_file_wins(examples: PostgresExamples) -> None:
    twice = [example("reset", label, Source.IMPORT, after(1)) for label in ("access", "billing")]
    assert await examples.add_examples("routing", twice) == 1
    assert [one.label for one in await examples.examples("routing")] == ["billing"]


async def test_text_that_postgresql_cannot_hold_is_cleaned(examples: PostgresExamples) -> None:
    assert await examples.add_examples("routing", [example("a\x00b\ud800")]) == 1
    assert [one.text for one in await examples.examples("routing")] == ["ab?"]


async def test_examples_wait_for_vectors_of_this_embedder(examples: PostgresExamples, memory: PostgresMemory) -> None:
    await examples.add_examples("routing", [SEED])
    ((number, text),) = await memory.unembedded("tiny", 10)
    assert text == "reset my password"
    await memory.remember("tiny", {number: VECTOR})
    assert await memory.unembedded("tiny", 10) == []
    assert await memory.unembedded("other", 10) == [(number, text)]


async def test_vectors_never_wait_for_whoever_is_at_an_example(
    examples: PostgresExamples, memory: PostgresMemory, database: Database
) -> None:
    """An import that overrules holds some rows and waits for others; waiting for it could end in a deadlock."""
    await examples.add_examples("routing", [example("taken"), example("free")])
    waiting = await memory.unembedded("tiny", 10)
    ids = {said: number for number, said in waiting}
    async with database.transaction() as session:
        await session.execute(text("SELECT 1 FROM examples WHERE id = :id FOR UPDATE"), {"id": ids["taken"]})
        await memory.remember("tiny", dict.fromkeys(ids.values(), VECTOR))
        assert await memory.unembedded("tiny", 10) == [(ids["taken"], "taken")]
        await memory.remember("tiny", {ids["taken"]: VECTOR})
    await memory.remember("tiny", {ids["taken"]: VECTOR})
    assert await memory.unembedded("tiny", 10) == []


async def test_nearest_first_and_only_comparable_ones(examples: PostgresExamples, memory: PostgresMemory) -> None:
    await examples.add_examples("routing", [example("near"), example("far", "billing"), example("other dimension")])
    await _embed(memory, {"near": (0.8, 0.6, 0.0), "far": (0.0, 1.0, 0.0)})
    await _embed(memory, {"other dimension": (1.0, 0.0)}, "other")
    found = await memory.nearest(TASK, VECTOR, "new text")
    assert found.corrections == ()
    assert [(n.label, n.same_text) for n in found.anchors] == [("access", False), ("billing", False)]
    assert [n.similarity for n in found.anchors] == pytest.approx([0.8, 0.0], abs=1e-6)


async def test_held_out_anchors_and_retired_labels_stay_hidden(
    examples: PostgresExamples, memory: PostgresMemory
) -> None:
    hidden = [example("held", side=Side.HELD_OUT), example("retired", "gone"), example("corrected", "gone", Source.TAP)]
    await examples.add_examples("routing", hidden)
    await _embed(memory, dict.fromkeys(("held", "retired", "corrected"), VECTOR))
    found = await memory.nearest(TASK, VECTOR, "held")
    assert (found.corrections, found.anchors) == ((), ())


async def test_corrections_of_both_sides_count(examples: PostgresExamples, memory: PostgresMemory) -> None:
    await examples.add_examples("routing", [example("held", source=Source.CORRECTION, side=Side.HELD_OUT)])
    await _embed(memory, {"held": VECTOR})
    assert [n.label for n in (await memory.nearest(TASK, VECTOR, "x")).corrections] == ["access"]


async def test_a_leads_word_outweighs_a_later_tap_on_the_same_text(
    examples: PostgresExamples, memory: PostgresMemory
) -> None:
    corrected = example("reset my password", "access", Source.CORRECTION, after(1))
    tapped = example("Reset my password!", "billing", Source.TAP, after(9))
    await examples.add_examples("routing", [corrected, tapped])
    found = await memory.nearest(TASK, VECTOR, "reset my password")
    assert [(one.label, one.same_text) for one in found.corrections] == [("access", True)]


async def test_the_same_text_needs_no_vector_and_can_be_left_out(
    examples: PostgresExamples, memory: PostgresMemory
) -> None:
    await examples.add_examples("routing", [example("Reset, please", source=Source.CORRECTION), example("reset")])
    found = await memory.nearest(TASK, VECTOR, "reset please")
    assert [(n.label, n.same_text, n.similarity) for n in found.corrections] == [("access", True, 1.0)]
    assert (await memory.nearest(TASK, VECTOR, "reset please", leave_out_itself=True)).corrections == ()
    assert (await memory.nearest(TASK, VECTOR, "reset", leave_out_itself=True)).anchors == ()


async def test_many_texts_at_once_are_told_apart(examples: PostgresExamples, memory: PostgresMemory) -> None:
    await examples.add_examples("routing", [example("near"), example("far", "billing", Source.CORRECTION)])
    await _embed(memory, {"near": (1.0, 0.0, 0.0), "far": (0.0, 1.0, 0.0)})
    texts, vectors = ["near", "new", "far"], [VECTOR, (0.0, 1.0, 0.0), VECTOR]
    together = await memory.nearest_many(TASK, vectors, texts)
    assert together == [await memory.nearest(TASK, *one) for one in zip(vectors, texts, strict=True)]
    assert [(one.anchors[0].same_text, one.corrections[0].same_text) for one in together] == [
        (True, False),
        (False, False),
        (False, True),
    ]
    assert await memory.nearest_many(TASK, [], []) == []


async def test_what_was_said_of_a_text_before_counts_again_once_the_newer_word_is_gone(
    examples: PostgresExamples, memory: PostgresMemory, database: Database
) -> None:
    older = example("reset", "access", Source.CORRECTION, after(1))
    newer = example("Reset!", "billing", Source.CORRECTION, after(2))
    await examples.add_examples("routing", [older])
    async with database.transaction() as session:  # two leads said it in two conversations
        await session.execute(text("UPDATE examples SET text_key = 'of both'"))
    await examples.add_examples("routing", [newer])
    async with database.transaction() as session:
        await session.execute(text("UPDATE examples SET text_key = 'of both'"))
    await _embed(memory, {"reset": VECTOR, "Reset!": VECTOR})
    assert [one.label for one in (await memory.nearest(TASK, VECTOR, "x")).corrections] == ["billing"]
    async with database.transaction() as session:
        forgotten = "UPDATE examples SET text = '', text_key = '', vector = NULL, embedder = NULL, withdrawn_at = now()"
        await session.execute(text(f"{forgotten} WHERE label = 'billing'"))
    assert [one.label for one in (await memory.nearest(TASK, VECTOR, "x")).corrections] == ["access"]


async def test_what_is_disputed_or_withdrawn_is_gone_with_the_next_question(
    examples: PostgresExamples, memory: PostgresMemory, database: Database
) -> None:
    await examples.add_examples("routing", [example("a"), example("b", source=Source.CORRECTION)])
    await _embed(memory, {"a": VECTOR, "b": VECTOR})
    for change, left in (("quarantined = true", 0), ("quarantined = false", 1), ("withdrawn_at = now()", 0)):
        async with database.transaction() as session:
            await session.execute(text(f"UPDATE examples SET {change}"))  # noqa: S608
        found = await memory.nearest(TASK, VECTOR, "x")
        assert (len(found.corrections), len(found.anchors)) == (left, left)


async def test_what_began_early_and_was_stored_late_is_found(
    examples: PostgresExamples, memory: PostgresMemory, database: Database
) -> None:
    await examples.add_examples("routing", [example("early"), example("late")])
    (early, _), (late, _) = await memory.unembedded("tiny", 9)
    async with database.transaction() as session:
        embedded = text("UPDATE examples SET vector = '[1,0,0]', embedder = 'tiny' WHERE id = :id")
        await session.execute(embedded, {"id": early})
        await memory.remember("tiny", {late: VECTOR})
        assert [one.example for one in (await memory.nearest(TASK, VECTOR, "x")).anchors] == [late]
    assert [one.example for one in (await memory.nearest(TASK, VECTOR, "x")).anchors] == [early, late]


async def test_what_is_there_already_is_loaded(examples: PostgresExamples, database: Database) -> None:
    memory = PostgresMemory(database, "tiny")
    many = [example(f"text {n}", source=Source.CORRECTION if n % 3 else Source.SEED) for n in range(90)]
    await examples.add_examples("routing", many)
    dice = random.Random(3)
    await memory.remember("tiny", {number: _unit(dice) for number, _ in await memory.unembedded("tiny", 100)})
    asked = [_unit(dice) for _ in range(8)]
    texts = [f"text {n}" for n in range(8)]
    for hidden in (False, True):
        by_table = await PostgresMemory(database, "tiny").nearest_many(TASK, asked, texts, hidden)
        await memory.load(TASK)
        assert await memory.nearest_many(TASK, asked, texts, hidden) == by_table


@pytest.mark.slow
async def test_ten_thousand_examples_are_searched_quickly(examples: PostgresExamples, memory: PostgresMemory) -> None:
    dice = random.Random(7)
    texts = [f"message number {number}" for number in range(10_000)]
    many = [example(text, source=Source.CORRECTION if n % 3 == 0 else Source.SEED) for n, text in enumerate(texts)]
    assert await examples.add_examples("routing", many) == 10_000
    vectors = {number: _unit(dice) for number, _ in await memory.unembedded("tiny", 10_000)}
    await memory.remember("tiny", vectors)
    seconds = []
    for _ in range(20):
        started = time.perf_counter()
        found = await memory.nearest(TASK, _unit(dice), "something new")
        seconds.append(time.perf_counter() - started)
        assert (len(found.corrections), len(found.anchors)) == (5, 5)
    print(f"nearest among 10,000: p50 {sorted(seconds)[10] * 1000:.1f} ms")  # noqa: T201  a figure for people


def _unit(dice: random.Random) -> tuple[float, ...]:
    values = [dice.gauss(0, 1) for _ in range(384)]
    length = math.sqrt(sum(value * value for value in values))
    return tuple(value / length for value in values)
