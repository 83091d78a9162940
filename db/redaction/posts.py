"""Where people's words were quoted: removes them from our posts and from what was learned."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.messages import Media
from bot.domain.posts import GONE, Card, Content, Continuation, FollowUp, Offer, Reply, Sent
from bot.domain.question_posts import Alert
from bot.domain.rich_text import one_line, plain
from db.posts.cancel import CancelReason, cancel
from db.reading import mappers
from db.reading.codec import encode
from db.tables import DecisionRow, ExampleRow, PostRow


@dataclass(frozen=True, slots=True)
class Redaction:
    """What must no longer be readable in our posts."""

    texts: tuple[str, ...]
    media: tuple[Media, ...] = ()
    carried: frozenset[int] = frozenset()
    """The posts that passed the words on and contain nothing else."""
    notes: frozenset[int] = frozenset()
    """The notes that contain the words."""
    excerpt: str | None = None
    """What cards show instead; None: what they show stays."""
    names: frozenset[str] = frozenset()
    """Names of a person who is erased for good: their names go, too."""
    people: tuple[str, ...] = ()
    """The keys by which others cited or mentioned the person: see `bot.domain.citations`."""
    said: tuple[str, ...] = ()
    """All their words without marks, and what others cite of them: they go from other people's words, too."""


def quotes(what: str, texts: Collection[str]) -> bool:
    """Whether these words, possibly shortened, come from one of the texts."""
    words = plain(what).rstrip(" …")
    said = [form for text in texts for form in (plain(text), one_line(plain(text)))]
    return bool(words) and any(words in text or (bool(text) and text in words) for text in said)


def redacted(said: Content, target: int, gone: Redaction) -> Content:
    """The post without the redacted words. `target` is the post in the chat, whether this is its wording or a newer
    one."""
    if isinstance(said, Card):
        return _card(said, gone)
    if isinstance(said, Alert) and gone.excerpt is not None:
        return replace(said, excerpt=gone.excerpt if said.copies else "")
    if isinstance(said, FollowUp) and target in gone.carried:
        return FollowUp("" if said.author in gone.names else said.author, "", deleted=True)
    if isinstance(said, Continuation) and (said.of in gone.carried or not said.to_person):
        # A piece may hold the end of one message and the beginning of another. What is left of them comes back with the
        # next wording of the post it continues
        return replace(said, text="")
    if isinstance(said, Reply) and target in gone.carried:
        return replace(said, text=GONE, media=(), edited=True)
    if isinstance(said, Offer) and said.note in gone.notes:
        return replace(said, text="")
    if isinstance(said, Sent) and gone.notes and quotes(said.text, gone.texts):
        return replace(said, text="")
    return said


def _card(said: Card, gone: Redaction) -> Card:
    history = tuple((who, what) for who, what in said.history if who not in gone.names and not quotes(what, gone.texts))
    media = tuple(one for one in said.media if one not in gone.media)
    remembered = tuple(one for one in said.remembered if not quotes(one, gone.texts))
    excerpt = said.excerpt if gone.excerpt is None else gone.excerpt
    return replace(said, excerpt=excerpt, history=history, media=media, remembered=remembered)


async def redact_posts(session: AsyncSession, conversation_ids: Sequence[int], gone: Redaction, now: datetime) -> None:
    """Empty what was said, and what waits to be said, about these conversations; cancel posts that only carry the
    words.

    Chats still show the old words: posts of their own rewrite those.
    """
    about = PostRow.conversation_id.in_(conversation_ids)
    changed = await rewrite(session, about, lambda said, target: redacted(said, target, gone))
    pointless = [*gone.carried, *(row.id for row in changed if row.kind == Sent.__name__)]
    await cancel(session, PostRow.id.in_(pointless), CancelReason.TAKEN_BACK, now)


async def rewrite(
    session: AsyncSession, which: ColumnElement[bool], change: Callable[[Content, int], Content]
) -> list[PostRow]:
    """Change the contents of these posts; return the changed posts as they were."""
    rows = (await session.scalars(select(PostRow).where(which).order_by(PostRow.id))).all()
    # In a thread: searching thousands of texts in thousands of posts would hold up the event loop
    changed = await asyncio.to_thread(_changed, rows, change)
    for row, content in changed:
        stored = update(PostRow).where(PostRow.id == row.id).values(content=content)
        await session.execute(stored.execution_options(synchronize_session=False))
    return [row for row, _ in changed]


def _changed(
    rows: Sequence[PostRow], change: Callable[[Content, int], Content]
) -> list[tuple[PostRow, dict[str, object]]]:
    """The posts whose contents change, with the new contents."""
    changed = []
    for row in rows:
        said = mappers.content(row)
        now_says = change(said, row.edits or row.id)
        if now_says != said:
            changed.append((row, encode(now_says)[1]))
    return changed


async def unlearn(
    session: AsyncSession, conversation_ids: Sequence[int], now: datetime
) -> tuple[list[int], list[PostRow]]:
    """Empty and withdraw these conversations' examples; return them, and other conversations' cards that recalled
    them."""
    learned = select(ExampleRow.id, ExampleRow.text).where(
        ExampleRow.conversation_id.in_(conversation_ids), ExampleRow.text != ""
    )
    found = dict((await session.execute(learned)).all())
    if not found:
        return [], []
    cards = await recalling(session, found)
    nothing = {"text": "", "text_key": "", "vector": None, "embedder": None}
    withdrawn = func.coalesce(ExampleRow.withdrawn_at, now)
    forgotten = update(ExampleRow).where(ExampleRow.id.in_(found)).values(**nothing, withdrawn_at=withdrawn)
    await session.execute(forgotten.execution_options(synchronize_session=False))
    return list(found), cards


async def recalling(session: AsyncSession, texts: Mapping[int, str]) -> list[PostRow]:
    """Remove these examples from other conversations' cards that recalled them; return those cards as they were."""
    gone = Redaction(tuple(texts.values()))
    leaning = select(DecisionRow.conversation_id).where(DecisionRow.evidence.overlap(list(texts)))
    elsewhere = (PostRow.kind == Card.__name__) & PostRow.conversation_id.in_(leaning)
    return await rewrite(session, elsewhere, lambda said, target: redacted(said, target, gone)) if texts else []
