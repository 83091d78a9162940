"""What our posts say by now, and which card stands for a conversation."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import StandingCard
from bot.domain.posts import Card, Content, Continuation, Question
from db.reading import mappers
from db.tables import PostRow


def _of_kind(conversation_ids: Sequence[int], kind: str) -> Select[PostRow]:
    return (
        select(PostRow)
        .where(PostRow.conversation_id.in_(conversation_ids), PostRow.kind == kind, PostRow.given_up_at.is_(None))
        .order_by(PostRow.id)
        .execution_options(populate_existing=True)
    )


async def standing_cards(session: AsyncSession, conversation_ids: Sequence[int]) -> dict[int, StandingCard]:
    """The newest card of each conversation that was not struck, in its newest wording."""
    return standing_among(await all_cards(session, conversation_ids))


def standing_among(every: Mapping[int, Sequence[StandingCard]]) -> dict[int, StandingCard]:
    """The standing card of each conversation, out of all cards that the caller has already read."""
    standing = {of: [card for card in cards if card.card.moved_to is None] for of, cards in every.items()}
    return {of: cards[-1] for of, cards in standing.items() if cards}


async def all_cards(session: AsyncSession, conversation_ids: Sequence[int]) -> dict[int, tuple[StandingCard, ...]]:
    """All cards of each conversation, struck ones included, oldest first, in their newest wording."""
    if not conversation_ids:
        return {}
    originals: dict[int, PostRow] = {}
    wordings: dict[int, Card] = {}
    for row in await session.scalars(_of_kind(conversation_ids, Card.__name__)):
        said = mappers.content(row)
        if row.edits is None:
            originals[row.id] = row
        if isinstance(said, Card):
            wordings[row.edits or row.id] = said
    found: dict[int, tuple[StandingCard, ...]] = {}
    for row in originals.values():
        if row.conversation_id is not None:
            card = StandingCard(row.id, mappers.place(row), wordings[row.id], mappers.receipt(row))
            found[row.conversation_id] = (*found.get(row.conversation_id, ()), card)
    return found


async def open_questions(session: AsyncSession, conversation_ids: Sequence[int]) -> dict[int, int]:
    """The newest question of each conversation, if its buttons still stand."""
    if not conversation_ids:
        return {}
    newest: dict[int, int] = {}
    answered: set[int] = set()
    for row in await session.scalars(_of_kind(conversation_ids, Question.__name__)):
        said = mappers.content(row)
        if row.edits is None and row.conversation_id is not None:
            newest[row.conversation_id] = row.id
        if isinstance(said, Question) and said.answered is not None:
            answered.add(row.edits or row.id)
    return {of: post for of, post in newest.items() if post not in answered}


async def wordings(session: AsyncSession, posts: Sequence[int]) -> dict[int, Content]:
    """The current wording of each of these posts, said or about to be said."""
    if not posts:
        return {}
    every = (
        select(PostRow)
        .where(or_(PostRow.id.in_(posts), PostRow.edits.in_(posts)), PostRow.given_up_at.is_(None))
        .order_by(PostRow.id)
        .execution_options(populate_existing=True)
    )
    return {row.edits or row.id: mappers.content(row) for row in await session.scalars(every)}


async def continuations(
    session: AsyncSession, conversation_ids: Sequence[int]
) -> dict[int, tuple[tuple[int, Continuation], ...]]:
    """(post, its current wording) of the continuations of each post of these conversations, in order."""
    if not conversation_ids:
        return {}
    newest: dict[int, Continuation] = {}
    for row in await session.scalars(_of_kind(conversation_ids, Continuation.__name__)):
        said = mappers.content(row)
        if isinstance(said, Continuation):
            newest[row.edits or row.id] = said
    found: dict[int, tuple[tuple[int, Continuation], ...]] = {}
    for post, says in newest.items():
        found[says.of] = (*found.get(says.of, ()), (post, says))
    return found
