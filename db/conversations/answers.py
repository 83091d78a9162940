"""Answers to the further questions about conversations, and their effects on the conversation itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, Select, and_, exists, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.consequences import Effects
from bot.domain.conversations import Decided, StandingAlert, State, UnansweredConversation
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change
from bot.domain.posts import Card, Post
from bot.domain.question_posts import Alert
from db.conversations.claims import free, held, lease, release
from db.conversations.decisions import record_all
from db.conversations.failures import backs_off, is_set_aside, readable
from db.conversations.label_names import by_present_names, names_of
from db.conversations.requested import look_at_suspect
from db.engine import announce
from db.posts.enqueue import enqueue
from db.posts.latest import standing_cards
from db.reading import mappers
from db.tables import ConversationRow, DecisionRow, PostRow

_ROW = ConversationRow
_Answers = Mapping[int, tuple[Decision, ...]]
_BY_LEADS = (Reason.CORRECTED, Reason.WITHDRAWN)


async def answers_of(session: AsyncSession, conversations: Sequence[int]) -> _Answers:
    """The current answer to each further question about these conversations, by its label's present name."""
    return await _newest(session, conversations)


async def first_answers_of(session: AsyncSession, conversations: Sequence[int]) -> _Answers:
    """The newest answers in which no lead had a hand."""
    unaided = and_(DecisionRow.by != Author.LEAD, DecisionRow.reason.not_in(_BY_LEADS))
    return await _newest(session, conversations, unaided)


async def _newest(
    session: AsyncSession, conversations: Sequence[int], *which: ColumnElement[bool]
) -> dict[int, tuple[Decision, ...]]:
    if not conversations:
        return {}
    line = DecisionRow.conversation_id, DecisionRow.task
    wanted = (
        select(DecisionRow)
        .join(_ROW, _ROW.id == DecisionRow.conversation_id)
        .where(DecisionRow.conversation_id.in_(conversations), DecisionRow.task != _ROW.task, *which)
        .ext(distinct_on(*line))
        .order_by(*line, DecisionRow.id.desc())
    )
    rows = (await session.scalars(wanted)).all()
    names = await names_of(session, {row.task for row in rows}) if rows else {}
    found: dict[int, tuple[Decision, ...]] = {}
    for row in rows:
        made = mappers.decision(row)
        if row.task in names:
            made = by_present_names(made, names[row.task], row.at)
        found[row.conversation_id] = (*found.get(row.conversation_id, ()), made)
    return found


async def alerts_of(session: AsyncSession, conversations: Sequence[int]) -> Mapping[int, tuple[StandingAlert, ...]]:
    """The alerts that other rooms were sent about these conversations, in their newest wording."""
    if not conversations:
        return {}
    every = (
        select(PostRow)
        .where(PostRow.conversation_id.in_(conversations), PostRow.kind == Alert.__name__)
        .where(PostRow.given_up_at.is_(None))
        .order_by(PostRow.id)
        .execution_options(populate_existing=True)
    )
    newest: dict[int, StandingAlert] = {}
    of: dict[int, int] = {}
    for row in await session.scalars(every):
        said = mappers.content(row)
        if isinstance(said, Alert) and row.conversation_id is not None:
            post = row.edits or row.id
            newest[post], of[post] = StandingAlert(post, mappers.place(row), said), row.conversation_id
    found: dict[int, tuple[StandingAlert, ...]] = {}
    for post, alert in newest.items():
        found[of[post]] = (*found.get(of[post], ()), alert)
    return found


# --- with the decision on the team ---


async def store_with_teams(session: AsyncSession, decided: Sequence[Decided], at: Mapping[int, datetime]) -> None:
    """Store the answers given with these decisions in the same transaction, and mark conversations that lack an
    answer."""
    made = [
        (one.case.conversation.id, answer, at[one.case.conversation.id]) for one in decided for answer in one.answers
    ]
    if made:
        await record_all(session, made)
    alike: dict[tuple[Effects, bool], list[int]] = {}
    for one in decided:
        if one.answers or one.unanswered:
            alike.setdefault((one.effects, one.unanswered), []).append(one.case.conversation.id)
    for (effects, unanswered), ids in alike.items():
        await _follow(session, ids, effects, unanswered)


async def _follow(session: AsyncSession, conversations: Sequence[int], effects: Effects, unanswered: bool) -> None:
    """Store the same effects for several conversations in one statement; most share theirs."""
    columns = {**follows(effects), "on_hold": effects.hold, "lacks_answers": unanswered}
    changed = update(_ROW).where(_ROW.id.in_(conversations)).values(**columns)
    await session.execute(changed.execution_options(synchronize_session=False))


def follows(effects: Effects) -> dict[str, object]:
    """The columns for what follows from a conversation's answers, except `on_hold`."""
    seconds = None if effects.sooner is None else effects.sooner.total_seconds()
    return {"comes_first": effects.first, "take_seconds": seconds}


# --- later ---


async def claim_unanswered(session: AsyncSession, now: datetime, limit: int) -> list[UnansweredConversation]:
    found = (await session.scalars(_waiting(now).limit(limit))).all()
    await lease(session, found, now)
    return await readable(session, found, partial(_read, session), lambda row: ItemKey("ask", str(row.id), row.id), now)


def _waiting(now: datetime) -> Select[ConversationRow]:
    """Only once its card is said: then the card can be rewritten, and alerts in other rooms can link to it."""
    card = and_(PostRow.conversation_id == _ROW.id, PostRow.kind == Card.__name__, PostRow.edits.is_(None))
    unsaid = exists().where(card, PostRow.said_at.is_(None), PostRow.given_up_at.is_(None))
    return (
        select(_ROW)
        .where(_ROW.lacks_answers, _ROW.state.in_([State.ROUTED, State.CLOSED]), _ROW.text.is_not(None), free(now))
        .where(~backs_off("ask", _ROW.id, now), ~is_set_aside("ask", _ROW.id), ~unsaid)
        .order_by(_ROW.id)
        .with_for_update(skip_locked=True)
    )


async def _read(session: AsyncSession, found: Sequence[ConversationRow]) -> list[UnansweredConversation]:
    ids = [row.id for row in found]
    answers, cards = await answers_of(session, ids), await standing_cards(session, ids)
    alerts = await alerts_of(session, ids)
    return [
        UnansweredConversation(
            mappers.conversation(row),
            row.text or "",
            row.vector,
            row.embedder,
            answers.get(row.id, ()),
            cards.get(row.id),
            alerts.get(row.id, ()),
        )
        for row in found
    ]


async def conclude_answers(
    session: AsyncSession,
    case: UnansweredConversation,
    answers: Sequence[Decision],
    effects: Effects,
    posts: Sequence[Post],
    unanswered: bool,
    now: datetime,
) -> None:
    row = await held(session, case.conversation)
    if row is None:
        await release(session, case.conversation.id)
        await announce(session, Change.FREED)
        return
    if answers:
        await record_all(session, [(row.id, answer, now) for answer in answers])
    # A conversation that is taken or closed has been looked at: nothing is held back any more
    looked = row.taken_by is not None or row.state == State.CLOSED
    await _follow(session, [row.id], Effects(effects.hold and not looked, effects.first, effects.sooner), unanswered)
    await enqueue(session, row.id, posts, now)
    await release(session, row.id)
    if effects.hold:
        await look_at_suspect(session, row, now)
    await announce(session, Change.OWED, Change.FREED)
