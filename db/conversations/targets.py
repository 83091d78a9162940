"""Reactions and presses find their target: a post by its receipt, a note, or a conversation's own message."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_

from bot.domain.messages import choice
from db.tables import MessageRow, NoteRow, PostRow, PressRow, ReactionRow

RECEIPT_GRACE = timedelta(minutes=10)
"""How long a reaction or press waits for the receipt of its target, since either may arrive first."""

IS_CHOICE = ReactionRow.emoji.contains(choice(""), autoescape=True)
"""Whether a reaction is a lead's choice by a button or command, stored in the form of a reaction."""

Fact = type[PressRow] | type[ReactionRow]


def on(row: Fact) -> ColumnElement[bool]:
    """Whether the fact's target is the post, by its receipt."""
    return and_(
        PostRow.platform == row.platform, PostRow.receipt_chat == row.chat, PostRow.receipt_id == row.message_id
    )


def on_note(row: Fact) -> ColumnElement[bool]:
    """Whether the fact's target is the note."""
    return and_(NoteRow.platform == row.platform, NoteRow.chat == row.chat, NoteRow.message_id == row.message_id)


def on_message(row: Fact) -> ColumnElement[bool]:
    """Whether the fact's target is the person's message."""
    return and_(
        MessageRow.platform == row.platform, MessageRow.chat == row.chat, MessageRow.message_id == row.message_id
    )


def nobodys(row: Fact, ours: ColumnElement[bool], now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether a waiting fact has no target that matches `ours`, and never will."""
    known = or_(exists().where(on(row)), exists().where(on_message(row)), exists().where(on_note(row)))
    return and_(row.concluded_at.is_(None), ~ours, or_(known, row.heard_at <= now - RECEIPT_GRACE))
