"""Buttons pressed on our posts, and what the presses meant."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, Row, Select, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.domain.conversations import State
from bot.domain.decisions import Author, Decision
from bot.domain.failures import ItemKey
from bot.domain.learning import Source
from bot.domain.ledger import Change
from bot.domain.messages import MessageRef, joined
from bot.domain.posts import Card, Content, Offer, Post, Question, Solved, Split, WrongTeam
from bot.domain.presses import Button, Chosen, Dispatched, Meaning, PendingPress, Settled, SplitOff, Stated
from bot.domain.report_posts import ShadowCard
from bot.domain.rich_text import plain
from db.conversations.answers import answers_of
from db.conversations.basis import of_words
from db.conversations.claims import LIMIT, NOW, free, held, lease, release
from db.conversations.decisions import heard, move
from db.conversations.ended import Named, heirs_of, of_ended_teams
from db.conversations.examples import ConversationExample, store_example
from db.conversations.failures import backs_off, readable
from db.conversations.follow_ups import reopen
from db.conversations.intake import store_reaction
from db.conversations.messages import alone_in
from db.conversations.notes import note_of, send
from db.conversations.split import split_off
from db.conversations.targets import nobodys, on
from db.engine import announce
from db.posts.enqueue import enqueue
from db.posts.latest import all_cards, standing_among, wordings
from db.reading import mappers
from db.tables import ConversationRow, NoteRow, PostRow, PressRow

_BUTTONED = tuple(kind.__name__ for kind in (Question, Offer, Solved, Split, WrongTeam, Card))
_HAS_BUTTONS = and_(PostRow.kind.in_(_BUTTONED), PostRow.edits.is_(None), PostRow.conversation_id.is_not(None))


async def claim_presses(session: AsyncSession, now: datetime, limit: int) -> list[PendingPress]:
    await session.execute(_IGNORED, {"now": now})
    found = (await session.execute(_WAITING, {"now": now, "limit": limit})).all()
    talks = {talk.id: talk for _, talk, _ in found}
    await lease(session, talks.values(), now)
    return await readable(
        session, found, partial(_read, session), lambda row: ItemKey("press", str(row[0].id), row[1].id), now
    )


async def _read(session: AsyncSession, found: Sequence[Row[PressRow, ConversationRow, PostRow]]) -> list[PendingPress]:
    talks = {talk.id: talk for _, talk, _ in found}
    messages = await mappers.own_messages(session, list(talks))
    said = await wordings(session, [post.id for _, _, post in found])
    every = await all_cards(session, list(talks))
    cards, answers = standing_among(every), await answers_of(session, list(talks))
    notes = {post.id: await _note(session, said[post.id]) for _, _, post in found}
    asked_if_solved = [talk for _, talk, post in found if isinstance(said[post.id], Solved)]
    ended = await of_ended_teams(session, asked_if_solved)
    named = {post.id: _named(talk, post, said[post.id]) for _, talk, post in found}
    heirs = dict(zip(named, await heirs_of(session, named.values()), strict=True))
    return [
        PendingPress(
            id=fact.id,
            press=mappers.press(fact),
            conversation=mappers.conversation(talk),
            messages=messages[talk.id],
            post=post.id,
            on=said[post.id],
            card=cards.get(talk.id),
            note=None if (note := notes[post.id]) is None else mappers.note(note),
            sent=note is not None and note.sent_at is not None,
            under=next((one for one in every.get(talk.id, ()) if one.post == post.under), None),
            answers=answers.get(talk.id, ()),
            ended=talk.id in ended,
            merged=heirs[post.id].merged,
            retired=heirs[post.id].retired,
        )
        for fact, talk, post in found
    ]


def _waiting(now: ColumnElement[datetime]) -> Select[PressRow, ConversationRow, PostRow]:
    """Each conversation's oldest waiting press."""
    earlier, its_post = aliased(PressRow), aliased(PostRow)
    another = (
        exists()
        .where(earlier.platform == its_post.platform, earlier.chat == its_post.receipt_chat)
        .where(earlier.message_id == its_post.receipt_id, its_post.conversation_id == ConversationRow.id)
        .where(its_post.kind.in_(_BUTTONED), its_post.edits.is_(None), earlier.concluded_at.is_(None))
        .where(or_(earlier.at < PressRow.at, and_(earlier.at == PressRow.at, earlier.id < PressRow.id)))
    )
    return (
        select(PressRow, ConversationRow, PostRow)
        .join(PostRow, on(PressRow))
        .join(ConversationRow, ConversationRow.id == PostRow.conversation_id)
        .where(PressRow.concluded_at.is_(None), _HAS_BUTTONS, free(now), ~another)
        .where(~backs_off("press", PressRow.id, now))
        .order_by(PressRow.at, PressRow.id)
        .with_for_update(skip_locked=True, of=(PressRow, ConversationRow))
    )


