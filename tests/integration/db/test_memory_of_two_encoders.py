"""Vectors of two parts are compared by one definition, both in SQL and in this process."""

import math

import numpy as np
import pytest

from bot.domain.embedders import MINILM, MINILM_WIDTH, PAIR, USE, known_of
from bot.domain.learning import Example, Side, Source
from bot.domain.model_ports import Vector
from db.engine import Database
from db.examples import PostgresExamples
from db.memory import PostgresMemory
from tests.integration.db.scenes import TASK, after

_EVERY = 512
_LABELS = ("access", "billing")


def _unit(numbers: np.random.Generator, width: int, toward: Vector | None) -> Vector:
    drawn = numbers.standard_normal(width) / math.sqrt(width)
    mixed = drawn if toward is None else 0.6 * drawn + 0.8 * np.asarray(toward)
    return [float(value) for value in mixed / np.linalg.norm(mixed)]


def _vectors(count: int, seed: int, like: list[Vector] | None = None) -> list[Vector]:
    """Every second vector has no first part; the nth is similar to the nth of `like`."""
    numbers = np.random.default_rng(seed)
    vectors: list[Vector] = []
    for n in range(count):
        toward = like[n] if like else None
        own = _unit(numbers, MINILM_WIDTH, toward[:MINILM_WIDTH] if toward and any(toward[:MINILM_WIDTH]) else None)
        every = _unit(numbers, _EVERY, toward[MINILM_WIDTH:] if toward else None)
        vectors.append([*(own if n % 2 else [0.0] * MINILM_WIDTH), *every])
    return vectors


def _similarity(one: Vector, other: Vector) -> float:
    """The definition: the mean of both cosines if both texts have both parts, otherwise the second alone."""
    own = sum(a * b for a, b in zip(one[:MINILM_WIDTH], other[:MINILM_WIDTH], strict=True))
    every = sum(a * b for a, b in zip(one[MINILM_WIDTH:], other[MINILM_WIDTH:], strict=True))
    both = any(one[:MINILM_WIDTH]) and any(other[:MINILM_WIDTH])
    share = known_of(PAIR).likeness.share
    return share * own + (1 - share) * every if both else every


@pytest.fixture(params=["in the table", "held in this process"])
async def memory(database: Database, request: pytest.FixtureRequest) -> PostgresMemory:
    memory = PostgresMemory(database, PAIR)
    if request.param == "held in this process":
        await memory.load(TASK)
    return memory


@pytest.mark.parametrize("source", [Source.SEED, Source.CORRECTION])
async def test_both_ways_find_the_nearest_by_the_same_measure(
    memory: PostgresMemory, database: Database, source: Source
) -> None:
    known = _vectors(40, 1)
    examples = [Example(f"text {n}", _LABELS[n % 2], source, Side.TRAIN, after(n)) for n in range(40)]
    await PostgresExamples(database).add_examples(TASK.name, examples)
    ids = {text: one for one, text in await memory.unembedded(PAIR, 100)}
    await memory.remember(PAIR, {ids[f"text {n}"]: vector for n, vector in enumerate(known)})
    # Each of the second twelve resembles a text of the other kind
    asked = [*_vectors(12, 2, known[:12]), *_vectors(12, 3, known[1:13])]
    found = await memory.nearest_many(TASK, asked, [f"new {n}" for n in range(24)])
    for vector, neighbours in zip(asked, found, strict=True):
        near = neighbours.anchors if source is Source.SEED else neighbours.corrections
        exact = sorted(((_similarity(vector, other), ids[f"text {n}"]) for n, other in enumerate(known)), reverse=True)
        assert [one.example for one in near] == [one for _, one in exact[:5]]
        assert [one.similarity for one in near] == pytest.approx([value for value, _ in exact[:5]], abs=1e-5)


async def test_what_one_of_the_two_embedded_before_is_compared_by_its_part(
    memory: PostgresMemory, database: Database
) -> None:
    english, other = _vectors(2, 5)[::-1]
    said = [Example(f"by {name}", "access", Source.SEED, Side.TRAIN, after(0)) for name in (MINILM, USE, PAIR)]
    await PostgresExamples(database).add_examples(TASK.name, said)
    ids = {text.removeprefix("by "): one for one, text in await memory.unembedded(PAIR, 9)}
    await memory.remember(MINILM, {ids[MINILM]: english[:MINILM_WIDTH]})
    await memory.remember(USE, {ids[USE]: english[MINILM_WIDTH:]})
    await memory.remember(PAIR, {ids[PAIR]: english})
    for asked in (english, other):
        exact = {
            ids[MINILM]: sum(a * b for a, b in zip(asked[:MINILM_WIDTH], english[:MINILM_WIDTH], strict=True)),
            ids[USE]: sum(a * b for a, b in zip(asked[MINILM_WIDTH:], english[MINILM_WIDTH:], strict=True)),
            ids[PAIR]: _similarity(asked, english),
        }
        found = (await memory.nearest(TASK, asked, "something else")).anchors
        assert {one.example: one.similarity for one in found} == pytest.approx(exact, abs=1e-5)
    assert await memory.count_unembedded(PAIR) == 2


async def test_vectors_of_a_strange_encoder_are_not_compared_and_the_same_text_still_is(
    memory: PostgresMemory, database: Database
) -> None:
    said = [Example(text, "access", Source.CORRECTION, Side.TRAIN, after(0)) for text in ("reset it", "unlock it")]
    await PostgresExamples(database).add_examples(TASK.name, said)
    before = [1.0] + [0.0] * (MINILM_WIDTH - 1)
    await memory.remember("a stranger", {one: before for one, _ in await memory.unembedded(PAIR, 9)})
    (asked,) = _vectors(1, 4)
    assert (await memory.nearest(TASK, asked, "something else")).corrections == ()
    (found,) = (await memory.nearest(TASK, asked, "Reset it!")).corrections
    assert (found.same_text, found.label) == (True, "access")
    assert await memory.count_unembedded(PAIR) == 2
