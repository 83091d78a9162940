"""What people want of us besides an answer: another matter, another language; and chats that move."""

from datetime import datetime

from sqlalchemy import Update, and_, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.domain.conversations import State
from bot.domain.ledger import Change
from bot.domain.messages import Person, Place
from db.conversations.messages import alone_in, newest_of
from db.engine import announce
from db.tables import (
    ConversationRow,
    LearnedRoomRow,
    MessagePartRow,
    MessageRow,
    MovedChatRow,
    NoteRow,
    PostRow,
    PreferenceRow,
    PressRow,
    ReactionRow,
    Table,
)


async def leave(session: AsyncSession, person: Person, chat: str, now: datetime) -> bool:
    await alone_in(session, person.platform, chat)
    newest = newest_of(person.platform, chat, person.id).where(ConversationRow.thread.is_(None))
    row = await session.scalar(newest.with_for_update())
    if row is None or row.left_at is not None:
        return False
    left = update(ConversationRow).where(ConversationRow.id == row.id).values(left_at=now)
    await session.execute(left.execution_options(synchronize_session=False))
    return row.state != State.CLOSED


async def name_person(session: AsyncSession, person: Person) -> None:
    """Set the person's name where none is stored. A language already stored stays; a missing one is filled in."""
    for table, who, lives in _WHO:
        row = table.__table__.c
        theirs = and_(row.platform == person.platform, row[f"{who}_id"] == person.id)
        language = func.coalesce(row.language, person.language)
        named = update(table).where(theirs, row[f"{who}_name"] == "", row[lives].is_(None))
        named = named.values({f"{who}_name": person.name, "language": language, "external": person.external})
        await session.execute(named.execution_options(synchronize_session=False))


_WHO: tuple[tuple[type[Table], str, str], ...] = (
    (ConversationRow, "person", "erased_at"),
    (MessageRow, "author", "deleted_at"),
    (NoteRow, "author", "deleted_at"),
    (ReactionRow, "actor", "concluded_at"),
)
"""The tables that keep a person's name, in which role, and the column that ends it: forgotten people get no name
again."""


async def prefer(session: AsyncSession, person: Person, language: str) -> None:
    chosen = insert(PreferenceRow).values(platform=person.platform, person_id=person.id, language=language)
    key = [PreferenceRow.platform, PreferenceRow.person_id]
    await session.execute(chosen.on_conflict_do_update(index_elements=key, set_={"language": language}))
    theirs = update(ConversationRow).where(
        ConversationRow.platform == person.platform, ConversationRow.person_id == person.id
    )
    await session.execute(theirs.values(language=language).execution_options(synchronize_session=False))


async def preferred(session: AsyncSession, person: Person) -> str | None:
    row = await session.get(PreferenceRow, (person.platform, person.id))
    return None if row is None else row.language


async def move_chat(session: AsyncSession, platform: str, before: str, after: str) -> None:
    """Rename the chat everywhere. A row that would collide with one of the new chat stays: it is about another
    message."""
    if before == after:
        return
    await _redirect(session, platform, before, after)
    for table, column in _MENTIONS:
        where = table.__table__.c
        mentioned = update(table).where(where.platform == platform, where[column] == before)
        await session.execute(mentioned.values({column: after}).execution_options(synchronize_session=False))
    for kept in (MessageRow, NoteRow):
        await session.execute(_following(kept, platform, before, after, "message_id"))
    await session.execute(_following(MessagePartRow, platform, before, after, "message_id"))
    for done in (ReactionRow, PressRow):
        await session.execute(_following(done, platform, before, after, "message_id", "actor_id", "at"))
    await announce(session, Change.OWED, Change.FREED)


async def moved_chats(session: AsyncSession, platform: str) -> dict[str, str]:
    moved = select(MovedChatRow.before, MovedChatRow.after).where(MovedChatRow.platform == platform)
    return {row.before: row.after for row in await session.execute(moved)}


async def add_room(session: AsyncSession, instead_of: Place, room: Place) -> None:
    known = insert(LearnedRoomRow).values(platform=room.platform, instead_of=instead_of.chat, chat=room.chat)
    key = [LearnedRoomRow.platform, LearnedRoomRow.instead_of]
    await session.execute(known.on_conflict_do_update(index_elements=key, set_={"chat": room.chat}))


async def learned_rooms(session: AsyncSession, platform: str) -> dict[str, str]:
    rooms = select(LearnedRoomRow.instead_of, LearnedRoomRow.chat).where(LearnedRoomRow.platform == platform)
    return {row.instead_of: row.chat for row in await session.execute(rooms)}


_MENTIONS: tuple[tuple[type[Table], str], ...] = (
    (ConversationRow, "chat"),
    (PostRow, "chat"),
    (PostRow, "receipt_chat"),
    (PostRow, "answers_chat"),
    (NoteRow, "under_chat"),
    (LearnedRoomRow, "chat"),
)


async def _redirect(session: AsyncSession, platform: str, before: str, after: str) -> None:
    """Posts owed to any of the chat's former ids go to the newest id; the newest id leads nowhere else."""
    moved = MovedChatRow
    await session.execute(delete(moved).where(moved.platform == platform, moved.before == after))
    await session.execute(update(moved).where(moved.platform == platform, moved.after == before).values(after=after))
    known = insert(moved).values(platform=platform, before=before, after=after)
    key = [moved.platform, moved.before]
    await session.execute(known.on_conflict_do_update(index_elements=key, set_={"after": after}))


def _following(table: type[Table], platform: str, before: str, after: str, *key: str) -> Update:
    """Move the chat's rows, except those whose key the new chat already has."""
    columns, other = table.__table__.c, aliased(table.__table__)
    taken = exists().where(
        other.c.platform == platform, other.c.chat == after, *(other.c[name] == columns[name] for name in key)
    )
    values: dict[str, object] = {"chat": after}
    if table is MessageRow:
        values["moved_from"] = before
    moved = update(table).where(columns.platform == platform, columns.chat == before, ~taken)
    return moved.values(values).execution_options(synchronize_session=False)
