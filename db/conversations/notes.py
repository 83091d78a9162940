"""What teams write under cards: internal, until a step says that a reply with it is owed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, Update, and_, exists, func, or_, select, union_all, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.domain.conversations import PendingNote, StandingCard
from bot.domain.errors import Unreachable
from bot.domain.messages import MessageRef, Note, clean
from bot.domain.ports import Change
from bot.domain.posts import Card, FollowUp, Notice, Offer, Post, Reply, Sent, WrongTeam
from db.conversations.claims import free, held, lease, release
from db.conversations.targets import on_note
from db.engine import announce
from db.posts.enqueue import enqueue
from db.posts.latest import all_cards, standing_among
from db.posts.questions import asking
from db.reading import mappers
from db.reading.codec import encode_media
from db.tables import ConversationRow, NoteRow, PostRow, ReactionRow

_OF_THE_TEAM = tuple(kind.__name__ for kind in (Card, FollowUp, Sent, Offer, WrongTeam, Notice))
"""What stands in the team's room. Whatever is written under our posts to the person is no note."""


async def add_note(session: AsyncSession, note: Note) -> bool:
    # In this order: a receipt that is stored between the two questions is found by the second
    unsure = await session.scalar(_being_said(note.under)) is not None
    conversation = await _conversation_under(session, note.under)
    if conversation is None:
        if unsure:
            raise Unreachable("database: what this was written under has no receipt yet")
        return False
    fact = insert(NoteRow).values(**_values(note), conversation_id=conversation)
    new = await session.scalar(fact.on_conflict_do_nothing().returning(NoteRow.id))
    if new is None:
        return False
    await announce(session, Change.NOTE)
    return True


async def _conversation_under(session: AsyncSession, ref: MessageRef) -> int | None:
    found = await session.scalar(_said_as(ref).with_only_columns(PostRow.conversation_id).limit(1))
    if found is not None:
        return found
    note = select(NoteRow.conversation_id).where(
        NoteRow.platform == ref.platform, NoteRow.chat == ref.chat, NoteRow.message_id == ref.id
    )
    return await session.scalar(note)


def _being_said(ref: MessageRef) -> Select[int]:
    """Posts of ours in that room that are on their way there just now: one of them may be meant.

    One that must wait is none of them: for as long as it waits, nothing else would be heard on that platform.
    """
    room = or_(PostRow.chat == ref.chat, PostRow.chat.startswith(f"{ref.chat}/"))
    tried = and_(PostRow.leased_until.is_not(None), PostRow.said_at.is_(None), PostRow.given_up_at.is_(None))
    return select(PostRow.id).where(PostRow.platform == ref.platform, room, tried, PostRow.edits.is_(None)).limit(1)


def _values(note: Note) -> dict[str, object]:
    return {
        "platform": note.ref.platform,
        "chat": note.ref.chat,
        "message_id": note.ref.id,
        "under_chat": note.under.chat,
        "under_id": note.under.id,
        "author_id": note.author.id,
        "author_name": note.author.name,
        "language": note.author.language,
        "external": note.author.external,
        "text": clean(note.text),
        "media": encode_media(note.media),
        "send": note.send,
        "at": note.at,
        "stale": False,
    }


# --- looking at them ---


async def claim_notes(session: AsyncSession, now: datetime, limit: int) -> list[PendingNote]:
    await session.execute(_too_late(now))
    found = {talk.id: (row, talk) for row, talk in reversed((await session.execute(_waiting(now).limit(limit))).all())}
    await lease(session, [talk for _, talk in found.values()], now)
    asked, every = await asking(session, list(found)), await all_cards(session, list(found))
    cards = standing_among(every)
    return [
        PendingNote(
            id=row.id,
            note=mappers.note(row),
            conversation=mappers.conversation(talk),
            sent=row.sent_at is not None,
            standing=tuple(mappers.standing(await _events(session, row))),
            card=cards.get(talk.id),
            asking=asked.get(talk.id, ()),
            under=await _card_over(session, row, every.get(talk.id, ())),
        )
        for row, talk in reversed(found.values())
    ]


async def _card_over(session: AsyncSession, row: NoteRow, cards: Sequence[StandingCard]) -> StandingCard | None:
    """The card in whose thread the note stands, be it under that, under something else of ours, or under a note."""
    seen: set[int] = set()
    above: NoteRow | None = row
    while above is not None and above.id not in seen:
        seen.add(above.id)
        ref = MessageRef(above.platform, above.under_chat, above.under_id)
        post = await session.scalar(_said_as(ref).where(PostRow.edits.is_(None)).limit(1))
        if post is not None:
            return next((card for card in cards if card.post == (post.under or post.id)), None)
        at = NoteRow.platform == ref.platform, NoteRow.chat == ref.chat, NoteRow.message_id == ref.id
        above = await session.scalar(select(NoteRow).where(*at))
    return None


