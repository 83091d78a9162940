"""The nearest vectors are found among those held with a byte a dimension, in a small table and in a large one."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from bot.domain.embedders import MINILM, USE, Likeness
from db.reading import vector_table
from db.reading.vector_table import Floats, VectorTable

WIDTH, ASKED, NEAR = 64, 20, 5


def drawn(count: int, seed: int) -> Floats:
    vectors = np.random.default_rng(seed).standard_normal((count, WIDTH)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def exact(vectors: Floats, wanted: Floats, most: int) -> list[list[int]]:
    return [list(np.argsort(-(vectors @ one))[:most] + 1) for one in wanted]


def filled(vectors: Floats) -> VectorTable:
    table = VectorTable()
    table.put(range(1, len(vectors) + 1), vectors)
    return table


@pytest.mark.parametrize("count", [3, 900, 9_000, 70_000])
@pytest.mark.parametrize("asked", [1, ASKED])
def test_the_nearest_are_among_those_proposed(count: int, asked: int) -> None:
    vectors, wanted = drawn(count, 1), drawn(asked, 2)
    proposed = filled(vectors).nearest(wanted, 16, [()] * asked)
    nearest = exact(vectors, wanted, NEAR)
    found = sum(len(set(best) & set(many)) for best, many in zip(nearest, proposed, strict=True))
    assert found / sum(map(len, nearest)) >= 0.99


@pytest.mark.parametrize("few", [0, 1_000_000], ids=["the large way", "the small way"])
def test_both_ways_propose_the_same(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_table, "_FEW", few)
    vectors, wanted = drawn(500, 3), drawn(3, 4)
    proposed = filled(vectors).nearest(wanted, 16, [()] * 3)
    nearest = exact(vectors, wanted, NEAR)
    assert all(set(best) <= set(many) for best, many in zip(nearest, proposed, strict=True))


def test_a_table_of_thousands_is_read_by_the_thread_that_asks_alone() -> None:
    table, wanted = filled(drawn(9_000, 14)), drawn(1, 15)

    def threads_meanwhile() -> int:
        table.nearest(wanted, 16, [()])
        return torch.get_num_threads()

    with ThreadPoolExecutor(1) as other:
        assert other.submit(threads_meanwhile).result() == 1


def test_without_torch_the_large_way_proposes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_table, "_FEW", 0)
    vectors, wanted = drawn(500, 3), drawn(3, 4)
    with_it = filled(vectors).nearest(wanted, 16, [()] * 3)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert filled(vectors).nearest(wanted, 16, [()] * 3) == with_it


@pytest.mark.parametrize("asked", [1, 2, 3, 8, 11])
def test_a_product_of_bytes_is_exact_for_any_number_of_questions(asked: int) -> None:
    rng = np.random.default_rng(16)
    codes = rng.integers(-127, 128, (900, WIDTH)).astype(np.int8)
    wanted = np.rint(127 * drawn(asked, 17)).astype(np.float32)
    wanted[:, 0] = 127.0  # so that bytes hold the questions without loss
    products = vector_table._coded_products(codes, wanted)
    assert np.array_equal(products, wanted @ codes.astype(np.float32).T)


def test_a_question_without_the_first_part_is_multiplied_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first, last = drawn(60, 18), drawn(60, 19)
    first[::3] = 0.0
    table = VectorTable(Likeness(WIDTH, 0.7, (MINILM, USE)))
    table.put(range(1, 61), np.hstack([first, last]))
    multiplied, products = list[int](), VectorTable._products

    def counted(self: VectorTable, rows: slice, wanted: Floats) -> Floats:
        multiplied.append(len(wanted))
        return products(self, rows, wanted)

    monkeypatch.setattr(VectorTable, "_products", counted)
    whole, part = np.hstack([drawn(1, 20), drawn(1, 21)]), np.hstack([np.zeros((1, WIDTH), np.float32), drawn(1, 21)])
    table.nearest(whole, 16, [()])
    proposed = table.nearest(part, 16, [()])
    assert multiplied == [2, 1]
    assert set(np.argsort(-(last @ part[0, WIDTH:]))[:NEAR] + 1) <= set(proposed[0])


def test_what_is_hidden_is_not_proposed() -> None:
    vectors, wanted = drawn(300, 5), drawn(2, 6)
    best = exact(vectors, wanted, 3)
    proposed = filled(vectors).nearest(wanted, 16, [best[0], ()])
    assert not set(best[0]) & set(proposed[0])
    assert set(best[1]) <= set(proposed[1])


def test_dropped_ones_are_gone_and_the_others_stay_where_they_are_found() -> None:
    vectors = drawn(40, 7)
    table = filled(vectors)
    for one in range(1, 41, 2):
        table.drop(one)
        table.drop(one)
    assert len(table) == 20
    for one in range(2, 41, 2):
        assert table.nearest(vectors[one - 1 : one], 1, [()]) == [[one]]
    assert table.nearest(vectors[:1], 40, [()])[0].count(1) == 0


def test_a_vector_may_change_and_another_width_is_not_comparable() -> None:
    vectors = drawn(10, 8)
    table = filled(vectors)
    table.put([3], -vectors[2:3])
    assert table.nearest(-vectors[2:3], 1, [()]) == [[3]]
    table.put([99], np.ones((1, WIDTH + 1), np.float32))
    assert len(table) == 10
    assert table.nearest(np.ones((1, WIDTH + 1), np.float32), 5, [()]) == [[]]


def test_an_empty_table_proposes_nothing() -> None:
    assert VectorTable().nearest(drawn(2, 9), 5, [(), ()]) == [[], []]


@pytest.mark.parametrize("few", [0, 1_000_000], ids=["the large way", "the small way"])
def test_vectors_of_two_parts_are_compared_by_the_parts_that_both_have(
    few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_table, "_FEW", few)
    likeness = Likeness(WIDTH, 0.7, (MINILM, USE))
    first, last = drawn(120, 10), drawn(120, 11)
    first[::3], last[1::3] = 0.0, 0.0  # a third has the last part alone, a third the first alone
    table = VectorTable(likeness)
    table.put(range(1, 121), np.hstack([first, last]))
    asked = drawn(2, 12), drawn(2, 13)
    asked[0][1] = 0.0
    proposed = table.nearest(np.hstack(asked), 16, [()] * 2)
    own, every = first @ asked[0][0], last @ asked[1][0]
    exact = np.where(~first.any(axis=1), every, np.where(~last.any(axis=1), own, 0.7 * own + 0.3 * every))
    assert set(np.argsort(-exact)[:NEAR] + 1) <= set(proposed[0])
    assert set(np.argsort(-(last @ asked[1][1]))[:NEAR] + 1) <= set(proposed[1])
