"""Vectors reach the database with every digit, whatever their width and number."""

import numpy as np
import numpy.typing as npt
import pytest
from sqlalchemy import text

from db.engine import Database
from db.numbers import Numbers

TINY = np.finfo(np.float32).smallest_subnormal
DRAWN = np.random.default_rng(1).standard_normal((3, 896)).astype(np.float32)


@pytest.mark.parametrize(
    "sent", [DRAWN, np.array([[0.1, -0.0, 1e30, TINY]], np.float32), np.empty((0, 4), np.float32)], ids=str
)
async def test_every_number_arrives_as_it_was_sent(database: Database, sent: npt.NDArray[np.float32]) -> None:
    wanted = text("SELECT number::float8 FROM unnest(CAST(:sent AS real[])) WITH ORDINALITY AS s(number, n) ORDER BY n")
    async with database.transaction() as session:
        arrived = (await session.scalars(wanted, {"sent": Numbers.of(sent)})).all()
    assert arrived == sent.astype(np.float64).ravel().tolist()


async def test_a_slice_is_the_vector_that_its_digits_would_be(database: Database) -> None:
    both = text("SELECT CAST((CAST(:sent AS real[]))[897 : 1792] AS vector) = CAST(:digits AS vector)")
    digits = str([float(number) for number in DRAWN[1]])
    async with database.transaction() as session:
        assert await session.scalar(both, {"sent": Numbers.of(DRAWN), "digits": digits})


async def test_rows_may_differ_in_width_and_a_slice_from_nowhere_is_null(database: Database) -> None:
    sliced = text("SELECT (CAST(:sent AS real[]))[:a : :b]")
    rows = Numbers.of([[1.0, 2.0], [3.0, 4.0, 5.0]])
    async with database.transaction() as session:
        assert await session.scalar(sliced, {"sent": rows, "a": 3, "b": 5}) == [3.0, 4.0, 5.0]
        assert await session.scalar(sliced, {"sent": rows, "a": None, "b": None}) is None