_IGNORED = (
    update(PressRow)
    .where(nobodys(PressRow, exists().where(on(PressRow), or_(_HAS_BUTTONS, PostRow.kind == ShadowCard.__name__)), NOW))
    .values(concluded_at=NOW)
    .execution_options(synchronize_session=False)
)
_WAITING = _waiting(NOW).limit(LIMIT)
"""Built once, so that they are compiled once."""


async def button(session: AsyncSession, ref: MessageRef) -> Button | None:
    here = PostRow.platform == ref.platform, PostRow.receipt_chat == ref.chat, PostRow.receipt_id == ref.id
    found = select(PostRow, ConversationRow).join(ConversationRow, ConversationRow.id == PostRow.conversation_id)
    row = (await session.execute(found.where(*here, _HAS_BUTTONS).limit(1))).first()
    if row is None:
        return await _of_shadow_card(session, ref)
    post, talk = row
    room, said = mappers.place(post), (await wordings(session, [post.id])).get(post.id)
    match said:
        case Question():
            return Button(room, said.answered is not None, mappers.conversation(talk).person)
        case Solved():
            return Button(room, said.answer is not None, mappers.conversation(talk).person)
        case Split():
            return Button(room, said.done, mappers.conversation(talk).person)
        case WrongTeam():
            return Button(room, said.chosen is not None, for_leads=True, label=talk.label)
        case Offer():
            return Button(room, said.sent)
        case _:
            return None


async def _of_shadow_card(session: AsyncSession, ref: MessageRef) -> Button | None:
    here = PostRow.platform == ref.platform, PostRow.receipt_chat == ref.chat, PostRow.receipt_id == ref.id
    row = (await session.scalars(select(PostRow).where(*here, PostRow.kind == ShadowCard.__name__).limit(1))).first()
    said = None if row is None else (await wordings(session, [row.edits or row.id])).get(row.edits or row.id)
    if row is None or not isinstance(said, ShadowCard):
        return None
    return Button(mappers.place(row), bool(said.decided), for_leads=True, of_all_teams=True)


def _named(talk: ConversationRow, post: PostRow, said: Content) -> Named:
    """The teams that the buttons name."""
    match said:
        case Question():
            labels = said.candidates
        case WrongTeam() if not said.question:
            labels = said.choices
        case _:
            labels = ()
    return Named(talk.task or "", labels, post.owed_at)


async def _note(session: AsyncSession, said: Content) -> NoteRow | None:
    return await note_of(session, said.note) if isinstance(said, Offer) else None


async def conclude_press(
    session: AsyncSession, pressed: PendingPress, meaning: Meaning, posts: Sequence[Post], now: datetime
) -> None:
    if isinstance(meaning, SplitOff):
        # Locked first, as when a message is stored: in the other order two transactions could wait for each other
        await alone_in(session, pressed.conversation.place.platform, pressed.conversation.place.chat)
    row = await held(session, pressed.conversation)
    if row is None:
        await release(session, pressed.conversation.id)
        await announce(session, Change.FREED)
        return
    fresh = update(PressRow).where(PressRow.id == pressed.id, PressRow.concluded_at.is_(None))
    done = await session.execute(fresh.values(concluded_at=now).returning(PressRow.id))
    if done.first() is None:
        return
    await _mean(session, row, pressed, meaning, posts, now)
    await release(session, row.id)
    await announce(session, Change.OWED, Change.FREED)


async def _mean(
    session: AsyncSession,
    row: ConversationRow,
    pressed: PendingPress,
    meaning: Meaning,
    posts: Sequence[Post],
    now: datetime,
) -> None:
    match meaning:
        case Chosen(decision):
            await _choose(session, row, pressed, decision, now)
        case Stated(reaction):
            await store_reaction(session, reaction)
        case Settled(solved):
            await _settle(session, row, solved, now)
        case SplitOff(message):
            await split_off(session, row, message)
        case Dispatched(note):
            sent = await note_of(session, note)
            if sent is not None:
                await send(session, sent, posts, now)
            return
        case None:
            pass
    await enqueue(session, row.id, posts, now)


async def _choose(
    session: AsyncSession, row: ConversationRow, pressed: PendingPress, decision: Decision, now: datetime
) -> None:
    chosen_for = None if row.text is None else of_words(row, plain(joined([one.text for one in pressed.messages])))
    await move(session, row.id, decision, now)
    await session.execute(heard(pressed.conversation.id, pressed.messages, now))
    if decision.by is Author.PERSON and chosen_for is not None:
        tap = ConversationExample(decision.task, decision.label, Source.TAP, pressed.press.at)
        await store_example(session, row.id, chosen_for, tap, now)


async def _settle(session: AsyncSession, row: ConversationRow, solved: bool, now: datetime) -> None:
    if not solved:
        await reopen(session, row.id, now)
    elif row.state != State.CLOSED:
        closed = update(ConversationRow).where(ConversationRow.id == row.id).values(state=State.CLOSED, closed_at=now)
        await session.execute(closed.execution_options(synchronize_session=False))
