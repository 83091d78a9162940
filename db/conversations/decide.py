"""Decisions on undecided conversations, any number of them at once, in a few statements."""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from typing import TypeAlias, cast

from sqlalchemy import CTE, BigInteger, ColumnElement, Integer, Select, Table, TextClause, Update, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import Decided, State
from bot.domain.ledger import Change
from db.arrays import arrays
from db.conversations.answers import store_with_teams
from db.conversations.decisions import moment, record_all, with_its_team
from db.numbers import Numbers
from db.posts.enqueue import Owed, enqueue_all
from db.tables import ConversationRow, MessageRow, Name, Words

_ROW = ConversationRow
_ITS_VECTOR: TextClause = text("CAST((CAST(:numbers AS real[]))[still.starts : still.ends] AS vector)")
"""A conversation's part of the numbers of all."""
_MESSAGES = cast(Table, MessageRow.__table__)
_When: TypeAlias = dict[int, datetime]
"""When each conversation was decided."""


def _moved(asking: bool, wait: bool) -> Select[int, datetime]:
    """Give conversations to their teams, or note that their persons are asked, unless they changed meanwhile.

    Without `wait`, conversations that are locked are left out: one of them must not hold up the others.
    """
    said = arrays(
        conversation=BigInteger(),
        read=Integer(),
        task_=Name(),
        label_=Name(),
        text_=Words(),
        starts=Integer(),
        ends=Integer(),
        by_=Name(),
    )
    still = (
        select(_ROW.id, *(said.c[name] for name in ("task_", "label_", "text_", "starts", "ends", "by_")))
        .join(said, said.c.conversation == _ROW.id)
        .where(_ROW.version == said.c.read, _ROW.state.in_([State.NEW, State.ASKED]))
        .order_by(_ROW.id)
        .with_for_update(skip_locked=not wait, of=_ROW)
        .cte("still")
    )
    kept = {"text": still.c.text_, "vector": _ITS_VECTOR, "embedder": still.c.by_}
    outcome = _asked(still.c.task_) if asking else with_its_team(still.c.task_, still.c.label_, moment())
    told = update(_ROW).where(_ROW.id == still.c.id).values(leased_until=None, **kept, **outcome)
    moved = told.returning(_ROW.id, _ROW.person_id, moment().label("moment")).cte("moved")
    found = select(moved.c.id, moved.c.moment)
    return found if asking else found.add_cte(_concluded(moved).cte("concluded"))


def _asked(task: ColumnElement[str]) -> dict[str, object]:
    version = _ROW.version + 1
    asking = {"task": task, "state": State.ASKED, "asked": True, "asked_at": moment(), "asked_version": version}
    return {**asking, "version": version, "resting": False}


def _concluded(moved: CTE) -> Update:
    """Mark the person's messages as part of the decision; what others said in the thread is still to be relayed.

    Part of the statement that moves the conversation, which it does only if nothing was said since it was read.
    """
    theirs = update(_MESSAGES).where(
        _MESSAGES.c.conversation_id == moved.c.id,
        _MESSAGES.c.author_id == moved.c.person_id,
        _MESSAGES.c.concluded_at.is_(None),
    )
    return theirs.values(concluded_at=moved.c.moment, decided=True)


_MOVED = {(asking, wait): _moved(asking, wait) for asking in (True, False) for wait in (True, False)}
"""Built once, so that they are compiled once."""


async def decide_all(session: AsyncSession, decided: Sequence[Decided], embedder: str, wait: bool) -> list[bool]:
    """Store these decisions; return which were stored. The others were overtaken or, without `wait`, are locked."""
    at: _When = {}
    for asking in (True, False):
        some = [one for one in decided if bool(one.decision.candidates) is asking]
        if some:
            found = await session.execute(_MOVED[asking, wait], _columns(some, embedder))
            at |= {row[0]: row[1] for row in found}
    stored = [one for one in decided if one.case.conversation.id in at]
    if stored:
        await _leave_behind(session, stored, at)
    return [one.case.conversation.id in at for one in decided]


async def _leave_behind(session: AsyncSession, stored: Sequence[Decided], at: _When) -> None:
    # A press may have waited while the person's written answer to the question was read
    waited = any(one.case.conversation.asked for one in stored)
    changes = [Change.OWED, Change.FREED] if waited else [Change.OWED]
    ids = [one.case.conversation.id for one in stored]
    await record_all(session, [(of, one.decision, at[of]) for of, one in zip(ids, stored, strict=True)], *changes)
    await store_with_teams(session, stored, at)
    await enqueue_all(session, [Owed(of, one.posts, at[of]) for of, one in zip(ids, stored, strict=True)])


def _columns(decided: Sequence[Decided], embedder: str) -> dict[str, list[object] | Numbers]:
    widths = [0 if one.vector is None else len(one.vector) for one in decided]
    ends = list(accumulate(widths))
    return {
        "conversation": [one.case.conversation.id for one in decided],
        "read": [one.case.version for one in decided],
        "task_": [one.decision.task for one in decided],
        "label_": [one.decision.label for one in decided],
        "text_": [one.text for one in decided],
        "numbers": Numbers.of([one.vector for one in decided if one.vector is not None]),
        "starts": [end - width + 1 if width else None for end, width in zip(ends, widths, strict=True)],
        "ends": [end if width else None for end, width in zip(ends, widths, strict=True)],
        "by_": [None if one.vector is None else embedder for one in decided],
    }
