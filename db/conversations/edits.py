"""What people change or take back after they said it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.domain.citations import named_in, with_citation
from bot.domain.conversations import PendingEdit, StandingCard, State
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change, Stored
from bot.domain.messages import Deletion, Edit, Media, MessageRef, Note, clean, joined
from bot.domain.posts import Content, FollowUp, Post, Reply
from db.conversations.answers import alerts_of
from db.conversations.claims import LIMIT, NOW, free, held, lease, release
from db.conversations.failures import backs_off, readable
from db.engine import announce
from db.posts.enqueue import enqueue
from db.posts.latest import all_cards, standing_among, wordings
from db.reading import mappers
from db.reading.codec import decode_media, encode_media
from db.redaction.posts import Redaction, redact_posts, unlearn
from db.tables import ConversationRow, MessageRow, NoteRow

_UNDECIDED = (State.NEW, State.ASKED)
Said = MessageRow | NoteRow


async def add_edit(session: AsyncSession, edit: Edit) -> Stored:
    row, talk = await _found(session, edit.ref)
    if isinstance(row, NoteRow) and row.conversation_id is None:
        text, parked = clean(edit.text), decode_media(row.media)
        await _change(session, row, text=text, cites=list(named_in(text, parked)), edited_at=edit.at)
        return Stored(new=True)
    if row is None or talk is None or row.deleted_at is not None:
        return Stored(new=False)
    if row.edited_at is not None and edit.at < row.edited_at:
        return Stored(new=False)
    text = clean(with_citation(row.text, edit.text))
    media = _attached(row, edit)
    if text == row.text and media is None:
        await _change(session, row, edited_at=edit.at)
        return Stored(new=False)
    shows = decode_media(row.media) if media is None else media
    says = {"text": text, "media": encode_media(shows), "cites": list(named_in(text, shows))}
    await _change(session, row, **says, edited_at=edit.at, **_again(row))
    await _reconsider(session, talk, row)
    await _tell(session, talk, row)
    return Stored(True, talk.id)


def _attached(row: Said, edit: Edit) -> tuple[Media, ...] | None:
    """The attachments after the edit; None: unchanged. A file whose platform only gave it another id is the same file.

    Files that came with the message this one cites stay: an edit lists a message's own files only.
    """
    if edit.media is None:
        return None
    before = decode_media(row.media)
    known = {(one.kind, one.name, one.size): one for one in before}
    now = [known.get((one.kind, one.name, one.size), one) if one.size else one for one in edit.media]
    media = (*now, *(one for one in before if one.cited and one not in now))
    return None if media == before else media


async def add_deletion(session: AsyncSession, deletion: Deletion) -> Stored:
    row, talk = await _found(session, deletion.ref)
    if isinstance(row, NoteRow) and row.conversation_id is None:
        await session.execute(delete(NoteRow).where(NoteRow.id == row.id))
        return Stored(new=True)
    if row is None or talk is None or row.deleted_at is not None:
        return Stored(new=False)
    concluded = func.coalesce(type(row).concluded_at, deletion.at)
    redacted: dict[str, object] = {"text": "", "media": [], "cites": [], "deleted_at": deletion.at}
    await _change(session, row, **redacted, concluded_at=concluded, stale=_passed_on(row))
    await _reconsider(session, talk, row)
    now = deletion.heard or deletion.at
    await _forget(session, talk, row, now)
    if talk.state in _UNDECIDED and isinstance(row, MessageRow):
        await _close_if_empty(session, talk, now)
    await _tell(session, talk, row)
    return Stored(True, talk.id)


async def _found(session: AsyncSession, ref: MessageRef) -> tuple[Said | None, ConversationRow | None]:
    """The message or note and its conversation, both locked, in the order in which every step locks them.

    A parked note has no conversation.
    """
    for table in (MessageRow, NoteRow):
        here = and_(table.platform == ref.platform, table.chat == ref.chat, table.message_id == ref.id)
        found = (await session.execute(select(table.conversation_id).where(here))).first()
        if found is not None:
            of = found[0]
            talk = await session.scalar(select(ConversationRow).where(ConversationRow.id == of).with_for_update())
            return await session.scalar(select(table).where(here).with_for_update()), talk
    return None, None


def _passed_on(row: Said) -> bool:
    """Whether the words stand in somebody's room by now."""
    return row.carried_by is not None or (isinstance(row, MessageRow) and row.decided)


