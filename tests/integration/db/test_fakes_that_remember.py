"""What is found in the memory and what the voices learn from, tested with the real ones and their fakes."""

from typing import cast

import pytest

from bot.domain import model_ports
from bot.domain.learning import Example, Side, Source, text_key
from bot.domain.memory_vote import Neighbours
from bot.domain.model_ports import Lesson, VoiceLessons
from db.engine import Database
from db.examples import PostgresExamples
from db.memory import PostgresMemory
from db.registry import PostgresRegistry
from db.voice_lessons import PostgresVoiceLessons
from tests.fakes import FakeKnowledge
from tests.fakes_voices import FakeLessons
from tests.integration.db.scenes import TASK, VECTOR, after

TEXTS = ("refund", "new password", "anything")


class Lessons:
    """Lessons, and a way to add one."""

    def __init__(self, database: Database | None) -> None:
        self.fake = FakeLessons()
        self.examples = None if database is None else PostgresExamples(database)
        self.port: VoiceLessons = self.fake if database is None else PostgresVoiceLessons(database)

    async def add(self, text: str, label: str) -> None:
        if self.examples is None:
            self.fake.known.append(Lesson(text_key(text), text, label, None))
        else:
            await self.examples.add_examples(TASK.name, [Example(text, label, Source.SEED, Side.TRAIN, after(0))])


@pytest.fixture(params=["real", "fake"])
def lessons(request: pytest.FixtureRequest, database: Database) -> Lessons:
    return Lessons(database if request.param == "real" else None)


async def test_what_is_taught_is_limited_and_its_stamp_changes_with_it(lessons: Lessons) -> None:
    stamps = [await lessons.port.stamp(TASK, "tiny")]
    for text, label in zip(TEXTS, TASK.names, strict=True):
        await lessons.add(text, label)
        stamps.append(await lessons.port.stamp(TASK, "tiny"))
    assert len(set(stamps)) == len(stamps)
    assert await lessons.port.stamp(TASK, "tiny") == stamps[-1]
    taught = await lessons.port.lessons(TASK, "tiny", 10)
    assert {(one.key, one.text, one.label, one.vector) for one in taught} == {
        (text_key(text), text, label, None) for text, label in zip(TEXTS, TASK.names, strict=True)
    }
    assert len(await lessons.port.lessons(TASK, "tiny", 2)) == 2


@pytest.fixture(params=["real", "fake"])
async def memory(request: pytest.FixtureRequest, database: Database) -> model_ports.Memory:
    if request.param == "fake":
        return cast(model_ports.Memory, FakeKnowledge(Neighbours()))
    return PostgresMemory(database, "tiny")


async def test_many_texts_are_looked_for_as_one_is_each_in_its_place(memory: model_ports.Memory) -> None:
    together = await memory.nearest_many(TASK, [VECTOR] * 3, TEXTS)
    assert together == [await memory.nearest(TASK, VECTOR, text) for text in TEXTS]
    assert await memory.nearest_many(TASK, [], []) == []


@pytest.fixture(params=["real", "fake"])
async def codes(request: pytest.FixtureRequest, database: Database) -> model_ports.Registry:
    if request.param == "fake":
        return cast(model_ports.Registry, FakeKnowledge(Neighbours()))
    return PostgresRegistry(database)


async def test_every_label_has_a_code_of_its_own_and_keeps_it(codes: model_ports.Registry) -> None:
    given = await codes.codes(TASK, "starter", ["A", "B", "C", "D"])
    assert given == {"billing": "A", "access": "B", "triage": "C"}
    assert await codes.codes(TASK, "starter", ["A", "B", "C", "D"]) == given
