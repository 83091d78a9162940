"""Our questions about a conversation, besides the one about the team, whose buttons still stand."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import Asking
from bot.domain.posts import Content, Offer, Solved, Split, WrongTeam
from db.reading import mappers
from db.tables import PostRow

_KINDS = tuple(kind.__name__ for kind in (Offer, Solved, Split, WrongTeam))


async def asking(session: AsyncSession, conversation_ids: Sequence[int]) -> dict[int, tuple[tuple[int, Asking], ...]]:
    """(post, its wording) by conversation, oldest first."""
    if not conversation_ids:
        return {}
    every = (
        select(PostRow)
        .where(PostRow.conversation_id.in_(conversation_ids), PostRow.kind.in_(_KINDS), PostRow.given_up_at.is_(None))
        .order_by(PostRow.id)
        .execution_options(populate_existing=True)
    )
    newest: dict[tuple[int, int], Content] = {}
    for row in await session.scalars(every):
        newest[row.conversation_id or 0, row.edits or row.id] = mappers.content(row)
    found: dict[int, tuple[tuple[int, Asking], ...]] = {}
    for (of, post), says in newest.items():
        if isinstance(says, Offer | Solved | Split | WrongTeam) and _open(says):
            found[of] = (*found.get(of, ()), (post, says))
    return found


def _open(says: Asking) -> bool:
    match says:
        case Offer():
            return not says.sent
        case Solved():
            return says.answer is None
        case Split():
            return not says.done
        case WrongTeam():
            return says.chosen is None
