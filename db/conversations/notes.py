"""What teams write under cards: internal, until a step decides that a reply with the note is owed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Update,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.domain.citations import named_in
from bot.domain.conversations import PendingNote, StandingCard
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change, Stored
from bot.domain.messages import MessageRef, Note, clean
from bot.domain.posts import Card, Continuation, FollowUp, Notice, Offer, Post, Reply, Sent, WrongTeam
from bot.domain.question_posts import Alert
from bot.domain.report_posts import (
    ComparisonReport,
    Digest,
    LearningReport,
    ShadowCard,
    ShadowExplanation,
    TrainingProgress,
)
from db.conversations.claims import LIMIT, NOW, free, held, lease, release
from db.conversations.failures import backs_off, readable
from db.conversations.targets import on_note
from db.engine import announce
from db.posts.enqueue import enqueue
from db.posts.latest import all_cards, standing_among
from db.posts.questions import asking
from db.reading import mappers
from db.reading.codec import encode_media
from db.tables import ConversationRow, MessagePartRow, MessageRow, NoteRow, PostRow, ReactionRow, storable

_OF_THE_TEAM = tuple(kind.__name__ for kind in (Card, FollowUp, Sent, Offer, WrongTeam, Notice))
"""Posts that stand in the team's room. What is written under our posts to the person is no note."""
_TO_LEADS = tuple(
    kind.__name__
    for kind in (LearningReport, Digest, ShadowCard, ShadowExplanation, TrainingProgress, Alert, ComparisonReport)
)
_IN_TEAMS_ROOMS = (*_OF_THE_TEAM, *_TO_LEADS)
_PARKED_FOR = timedelta(hours=1)
"""How long a note waits for the receipt of the post it was written under; then it is deleted."""


async def add_note(session: AsyncSession, note: Note) -> Stored:
    # In this order: the second query finds a receipt that is stored between the two
    under = await whole(session, note.under)
    unsure = await session.scalar(_being_said(under)) is not None
    conversation = await _conversation_under(session, under)
    if conversation is None and not unsure and await _note_at(session, under) is None:
        return Stored(new=False)
    fact = insert(NoteRow).values(**_values(replace(note, under=under)), conversation_id=conversation)
    new = await session.scalar(fact.on_conflict_do_nothing().returning(NoteRow.id))
    if new is None:
        return Stored(new=False)
    await announce(session, Change.NOTE)
    return Stored(True, conversation)


async def is_of_a_team(session: AsyncSession, ref: MessageRef, ours: bool) -> bool:
    under = await whole(session, ref)
    said = _standing_as(under).with_only_columns(or_(PostRow.kind.in_(_IN_TEAMS_ROOMS), _continues_there())).limit(1)
    ours_there = await session.scalar(said)
    if ours_there is not None:
        return ours_there
    if await _note_at(session, under) is not None:
        return True
    return ours and not await _is_a_message(session, under) and await _had_cards(session, under)


async def whole(session: AsyncSession, ref: MessageRef) -> MessageRef:
    """The message of the post of which this message is a part; the message itself when it is no part."""
    row = await session.get(MessagePartRow, (ref.platform, ref.chat, ref.id))
    return ref if row is None else replace(ref, id=row.whole_id)


async def add_part(session: AsyncSession, part: MessageRef, of: MessageRef) -> None:
    values = {"platform": part.platform, "chat": part.chat, "message_id": part.id, "whole_id": of.id}
    await session.execute(insert(MessagePartRow).values(values).on_conflict_do_nothing())


async def _note_at(session: AsyncSession, ref: MessageRef) -> int | None:
    here = NoteRow.platform == ref.platform, NoteRow.chat == ref.chat, NoteRow.message_id == ref.id
    return await session.scalar(select(NoteRow.id).where(*here))


