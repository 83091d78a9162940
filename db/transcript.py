"""Reads back what was said in a chat, as its window shows it."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.messages import MessageRef, Place, Reaction
from bot.domain.posts import Content
from bot.domain.queries import Transcript, TranscriptLine
from db.engine import Database
from db.reading import mappers
from db.tables import MessageRow, NoteRow, PostRow, ReactionRow

_Reactions = dict[MessageRef, tuple[tuple[str, str], ...]]
_Written = TypeVar("_Written", MessageRow, NoteRow)


class PostgresTranscript:
    """The transcript in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lines(self, platform: str, chats: Sequence[str], limit: int) -> list[TranscriptLine]:
        async with self._database.transaction() as session:
            heard = (await session.scalars(_written(MessageRow, platform, chats, limit))).all()
            noted = (await session.scalars(_written(NoteRow, platform, chats, limit))).all()
            said = (await session.scalars(_posts(platform, chats, limit))).all()
            refs = [row.message_id for row in heard] + [row.message_id for row in noted]
            refs += [row.receipt_id for row in said if row.receipt_id]
            reactions = await _reactions(session, platform, refs)
            wordings = await _wordings(session, said)
        lines = [_heard(row, reactions) for row in heard]
        lines += [_noted(row, reactions) for row in noted]
        lines += [_said(row, wordings.get(row.id), reactions) for row in said]
        # of what happened at one moment, people were first: we answer
        return sorted(lines, key=lambda line: (line.at, line.post is not None))[-limit:]


def _written(table: type[_Written], platform: str, chats: Sequence[str], limit: int) -> Select[_Written]:
    """The newest of what people wrote there."""
    there = select(table).where(table.platform == platform, table.chat.in_(chats))
    return there.order_by(table.at.desc(), table.id.desc()).limit(limit)


def _posts(platform: str, chats: Sequence[str], limit: int) -> Select[PostRow]:
    there = select(PostRow).where(PostRow.platform == platform, PostRow.chat.in_(chats))
    said = there.where(PostRow.said_at.is_not(None), PostRow.edits.is_(None))
    return said.order_by(PostRow.said_at.desc(), PostRow.id.desc()).limit(limit)


async def _reactions(session: AsyncSession, platform: str, refs: Sequence[str]) -> _Reactions:
    """What is in place now, by message."""
    events = select(ReactionRow).where(ReactionRow.platform == platform, ReactionRow.message_id.in_(refs))
    return _by_message(mappers.standing(await session.scalars(events)))


def _by_message(standing: Iterable[Reaction]) -> _Reactions:
    found: _Reactions = {}
    for reaction in standing:
        found[reaction.ref] = (*found.get(reaction.ref, ()), (reaction.emoji, reaction.actor.id))
    return found


async def _wordings(session: AsyncSession, said: Sequence[PostRow]) -> dict[int, Content]:
    """The newest wording of each post that was rewritten."""
    edits = (
        select(PostRow)
        .where(PostRow.edits.in_([row.id for row in said]), PostRow.said_at.is_not(None))
        .order_by(PostRow.id)
    )
    return {row.edits: mappers.content(row) for row in await session.scalars(edits) if row.edits is not None}


def _heard(row: MessageRow, reactions: _Reactions) -> TranscriptLine:
    message = mappers.message(row)
    return TranscriptLine(
        message.ref, message.place, row.at, message, None, reactions.get(message.ref, ()), edited=_edited(row)
    )


def _noted(row: NoteRow, reactions: _Reactions) -> TranscriptLine:
    note = mappers.note(row)
    place = Place(row.platform, row.chat)
    return TranscriptLine(note.ref, place, row.at, None, None, reactions.get(note.ref, ()), note, _edited(row))


def _edited(row: MessageRow | NoteRow) -> bool:
    return row.edited_at is not None and row.deleted_at is None


def _said(row: PostRow, wording: Content | None, reactions: _Reactions) -> TranscriptLine:
    ref = MessageRef(row.platform, row.receipt_chat or row.chat, row.receipt_id or "")
    post = mappers.post(row, wording)
    return TranscriptLine(ref, post.place, row.said_at or row.owed_at, None, post, reactions.get(ref, ()))


_: type[Transcript] = PostgresTranscript