def _said_as(ref: MessageRef) -> Select[PostRow]:
    """Our posts that this message is, the newest first: the post itself, and what rewrote it."""
    here = PostRow.platform == ref.platform, PostRow.receipt_chat == ref.chat, PostRow.receipt_id == ref.id
    return select(PostRow).where(*here, PostRow.kind.in_(_OF_THE_TEAM)).order_by(PostRow.id.desc())


def _too_late(now: datetime) -> Update:
    """Emoji on what was sent, or deleted, mean nothing any more."""
    over = exists().where(on_note(ReactionRow), or_(NoteRow.sent_at.is_not(None), NoteRow.deleted_at.is_not(None)))
    late = update(ReactionRow).where(ReactionRow.concluded_at.is_(None), over).values(concluded_at=now)
    return late.execution_options(synchronize_session=False)


def _waiting(now: datetime) -> Select[NoteRow, ConversationRow]:
    """Each free conversation's oldest note that somebody has to look at."""
    new = select(NoteRow.id).where(NoteRow.concluded_at.is_(None))
    again = select(NoteRow.id).join(ReactionRow, on_note(ReactionRow)).where(ReactionRow.concluded_at.is_(None))
    earlier = aliased(NoteRow)
    another = exists().where(
        earlier.conversation_id == NoteRow.conversation_id,
        earlier.concluded_at.is_(None),
        or_(earlier.at < NoteRow.at, and_(earlier.at == NoteRow.at, earlier.id < NoteRow.id)),
    )
    return (
        select(NoteRow, ConversationRow)
        .join(ConversationRow, ConversationRow.id == NoteRow.conversation_id)
        .where(NoteRow.id.in_(union_all(new, again)), free(now), ~another)
        .order_by(NoteRow.at, NoteRow.id)
        .with_for_update(skip_locked=True, of=(NoteRow, ConversationRow))
    )


async def _events(session: AsyncSession, row: NoteRow) -> Sequence[ReactionRow]:
    events = select(ReactionRow).where(
        ReactionRow.platform == row.platform, ReactionRow.chat == row.chat, ReactionRow.message_id == row.message_id
    )
    return (await session.scalars(events)).all()


async def conclude_note(
    session: AsyncSession, noted: PendingNote, sent: bool, posts: Sequence[Post], now: datetime
) -> None:
    talk = await held(session, noted.conversation)
    row = await session.scalar(select(NoteRow).where(NoteRow.id == noted.id).with_for_update())
    if row is None or talk is None:
        await _again(session, noted)
        return
    events = await _events(session, row)
    if tuple(mappers.standing(events)) != noted.standing:
        await _again(session, noted)
        return
    seen = [event.id for event in events if event.concluded_at is None]
    if row.concluded_at is not None and not seen:
        return
    await session.execute(_looked_at(row.id, now))
    await session.execute(update(ReactionRow).where(ReactionRow.id.in_(seen)).values(concluded_at=now))
    if sent:
        await send(session, row, posts, now)
    else:
        await enqueue(session, talk.id, posts, now)
    await release(session, talk.id)
    await announce(session, Change.OWED, Change.FREED)


async def _again(session: AsyncSession, noted: PendingNote) -> None:
    """Something changed while it was looked at: what was concluded is about a past that nobody sees any more."""
    await release(session, noted.conversation.id)
    await announce(session, Change.FREED)


def _looked_at(note_id: int, now: datetime) -> Update:
    marked = update(NoteRow).where(NoteRow.id == note_id)
    marked = marked.values(concluded_at=func.coalesce(NoteRow.concluded_at, now))
    return marked.execution_options(synchronize_session=False)


async def send(session: AsyncSession, row: NoteRow, posts: Sequence[Post], now: datetime) -> None:
    """Owe the posts that send a note; one that was sent before is not sent again, whatever else the posts say."""
    if row.sent_at is not None:
        await enqueue(session, row.conversation_id, [one for one in posts if not isinstance(one.content, Reply)], now)
        return
    ids = await enqueue(session, row.conversation_id, posts, now)
    replies = (post for one, post in zip(posts, ids, strict=True) if isinstance(one.content, Reply))
    marked = update(NoteRow).where(NoteRow.id == row.id)
    marked = marked.values(sent_at=now, carried_by=next(replies, None))
    await session.execute(marked.execution_options(synchronize_session=False))
    # Somebody spoke: the person's answer to it belongs to the same conversation, however long they had been silent
    spoken = update(ConversationRow).where(ConversationRow.id == row.conversation_id)
    spoken = spoken.values(last_at=func.greatest(ConversationRow.last_at, now))
    await session.execute(spoken.execution_options(synchronize_session=False))


async def note_of(session: AsyncSession, note_id: int) -> NoteRow | None:
    """The note, locked; None when its words were deleted."""
    wanted = select(NoteRow).where(NoteRow.id == note_id, NoteRow.deleted_at.is_(None))
    return await session.scalar(wanted.with_for_update())
