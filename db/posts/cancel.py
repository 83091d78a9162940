"""Posts that no platform refused and that are still not said, because there is no point in them any more."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ColumnElement, Update, and_, func, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.posts import Answer, Moved, Question, Solved, Split, WordsPlease
from db.tables import PostRow


class CancelReason(StrEnum):
    """Why a post was cancelled, stored where a refused post has its problem."""

    TAKEN_BACK = "its words were taken back before it was said"
    FORGOTTEN = "somebody it quotes asked to be forgotten"
    NEVER_SAID = "what it rewrites was never said"
    ELSEWHERE = "its card is out of reach; said under the next one"
    SET_ASIDE = "it failed again and again; see `switchboard failed list`"


PENDING: ColumnElement[bool] = and_(PostRow.said_at.is_(None), PostRow.given_up_at.is_(None))
HELD_BACK = tuple(kind.__name__ for kind in (Answer, Question, Moved, Solved, Split, WordsPlease))
"""Posts that we send to a person by ourselves: none goes out while the person's request is on hold."""
OF_ANY_LINE: ColumnElement[bool] = func.coalesce(PostRow.conversation_id, literal_column("0", BigInteger)) >= 0
"""True for every post: it makes PostgreSQL read the index of waiting posts. Otherwise it would use the index of said
posts and read every post ever given up, since its statistics do not tell how few are neither said nor given up."""
REFUSED: ColumnElement[bool] = and_(
    PostRow.given_up_at.is_not(None), PostRow.problem.not_in([why.value for why in CancelReason])
)
"""Whether a post failed in a way that people have to see to."""


async def cancel(session: AsyncSession, which: ColumnElement[bool], why: CancelReason, now: datetime) -> None:
    """Cancel these posts, unless they are on their way, and their rewordings, which would block their queue for
    ever."""
    dropped = _never(and_(which, PENDING, PostRow.leased_until.is_(None)), why, now).returning(PostRow.id)
    ids = list(await session.scalars(dropped.execution_options(synchronize_session=False)))
    if ids:
        await cancel_rewritings(session, ids, now)


async def cancel_rewritings(session: AsyncSession, posts: list[int], now: datetime) -> None:
    """Cancel the rewordings of these posts, which will never be said."""
    unsaid = select(PostRow.id).where(PostRow.id.in_(posts), PostRow.said_at.is_(None))
    pointless = _never(and_(PostRow.edits.in_(unsaid), PENDING), CancelReason.NEVER_SAID, now)
    await session.execute(pointless.execution_options(synchronize_session=False))


def _never(which: ColumnElement[bool], why: CancelReason, now: datetime) -> Update:
    return update(PostRow).where(which).values(given_up_at=now, problem=why.value, leased_until=None)
