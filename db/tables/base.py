"""What all tables share: text that PostgreSQL can hold, names, keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, ForeignKey, Identity, MetaData, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

MAX_NAME = 150
"""The most characters kept of an identifier: four of them, at four bytes a character, fit into one index entry."""


def storable(written: str) -> str:
    """The text without what PostgreSQL cannot hold: NUL is dropped, a lone surrogate becomes "?"."""
    return written.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


class Words(TypeDecorator[str]):
    """Text of any length, made storable when it is written."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class Name(TypeDecorator[str]):
    """An identifier: storable, and short enough to be indexed whatever a stranger sends."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)[:MAX_NAME]


class Table(DeclarativeBase):
    """The base of every table: plural names, constraints named by rule, times with their zone."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads it from the class
        str: Name,
        datetime: DateTime(timezone=True),
        dict[str, float]: JSONB,
        dict[str, str]: JSONB,
        dict[str, object]: JSONB,
        list[int]: ARRAY(BigInteger),
        list[str]: ARRAY(Words),
        list[dict[str, object]]: JSONB,
    }


def new_id() -> Mapped[int]:
    return mapped_column(BigInteger, Identity(always=True), primary_key=True)


def to(column: str) -> Mapped[Any]:
    return mapped_column(BigInteger, ForeignKey(column))
