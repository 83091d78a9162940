"""Closed requests by nearness: what stood on the cards of similar requests, for suggestions."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, and_, select, true
from sqlalchemy.orm import aliased

from bot.domain.decisions import Author
from bot.domain.model_ports import Vector
from bot.domain.suggestions import SIMILAR, SolvedRequest, SolvedRequests
from bot.domain.tasks import NOT_A_REQUEST, Task
from db.conversations.label_names import names_by_now
from db.engine import Database
from db.reading.similarity import similarity
from db.tables import ConversationRow, DecisionRow

_NEWEST = 1_000
"""How many of the newest closed requests are searched: what was suggested a year ago may not be sold any more, and the
limit keeps the cost of a search the same however many there are."""


class PostgresSolvedRequests:
    """Closed requests in PostgreSQL. `embedder` names the model of the vectors that are compared."""

    def __init__(self, database: Database, embedder: str) -> None:
        self._database = database
        self._embedder = embedder

    async def similar(
        self, task: Task, vectors: Sequence[Vector | None], least: float
    ) -> list[Sequence[SolvedRequest]]:
        async with self._database.transaction() as session:
            found: list[Sequence[SolvedRequest]] = []
            names = await names_by_now(session, task.name)
            for vector in vectors:
                if vector is None:
                    found.append([])
                    continue
                rows = await session.execute(self._nearest(task, vector, least))
                found.append(
                    [SolvedRequest(names.now(label, at), by == Author.LEAD, near) for label, at, by, near in rows]
                )
            return found

    def _nearest(self, task: Task, vector: Vector, least: float) -> Select[str, datetime, str, float]:
        """The nearest of the newest closed requests, which an index of closed requests alone provides."""
        row = ConversationRow
        newest = (
            select(row.id, row.vector, row.embedder)
            .where(row.state == "closed", row.vector.is_not(None), row.embedder == self._embedder)
            .where(row.label != NOT_A_REQUEST)
            .order_by(row.closed_at.desc())
            .limit(_NEWEST)
            .cte("newest")
            .prefix_with("MATERIALIZED")
        )
        answer = (
            select(DecisionRow.label, DecisionRow.at, DecisionRow.by)
            .where(and_(DecisionRow.conversation_id == newest.c.id, DecisionRow.task == task.name))
            .order_by(DecisionRow.id.desc())
            .limit(1)
            .lateral("answer")
        )
        near = similarity(vector, self._embedder, aliased(ConversationRow, newest))
        return (
            select(answer.c.label, answer.c.at, answer.c.by, near)
            .select_from(newest)
            .join(answer, true())
            .where(near >= least)
            .order_by(near.desc(), newest.c.id.desc())
            .limit(SIMILAR)
        )


_: type[SolvedRequests] = PostgresSolvedRequests
