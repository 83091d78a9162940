"""What people do to posts, stored as facts: reactions and presses."""

from datetime import datetime

from sqlalchemy import Executable, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.ledger import Change, Stored
from bot.domain.messages import MessageRef, Press, Reaction, chosen
from db.engine import announce
from db.tables import MessageRow, NoteRow, PostRow, PressRow, ReactionRow


def _heard(fact: Reaction | Press) -> datetime:
    """When we received it, by our own clock."""
    return fact.heard or fact.at


async def add_reaction(session: AsyncSession, reaction: Reaction) -> Stored:
    ours, conversation = await _our_business(session, reaction.ref, choice=chosen(reaction.emoji) is not None)
    if not ours or not await store_reaction(session, reaction):
        return Stored(new=False)
    return Stored(True, conversation)


async def store_reaction(session: AsyncSession, reaction: Reaction) -> bool:
    """Store the reaction; False: it was stored before."""
    elsewhere = reaction.actor.platform if reaction.actor.platform != reaction.ref.platform else None
    told = {"emoji": reaction.emoji, "added": reaction.added, "actor_platform": elsewhere}
    fact = insert(ReactionRow).values(**_by(reaction), **told)
    return await _added(session, fact.on_conflict_do_nothing().returning(ReactionRow.id), Change.REACTION)


async def add_press(session: AsyncSession, press: Press) -> Stored:
    ours, conversation = await _our_business(session, press.ref)
    if not ours:
        return Stored(new=False)
    fact = insert(PressRow).values(**_by(press), value=press.value)
    new = await _added(session, fact.on_conflict_do_nothing().returning(PressRow.id), Change.PRESS)
    return Stored(new, conversation if new else None)


def _by(fact: Reaction | Press) -> dict[str, object]:
    return {
        "platform": fact.ref.platform,
        "chat": fact.ref.chat,
        "message_id": fact.ref.id,
        "actor_id": fact.actor.id,
        "actor_name": fact.actor.name,
        "language": fact.actor.language,
        "external": fact.actor.external,
        "at": fact.at,
        "heard_at": _heard(fact),
    }


async def _our_business(session: AsyncSession, ref: MessageRef, choice: bool = False) -> tuple[bool, int | None]:
    """(whether we ever posted in that chat, the conversation of the message).

    A post on its way counts as posted, for its receipt may still come. The conversation is known if the message is a
    post of ours, a note, or a person's own message.

    A lead's choice is made on a conversation's own message, in a chat where we may not have posted yet. Each query uses
    an index of its own and asks for its first entry: asked for any row, PostgreSQL would scan the table where there is
    none.
    """
    here = select(PostRow.id).where(PostRow.platform == ref.platform)
    questions = [
        here.where(PostRow.receipt_chat == ref.chat).order_by(PostRow.receipt_id).limit(1),
        here.where(PostRow.chat == ref.chat).order_by(PostRow.said_at).limit(1),
    ]
    if choice:
        heard = MessageRow.platform == ref.platform, MessageRow.chat == ref.chat, MessageRow.message_id == ref.id
        questions.append(select(MessageRow.id).where(*heard))
    whose = [
        select(table.conversation_id).where(table.platform == ref.platform, chat == ref.chat, id == ref.id).limit(1)
        for table, chat, id in (
            (PostRow, PostRow.receipt_chat, PostRow.receipt_id),
            (NoteRow, NoteRow.chat, NoteRow.message_id),
            (MessageRow, MessageRow.chat, MessageRow.message_id),
        )
    ]
    ours, of = (func.coalesce(*(one.scalar_subquery() for one in several)) for several in (questions, whose))
    known, conversation = (await session.execute(select(ours, of))).one()
    return known is not None, conversation


async def _added(session: AsyncSession, fact: Executable, change: Change) -> bool:
    new = (await session.execute(fact)).first() is not None
    if new:
        await announce(session, change)
    return bool(new)