def _again(row: Said) -> dict[str, object]:
    """What changes in an edited message or note besides its words."""
    if _passed_on(row):
        return {"stale": True}
    # Until now there was nothing in it worth passing on
    return {"concluded_at": None} if isinstance(row, MessageRow) else {}


async def _change(session: AsyncSession, row: Said, **values: object) -> None:
    changed = update(type(row)).where(type(row).id == row.id).values(**values)
    await session.execute(changed.execution_options(synchronize_session=False))


async def _reconsider(session: AsyncSession, talk: ConversationRow, row: Said) -> None:
    """Take the conversation from a step that holds it: what that step concludes from the old words is refused."""
    undecided = talk.state in _UNDECIDED and isinstance(row, MessageRow)
    values = {"version": ConversationRow.version + 1, "resting": False} if undecided else {}
    changed = update(ConversationRow).where(ConversationRow.id == talk.id).values(leased_until=None, **values)
    await session.execute(changed.execution_options(synchronize_session=False))


async def _tell(session: AsyncSession, talk: ConversationRow, row: Said) -> None:
    if _passed_on(row):
        await announce(session, Change.REVISED, Change.FREED)
    else:
        await announce(session, Change.MESSAGE if talk.state in _UNDECIDED else Change.NEXT, Change.FREED)


async def _forget(session: AsyncSession, talk: ConversationRow, row: Said, now: datetime) -> None:
    """Empty everything that quotes the words that were taken back."""
    excerpt = None
    if isinstance(row, MessageRow) and row.author_id == talk.person_id and (row.decided or row.concluded_at is None):
        excerpt = await _basis(session, talk.id)
        nothing = update(ConversationRow).where(ConversationRow.id == talk.id)
        await session.execute(
            nothing.values(text=None, vector=None, embedder=None).execution_options(synchronize_session=False)
        )
        await unlearn(session, [talk.id], now)
    gone = Redaction(
        texts=(row.text,),
        media=decode_media(row.media),
        carried=frozenset([] if row.carried_by is None else [row.carried_by]),
        notes=frozenset([row.id] if isinstance(row, NoteRow) else []),
        excerpt=excerpt,
    )
    await redact_posts(session, [talk.id], gone, now)


async def _basis(session: AsyncSession, conversation_id: int) -> str:
    """Everything the decision is based on, as it reads now."""
    return joined([row.text for row in await _decided(session, conversation_id)])


async def _decided(session: AsyncSession, conversation_id: int) -> Sequence[MessageRow]:
    basis = (
        select(MessageRow)
        .where(MessageRow.conversation_id == conversation_id, MessageRow.decided, MessageRow.deleted_at.is_(None))
        .order_by(MessageRow.at, MessageRow.id)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(basis)).all()


async def _close_if_empty(session: AsyncSession, talk: ConversationRow, at: datetime) -> None:
    left = select(MessageRow.id).where(
        MessageRow.conversation_id == talk.id,
        MessageRow.author_id == talk.person_id,
        MessageRow.deleted_at.is_(None),
    )
    if await session.scalar(left.limit(1)) is None:
        closed = update(ConversationRow).where(ConversationRow.id == talk.id)
        await session.execute(
            closed.values(state=State.CLOSED, closed_at=at).execution_options(synchronize_session=False)
        )


# --- passing it on ---


async def claim_edits(session: AsyncSession, now: datetime, limit: int) -> list[PendingEdit]:
    found: list[tuple[Said, ConversationRow]] = []
    for table in (MessageRow, NoteRow):
        told = {"now": now, "limit": limit - len(found)}
        changed = (await session.scalars(_WAITING[table], told)).all()
        if not changed:
            continue
        talks = await _talks(session, [row.conversation_id for row in changed])
        await lease(session, talks.values(), now)
        found += [(row, talks[row.conversation_id]) for row in changed]
    return await readable(session, found, partial(_read, session), _key, now)


