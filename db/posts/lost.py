"""What the database knows of the messages around a post that may have been said without a receipt."""

from collections.abc import Sequence

from sqlalchemy import Select, func, or_, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.messages import MessageRef
from db.engine import claimant
from db.posts.cancel import HELD_BACK
from db.tables import MessagePartRow, MessageRow, NoteRow, PostRow, ProcessRow

_FEW = 5
"""The newest of each kind and place are read: a newer message has a higher number."""
_NEWEST = 300
"""How many of the newest posts and messages of all chats are read."""
Refs = Select[str | None, str | None, bool | None]


async def refs_around(session: AsyncSession, post: int) -> tuple[list[MessageRef], list[MessageRef]]:
    """The newest messages that certainly stood before the post was first tried, and the newest of all."""
    row = await session.get(PostRow, post)
    if row is None:
        return [], []
    kinds = [*_in_its_chat(row), *_anywhere(row)]
    found = (await session.execute(union_all(*[select(kind.subquery()) for kind in kinds]))).all()
    refs = [(MessageRef(row.platform, chat, ref), before) for chat, ref, before in found if chat and ref]
    return [ref for ref, before in refs if before], [ref for ref, _ in refs]


def _in_its_chat(row: PostRow) -> list[Refs]:
    """By our own clock alone: a message is concluded, and a receipt stored, after it stood."""
    chats = [row.chat, row.chat.partition("/")[0]]
    said = select(PostRow.receipt_chat, PostRow.receipt_id, true()).where(PostRow.platform == row.platform)
    said = said.where(PostRow.said_at.is_not(None))
    # The posts of one conversation in one chat are said in order, but for those that a hold keeps back
    line = said.where(PostRow.conversation_id == row.conversation_id, PostRow.chat == row.chat, PostRow.id < row.id)
    line = line.where(PostRow.kind.not_in(HELD_BACK))
    room = said.where(PostRow.chat.in_(chats), PostRow.said_at <= row.owed_at)
    heard = select(MessageRow.chat, MessageRow.message_id, true()).where(
        MessageRow.platform == row.platform, MessageRow.chat.in_(chats), MessageRow.concluded_at <= row.owed_at
    )
    noted = select(NoteRow.chat, NoteRow.message_id, true()).where(
        NoteRow.platform == row.platform, NoteRow.chat.in_(chats), NoteRow.heard_at <= row.owed_at
    )
    return [
        line.order_by(PostRow.id.desc()).limit(_FEW),
        room.order_by(PostRow.said_at.desc()).limit(_FEW),
        heard.order_by(MessageRow.at.desc(), MessageRow.id.desc()).limit(_FEW),
        noted.order_by(NoteRow.at.desc(), NoteRow.id.desc()).limit(_FEW),
    ]


def _anywhere(row: PostRow) -> list[Refs]:
    """The newest of all chats, found along the primary keys."""
    posts = select(PostRow.platform, PostRow.receipt_chat, PostRow.receipt_id, PostRow.said_at)
    said = posts.order_by(PostRow.id.desc()).limit(_NEWEST).subquery()
    messages = select(MessageRow.platform, MessageRow.chat, MessageRow.message_id, MessageRow.concluded_at)
    heard = messages.order_by(MessageRow.id.desc()).limit(_NEWEST).subquery()
    return [
        select(said.c.receipt_chat, said.c.receipt_id, said.c.said_at <= row.owed_at).where(
            said.c.platform == row.platform
        ),
        select(heard.c.chat, heard.c.message_id, heard.c.concluded_at <= row.owed_at).where(
            heard.c.platform == row.platform
        ),
    ]


async def known_refs(session: AsyncSession, platform: str, chat: str, ids: Sequence[str]) -> frozenset[str]:
    """Those of the chat's messages that are known: our posts and their parts, what people wrote, and notes."""
    said = select(PostRow.receipt_id).where(PostRow.platform == platform, PostRow.receipt_chat == chat)
    kinds = [said.where(PostRow.receipt_id.in_(ids))]
    for table in (MessagePartRow, MessageRow, NoteRow):
        here = select(table.message_id).where(table.platform == platform, table.chat == chat)
        kinds.append(here.where(table.message_id.in_(ids)))
    return frozenset(ref for ref in await session.scalars(union_all(*kinds)) if ref)


async def parts_of(session: AsyncSession, ref: MessageRef) -> int:
    """How many messages of ours are recorded as parts of that one."""
    here = MessagePartRow.platform == ref.platform, MessagePartRow.chat == ref.chat, MessagePartRow.whole_id == ref.id
    return await session.scalar(select(func.count()).select_from(MessagePartRow).where(*here)) or 0


async def others_say(session: AsyncSession, post: int, platform: str, chat: str) -> bool:
    """Whether another living process is saying something in that chat or one of its topics."""
    mine, living = claimant(session), select(ProcessRow.number)
    somewhere = or_(PostRow.chat == chat, PostRow.chat.startswith(f"{chat}/", autoescape=True))
    found = (
        select(PostRow.id)
        .where(PostRow.platform == platform, somewhere, PostRow.said_at.is_(None), PostRow.given_up_at.is_(None))
        .where(PostRow.leased_until.is_not(None), PostRow.claimed_by.in_(living), PostRow.edits.is_(None))
        .where(PostRow.claimed_by.is_distinct_from(mine))
        # Of two that look for their posts, one goes first
        .where(or_(PostRow.attempts == 1, PostRow.id < post))
    )
    return await session.scalar(found.limit(1)) is not None