async def _is_a_message(session: AsyncSession, ref: MessageRef) -> bool:
    """Whether it is a person's own message, though we may have posted it for them (a request by command)."""
    here = MessageRow.platform == ref.platform, MessageRow.chat == ref.chat, MessageRow.message_id == ref.id
    return await session.scalar(select(MessageRow.id).where(*here)) is not None


async def _had_cards(session: AsyncSession, ref: MessageRef) -> bool:
    room = or_(_in_the_room(ref), PostRow.receipt_chat == ref.chat)
    cards = select(PostRow.id).where(PostRow.platform == ref.platform, room, PostRow.kind == Card.__name__)
    return await session.scalar(cards.limit(1)) is not None


def _in_the_room(ref: MessageRef) -> ColumnElement[bool]:
    """Whether a post belongs in that chat or in one of its topics."""
    return or_(PostRow.chat == ref.chat, PostRow.chat.startswith(f"{ref.chat}/", autoescape=True))


async def _conversation_under(session: AsyncSession, ref: MessageRef) -> int | None:
    found = await session.scalar(_said_as(ref).with_only_columns(PostRow.conversation_id).limit(1))
    if found is not None:
        return found
    note = select(NoteRow.conversation_id).where(
        NoteRow.platform == ref.platform, NoteRow.chat == ref.chat, NoteRow.message_id == ref.id
    )
    return await session.scalar(note)


def _being_said(ref: MessageRef) -> Select[int]:
    """Posts of ours on their way to that room: the note may be under one of them."""
    tried = and_(PostRow.leased_until.is_not(None), PostRow.said_at.is_(None), PostRow.given_up_at.is_(None))
    there = PostRow.platform == ref.platform, _in_the_room(ref), PostRow.kind.in_(_OF_THE_TEAM)
    return select(PostRow.id).where(*there, tried, PostRow.edits.is_(None)).limit(1)


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
        "cites": [storable(key) for key in named_in(note.text, note.media)],
        "send": note.send,
        "at": note.at,
        "heard_at": note.heard or note.at,
        "stale": False,
    }


# --- looking at them ---


async def claim_notes(session: AsyncSession, now: datetime, limit: int) -> list[PendingNote]:
    await _unpark(session, now)
    await session.execute(_TOO_LATE, {"now": now})
    waiting = (await session.execute(_WAITING, {"now": now, "limit": limit})).all()
    found = {row[1].id: row for row in reversed(waiting)}
    await lease(session, [talk for _, talk in found.values()], now)
    rows = list(reversed(found.values()))
    return await readable(
        session, rows, partial(_read, session), lambda row: ItemKey("note", str(row[0].id), row[1].id), now
    )


async def _read(session: AsyncSession, rows: Sequence[Row[NoteRow, ConversationRow]]) -> list[PendingNote]:
    ids = [talk.id for _, talk in rows]
    asked, every = await asking(session, ids), await all_cards(session, ids)
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
        for row, talk in rows
    ]


async def _unpark(session: AsyncSession, now: datetime) -> None:
    """Give parked notes the conversation of the post they are under, once it has a receipt; delete those that waited
    too long."""
    for row in (await session.scalars(_PARKED)).all():
        under = await whole(session, MessageRef(row.platform, row.under_chat, row.under_id))
        found = await _conversation_under(session, under)
        if found is not None:
            mine = update(NoteRow).where(NoteRow.id == row.id).values(conversation_id=found, under_id=under.id)
            await session.execute(mine.execution_options(synchronize_session=False))
        elif row.heard_at <= now - _PARKED_FOR:
            await session.execute(delete(NoteRow).where(NoteRow.id == row.id))


async def _card_over(session: AsyncSession, row: NoteRow, cards: Sequence[StandingCard]) -> StandingCard | None:
    """The card in whose thread the note stands, whether under the card itself, another post of ours, or a note."""
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
    """Our posts in a team's room that this message shows, newest first: the post itself and its rewordings."""
    return _standing_as(ref).where(or_(PostRow.kind.in_(_OF_THE_TEAM), _continues_there()))


