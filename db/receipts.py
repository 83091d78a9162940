"""Reactions and presses find what they are on by its receipt."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_

from db.tables import MessageRow, PostRow, PressRow, ReactionRow

RECEIPT_GRACE = timedelta(minutes=10)
"""How long a reaction or press waits for the receipt of what it is on: the two race each other."""

Fact = type[PressRow] | type[ReactionRow]


def on(row: Fact) -> ColumnElement[bool]:
    """Whether a post's receipt is what this fact is about."""
    return and_(
        PostRow.platform == row.platform, PostRow.receipt_chat == row.chat, PostRow.receipt_id == row.message_id
    )


def nobodys(row: Fact, ours: ColumnElement[bool], now: datetime) -> ColumnElement[bool]:
    """Whether a waiting fact is on no post such as `ours` says, and never will be."""
    said = exists().where(on(row))
    heard = exists().where(
        MessageRow.platform == row.platform, MessageRow.chat == row.chat, MessageRow.message_id == row.message_id
    )
    hopeless = or_(said, heard, row.at <= now - RECEIPT_GRACE)
    return and_(row.concluded_at.is_(None), ~exists().where(on(row), ours), hopeless)
