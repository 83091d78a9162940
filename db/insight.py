"""Figures about the whole."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select

from bot.domain.conversations import State
from bot.domain.ports import Insight
from db.engine import Database
from db.tables import ConversationRow, DecisionRow, PostRow

_UNDECIDED = (ConversationRow.state == State.NEW, ~ConversationRow.resting)
_UNSAID = (PostRow.said_at.is_(None), PostRow.given_up_at.is_(None))


class PostgresInsight:
    """Figures out of PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def backlog(self, now: datetime) -> Mapping[str, float]:
        undecided = select(func.count(), func.min(ConversationRow.started_at)).where(*_UNDECIDED)
        unsaid = select(func.count(), func.min(PostRow.owed_at)).where(*_UNSAID)
        given_up = select(func.count()).where(PostRow.given_up_at.is_not(None))
        async with self._database.transaction() as session:
            new, oldest_new = (await session.execute(undecided)).one()
            waiting, oldest_post = (await session.execute(unsaid)).one()
            lost = (await session.execute(given_up)).scalar_one()
        return {
            "undecided": float(new),
            "unsaid": float(waiting),
            "given_up": float(lost),
            "oldest_undecided_seconds": _age(oldest_new, now),
            "oldest_unsaid_seconds": _age(oldest_post, now),
        }

    async def decisions(self) -> Mapping[tuple[str, str, str], int]:
        who = (DecisionRow.task, DecisionRow.label, DecisionRow.by)
        async with self._database.transaction() as session:
            counted = await session.execute(select(*who, func.count()).group_by(*who))
            return {(task, label, by): count for task, label, by, count in counted}


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


_: type[Insight] = PostgresInsight