def _continues_there() -> ColumnElement[bool]:
    """Whether it is the rest of a card or of a post under a card; the rest of a reply stands with the person."""
    return and_(PostRow.kind == Continuation.__name__, PostRow.under.is_not(None))


def _standing_as(ref: MessageRef) -> Select[PostRow]:
    here = PostRow.platform == ref.platform, PostRow.receipt_chat == ref.chat, PostRow.receipt_id == ref.id
    return select(PostRow).where(*here).order_by(PostRow.id.desc())


def _too_late(now: ColumnElement[datetime]) -> Update:
    """Reactions on a note that was sent or deleted mean nothing any more."""
    over = exists().where(on_note(ReactionRow), or_(NoteRow.sent_at.is_not(None), NoteRow.deleted_at.is_not(None)))
    late = update(ReactionRow).where(ReactionRow.concluded_at.is_(None), over).values(concluded_at=now)
    return late.execution_options(synchronize_session=False)


def _waiting(now: ColumnElement[datetime]) -> Select[NoteRow, ConversationRow]:
    """Each free conversation's oldest note that a step has to look at."""
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
        .where(NoteRow.id.in_(union_all(new, again)), free(now), ~another, ~backs_off("note", NoteRow.id, now))
        .where(func.coalesce(NoteRow.not_before, now) <= now)
        .order_by(NoteRow.at, NoteRow.id)
        .with_for_update(skip_locked=True, of=(NoteRow, ConversationRow))
    )


_PARKED = (
    select(NoteRow)
    .where(NoteRow.conversation_id.is_(None))
    .order_by(NoteRow.heard_at, NoteRow.id)
    .with_for_update(skip_locked=True)
)
_TOO_LATE, _WAITING = _too_late(NOW), _waiting(NOW).limit(LIMIT)
"""Built once, so that they are compiled once."""


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


async def postpone_note(session: AsyncSession, noted: PendingNote, until: datetime) -> None:
    later = update(NoteRow).where(NoteRow.id == noted.id).values(not_before=until)
    await session.execute(later.execution_options(synchronize_session=False))
    await _again(session, noted)


async def _again(session: AsyncSession, noted: PendingNote) -> None:
    """Release the note's conversation: something changed meanwhile, so that the conclusion is out of date."""
    await release(session, noted.conversation.id)
    await announce(session, Change.FREED)


def _looked_at(note_id: int, now: datetime) -> Update:
    marked = update(NoteRow).where(NoteRow.id == note_id)
    marked = marked.values(concluded_at=func.coalesce(NoteRow.concluded_at, now))
    return marked.execution_options(synchronize_session=False)


async def send(session: AsyncSession, row: NoteRow, posts: Sequence[Post], now: datetime) -> None:
    """Owe the posts that send a note; a note that was sent before is not sent again, but the other posts are owed."""
    if row.sent_at is not None:
        await enqueue(session, row.conversation_id, [one for one in posts if not isinstance(one.content, Reply)], now)
        return
    ids = await enqueue(session, row.conversation_id, posts, now)
    replies = (post for one, post in zip(posts, ids, strict=True) if isinstance(one.content, Reply))
    marked = update(NoteRow).where(NoteRow.id == row.id)
    marked = marked.values(sent_at=now, carried_by=next(replies, None))
    await session.execute(marked.execution_options(synchronize_session=False))
    # The team spoke: the person's answer belongs to this conversation, however long the person had been silent
    spoken = update(ConversationRow).where(ConversationRow.id == row.conversation_id)
    spoken = spoken.values(spoken_at=func.greatest(ConversationRow.spoken_at, now), on_hold=False)
    await session.execute(spoken.execution_options(synchronize_session=False))


async def note_of(session: AsyncSession, note_id: int) -> NoteRow | None:
    """The note, locked; None when it was deleted."""
    wanted = select(NoteRow).where(NoteRow.id == note_id, NoteRow.deleted_at.is_(None))
    return await session.scalar(wanted.with_for_update())
