"""Reads back what was said in a chat, as the web chat's window shows it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ARRAY, Select, Text, and_, cast, false, func, literal, select, union_all
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
            refs = [MessageRef(platform, row.chat, row.message_id) for row in _rows(heard, noted)]
            refs += [ref for row in said if (ref := mappers.receipt(row)) is not None]
            reactions = await _reactions(session, platform, refs)
            wordings = await _wordings(session, said)
        lines = [_heard(row, reactions) for row in heard]
        lines += [_noted(row, reactions) for row in noted]
        lines += [_said(row, wordings.get(row.id), reactions) for row in said]
        # of what happened at one moment, people's lines come first: ours are answers
        return sorted(lines, key=lambda line: (line.at, line.post is not None))[-limit:]


def _rows(heard: Iterable[MessageRow], noted: Iterable[NoteRow]) -> list[MessageRow | NoteRow]:
    return [*heard, *noted]


def _written(table: type[_Written], platform: str, chats: Sequence[str], limit: int) -> Select[_Written]:
    """The newest messages or notes that people wrote in these chats."""
    each = [
        select(table.id, table.at)
        .where(table.platform == platform, table.chat == chat)
        .order_by(table.at.desc(), table.id.desc())
        .limit(limit)
        for chat in chats
    ]
    newest = _of_all(each)
    return select(table).where(table.id.in_(newest.limit(limit))).order_by(table.at.desc(), table.id.desc())


def _posts(platform: str, chats: Sequence[str], limit: int) -> Select[PostRow]:
    each = [
        select(PostRow.id, PostRow.said_at.label("at"))
        .where(PostRow.platform == platform, PostRow.chat == chat)
        .where(PostRow.said_at.is_not(None), PostRow.edits.is_(None))
        .order_by(PostRow.said_at.desc())
        .limit(limit)
        for chat in chats
    ]
    newest = _of_all(each)
    return (
        select(PostRow).where(PostRow.id.in_(newest.limit(limit))).order_by(PostRow.said_at.desc(), PostRow.id.desc())
    )


def _of_all(each: Sequence[Select[int, datetime | None]]) -> Select[int]:
    """The ids, newest first. Each chat is queried by itself: only then does an index give its newest rows."""
    if not each:
        return select(literal(0)).where(false())
    every = union_all(*(select(one.subquery()) for one in each)).subquery()
    return select(every.c.id).order_by(every.c.at.desc(), every.c.id.desc())


async def _reactions(session: AsyncSession, platform: str, refs: Sequence[MessageRef]) -> _Reactions:
    """The reactions now in place, by message."""
    names = ([ref.chat for ref in refs], [ref.id for ref in refs])
    arrays = (cast(literal(of, ARRAY(Text)), ARRAY(Text)) for of in names)
    on = func.unnest(*arrays).table_valued("chat", "message_id").render_derived(name="wanted")
    here = and_(ReactionRow.chat == on.c.chat, ReactionRow.message_id == on.c.message_id)
    events = select(ReactionRow).join(on, here).where(ReactionRow.platform == platform)
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