def _key(found: tuple[Said, ConversationRow]) -> ItemKey:
    row, talk = found
    return ItemKey("edit", f"{_kind(type(row))} {row.id}", talk.id)


def _kind(table: type[Said]) -> str:
    return "note" if table is NoteRow else "message"


async def _read(session: AsyncSession, found: Sequence[tuple[Said, ConversationRow]]) -> list[PendingEdit]:
    cards, every = await _cards(session, [talk.id for _, talk in found])
    said = await wordings(session, [row.carried_by for row, _ in found if row.carried_by is not None])
    alerts = await alerts_of(session, [talk.id for _, talk in found])
    return [
        PendingEdit(
            id=row.id,
            conversation=mappers.conversation(talk),
            message=mappers.message(row) if isinstance(row, MessageRow) else mappers.note(row),
            deleted=row.deleted_at is not None,
            card=cards.get(talk.id),
            decided=isinstance(row, MessageRow) and row.decided,
            carried=_carried(row, said),
            text=await _basis(session, talk.id) if isinstance(row, MessageRow) else "",
            cards=every.get(talk.id, ()),
            alerts=alerts.get(talk.id, ()),
            media=tuple(one for said in await _decided(session, talk.id) for one in decode_media(said.media)),
        )
        for row, talk in found
    ]


async def _cards(
    session: AsyncSession, talks: Sequence[int]
) -> tuple[Mapping[int, StandingCard], Mapping[int, tuple[StandingCard, ...]]]:
    """The standing card of each conversation, and all its cards; a card on its way still shows the old words."""
    every = await all_cards(session, talks)
    return standing_among(every), every


def _waiting(table: type[MessageRow] | type[NoteRow], now: ColumnElement[datetime]) -> Select[Any]:
    """Each free conversation's first message, or note, that was changed after it had been passed on."""
    earlier = aliased(table)
    another = exists().where(earlier.conversation_id == table.conversation_id, earlier.stale, earlier.id < table.id)
    return (
        select(table)
        .join(ConversationRow, ConversationRow.id == table.conversation_id)
        .where(table.stale, free(now), ~another, ~backs_off("edit", table.id, now, _kind(table)))
        .order_by(table.id)
        .with_for_update(skip_locked=True, of=(table, ConversationRow))
    )


_WAITING: Mapping[type[Said], Select[Any]] = {
    table: _waiting(table, NOW).limit(LIMIT) for table in (MessageRow, NoteRow)
}
"""Built once, so that they are compiled once."""


async def _talks(session: AsyncSession, ids: Sequence[int]) -> dict[int, ConversationRow]:
    found = await session.scalars(select(ConversationRow).where(ConversationRow.id.in_(ids)))
    return {talk.id: talk for talk in found}


def _carried(row: Said, said: Mapping[int, Content]) -> tuple[int, FollowUp | Reply] | None:
    says = None if row.carried_by is None else said.get(row.carried_by)
    return (row.carried_by, says) if row.carried_by is not None and isinstance(says, FollowUp | Reply) else None


async def conclude_edit(session: AsyncSession, revised: PendingEdit, posts: Sequence[Post], now: datetime) -> None:
    talk = await held(session, revised.conversation)
    table = NoteRow if isinstance(revised.message, Note) else MessageRow
    if talk is None:
        await release(session, revised.conversation.id)
        await announce(session, Change.FREED)
        return
    fresh = update(table).where(table.id == revised.id, table.stale).values(stale=False)
    row = await session.scalar(fresh.returning(table))
    if row is None:
        return
    if revised.deleted:
        # A step that was at work when the words were taken back may have quoted them once more
        await _forget(session, talk, row, now)
    await enqueue(session, talk.id, posts, now)
    await release(session, talk.id)
    await announce(session, Change.OWED, Change.FREED)
