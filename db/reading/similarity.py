"""The nearness of examples in the table to a text, as SQL; `domain.embedders.Likeness` defines it."""

from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Float, and_, case, cast, func, literal

from bot.domain.embedders import TWO_PARTS, comparable, known_of
from bot.domain.model_ports import Vector
from db.tables import ConversationRow, ExampleRow


def has_comparable_vector(embedder: str) -> ColumnElement[bool]:
    """Whether an example's vector can be compared with this embedder's."""
    return and_(ExampleRow.embedder.in_(comparable(embedder)), ExampleRow.vector.is_not(None))


def similarity(
    vector: Vector, embedder: str, row: type[ExampleRow] | type[ConversationRow] = ExampleRow
) -> ColumnElement[float]:
    """The similarity of an example with a comparable vector; 1 for any other, which was selected for its very text.

    `row` is the table whose vectors are compared: examples, or conversations.
    """
    likeness = known_of(embedder).likeness
    forms, own = likeness.forms(np.asarray([vector], np.float32)), likeness.own
    there, full = row.vector.is_not(None), func.vector_norm(row.vector) > TWO_PARTS
    own_name = and_(there, row.embedder == embedder)
    # CASE, since PostgreSQL may compute a product before it checks that the two vectors are comparable
    ways = (
        [(and_(own_name, full), _product(row, forms.both[0])), (own_name, _product(row, forms.last[0]))] if own else []
    )
    if likeness.parts is not None:
        parts = (forms.first[0, :own], forms.last[0, own:])
        named = zip(likeness.parts, parts, strict=True)
        ways += [(and_(there, row.embedder == name), _product(row, part)) for name, part in named]
    return case(*(ways or [(own_name, _product(row, forms.last[0]))]), else_=literal(1.0))


def _product(
    row: type[ExampleRow] | type[ConversationRow], form: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> ColumnElement[float]:
    """The inner product: for vectors of length 1 it is the cosine, in half the time; pgvector's operator negates it."""
    product: ColumnElement[Any] = row.vector.max_inner_product(form.tolist())
    return -cast(product, Float)
