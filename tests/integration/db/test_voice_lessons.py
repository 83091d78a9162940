"""What the voices beside the model are fitted on: the train side, one label a text, with the vector of each."""

from dataclasses import replace

import pytest

from bot.domain.learning import Example, Side, Source
from bot.domain.tasks import Label
from db.engine import Database
from db.examples import PostgresExamples
from db.memory import PostgresMemory
from db.voice_lessons import PostgresVoiceLessons
from tests.integration.db.scenes import TASK, after

LABEL, OTHER = TASK.names[:2]


@pytest.fixture
def examples(database: Database) -> PostgresExamples:
    return PostgresExamples(database)


@pytest.fixture
def lessons(database: Database) -> PostgresVoiceLessons:
    return PostgresVoiceLessons(database)


def example(text: str, label: str = LABEL, source: Source = Source.SEED, side: Side = Side.TRAIN) -> Example:
    return Example(text, label, source, side, after(0))


async def test_held_out_texts_and_other_tasks_teach_nothing(
    examples: PostgresExamples, lessons: PostgresVoiceLessons
) -> None:
    held_out = example("three", side=Side.HELD_OUT)
    await examples.add_examples(TASK.name, [example("one"), example("two", OTHER), held_out])
    await examples.add_examples("sentiment", [example("four")])
    assert {one.text: one.label for one in await lessons.lessons(TASK, "tiny", 10)} == {"one": LABEL, "two": OTHER}


async def test_the_more_trusted_word_is_taught(examples: PostgresExamples, lessons: PostgresVoiceLessons) -> None:
    await examples.add_examples(TASK.name, [example("one"), example("one", OTHER, Source.CONFIRMATION)])
    assert [one.label for one in await lessons.lessons(TASK, "tiny", 10)] == [OTHER]


async def test_a_retired_label_is_not_taught(examples: PostgresExamples, lessons: PostgresVoiceLessons) -> None:
    await examples.add_examples(TASK.name, [example("one"), example("two", OTHER)])
    left = [one for one in TASK.labels if one.name != OTHER]
    smaller = replace(TASK, labels=(*left, Label("new", "New")))
    assert [one.text for one in await lessons.lessons(smaller, "tiny", 10)] == ["one"]


async def test_a_label_that_another_took_the_place_of_is_another_stamp(
    examples: PostgresExamples, lessons: PostgresVoiceLessons
) -> None:
    await examples.add_examples(TASK.name, [example("one"), example("two", OTHER)])
    left = [one for one in TASK.labels if one.name != OTHER]
    renamed = replace(TASK, labels=(*left, Label("new", "New")))
    assert await lessons.stamp(renamed, "tiny") != await lessons.stamp(TASK, "tiny")
    assert await lessons.stamp(TASK, "tiny") == await lessons.stamp(TASK, "tiny")


async def test_vectors_of_this_embedder_come_along(
    database: Database, examples: PostgresExamples, lessons: PostgresVoiceLessons
) -> None:
    await examples.add_examples(TASK.name, [example("one"), example("two")])
    memory = PostgresMemory(database, "tiny")
    [(first, _), _] = await memory.unembedded("tiny", 10)
    await memory.remember("tiny", {first: (0.6, 0.8)})
    one, two = sorted(await lessons.lessons(TASK, "tiny", 10), key=lambda lesson: lesson.text)
    assert one.vector is not None
    assert list(one.vector) == pytest.approx([0.6, 0.8])
    assert two.vector is None
    assert all(lesson.vector is None for lesson in await lessons.lessons(TASK, "another", 10))


async def test_the_stamp_changes_with_whatever_is_taught(
    database: Database, examples: PostgresExamples, lessons: PostgresVoiceLessons
) -> None:
    stamps = [await lessons.stamp(TASK, "tiny")]
    await examples.add_examples(TASK.name, [example("one")])
    stamps.append(await lessons.stamp(TASK, "tiny"))
    memory = PostgresMemory(database, "tiny")
    [(first, _)] = await memory.unembedded("tiny", 10)
    await memory.remember("tiny", {first: (0.6, 0.8)})
    stamps.append(await lessons.stamp(TASK, "tiny"))
    newer = replace(example("one", OTHER, Source.IMPORT), at=after(60))
    await examples.add_examples(TASK.name, [newer])
    stamps.append(await lessons.stamp(TASK, "tiny"))
    assert len(set(stamps)) == len(stamps)
    assert await lessons.stamp(TASK, "tiny") == stamps[-1]
    assert await lessons.stamp(TASK, "another") != stamps[-1]
