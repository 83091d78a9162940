"""What leads and their teams say about a conversation with emoji and buttons, and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, Select, Subquery, and_, exists, func, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.compose import marked_held
from bot.domain.conversations import CardState, LookedUp, PendingReactions, StandingCard, State
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.failures import ItemKey
from bot.domain.guards import Guards, Held
from bot.domain.ledger import Change
from bot.domain.messages import Person
from bot.domain.posts import Card, Content, Notice, Post, Reply, What
from bot.domain.questions import with_held
from bot.domain.rich_text import plain
from bot.domain.tasks import NOT_A_REQUEST
from db.conversations.answers import alerts_of, answers_of, first_answers_of, follows
from db.conversations.basis import Embedded
from db.conversations.claims import LIMIT, NOW, free, held, lease, release
from db.conversations.corrections import store_lead_label
from db.conversations.decisions import heard, record, with_its_team
from db.conversations.ended import of_ended_teams
from db.conversations.failures import backs_off, readable
from db.conversations.label_names import names_by_now
from db.conversations.targets import IS_CHOICE, nobodys, on, on_message, on_note
from db.engine import announce
from db.posts.enqueue import enqueue
from db.posts.latest import all_cards, open_questions, standing_among, wordings
from db.posts.questions import asking
from db.reading import mappers
from db.tables import ConversationRow, DecisionRow, MessageRow, NoteRow, PostRow, ReactionRow

_ON_A_CARD = and_(on(ReactionRow), PostRow.kind == Card.__name__)
_OURS = or_(
    exists().where(_ON_A_CARD),
    exists().where(on_note(ReactionRow)),
    and_(IS_CHOICE, exists().where(on_message(ReactionRow))),
)


async def claim_reactions(session: AsyncSession, now: datetime, limit: int) -> list[PendingReactions]:
    await session.execute(_IGNORED, {"now": now})
    found = (await session.scalars(_WAITING, {"now": now, "limit": limit})).all()
    await lease(session, found, now)
    return await readable(
        session, found, partial(pending_reactions, session), lambda row: ItemKey("correct", str(row.id), row.id), now
    )


async def pending_reactions(session: AsyncSession, found: Sequence[ConversationRow]) -> list[PendingReactions]:
    """Everything known about these conversations before they are moved."""
    ids = [row.id for row in found]
    said = await mappers.own_messages(session, ids)
    questions = await open_questions(session, ids)
    every, asked = await all_cards(session, ids), await asking(session, ids)
    cards = standing_among(every)
    answers, first_answers = await answers_of(session, ids), await first_answers_of(session, ids)
    alerts = await alerts_of(session, ids)
    ended = await of_ended_teams(session, found)
    pendings = []
    for row in found:
        events, cards_of = await _events(session, row.id), every.get(row.id, ())
        pendings.append(
            PendingReactions(
                conversation=mappers.conversation(row),
                first=await _first(session, row, row.id in ended),
                messages=said[row.id],
                standing=tuple(mappers.standing(events)),
                card=cards.get(row.id),
                fresh=tuple(mappers.reaction(e) for e in mappers.standing_events(events) if e.concluded_at is None),
                history=await _history(session, row.id),
                question=questions.get(row.id),
                cards=tuple(card for card in cards_of if card.ref is not None),
                asking=asked.get(row.id, ()),
                told=await _told(session, row.id),
                answers=answers.get(row.id, ()),
                first_answers=first_answers.get(row.id, ()),
                alerts=alerts.get(row.id, ()),
                reworded=_reworded(row, cards_of),
            )
        )
    return pendings


def _reworded(row: ConversationRow, cards: Sequence[StandingCard]) -> tuple[str, ...]:
    if row.text is None:
        return ()
    said = dict.fromkeys(plain(one.card.excerpt) for one in cards if one.card.edited)
    return tuple(words for words in said if words not in ("", row.text))


def _about(*conditions: ColumnElement[bool]) -> Subquery:
    """Which reaction concerns which conversation: one on any of its cards, or a choice on one of its messages."""
    on_cards = select(PostRow.conversation_id, ReactionRow.id).join(ReactionRow, _ON_A_CARD).where(*conditions)
    chosen = select(MessageRow.conversation_id, ReactionRow.id).join(ReactionRow, on_message(ReactionRow))
    return union_all(on_cards, chosen.where(IS_CHOICE, *conditions)).subquery()


def _waiting(now: ColumnElement[datetime]) -> Select[ConversationRow]:
    """Conversations with new reactions. One must be decided, or its person asked, before a lead can correct it."""
    decided = [State.ASKED, State.ROUTED, State.CLOSED]
    ripe = func.coalesce(ReactionRow.not_before, now) <= now
    news = select(_about(ReactionRow.concluded_at.is_(None), ripe).c.conversation_id)
    return (
        select(ConversationRow)
        .where(
            ConversationRow.id.in_(news),
            ConversationRow.task.is_not(None),
            free(now),
            ConversationRow.state.in_(decided),
        )
        .where(~backs_off("correct", ConversationRow.id, now))
        .order_by(ConversationRow.id)
        .with_for_update(skip_locked=True, of=ConversationRow)
    )


_IGNORED = (
    update(ReactionRow)
    .where(nobodys(ReactionRow, _OURS, NOW))
    .values(concluded_at=NOW)
    .execution_options(synchronize_session=False)
)
_WAITING = _waiting(NOW).limit(LIMIT)
"""Built once, so that they are compiled once."""


async def _told(session: AsyncSession, conversation_id: int) -> frozenset[tuple[str, str]]:
    """Who was told that they may not correct the conversation, whichever reactions they have added or removed since."""
    notices = select(PostRow.platform, PostRow.only_for["id"].astext).where(
        PostRow.conversation_id == conversation_id,
        PostRow.kind == Notice.__name__,
        PostRow.content["what"].astext == What.NO_LEAD,
        PostRow.only_for.is_not(None),
    )
    return frozenset((platform, who) for platform, who in await session.execute(notices))


async def _events(session: AsyncSession, conversation_id: int) -> Sequence[ReactionRow]:
    """Every reaction ever that concerns the conversation."""
    about = _about()
    theirs = select(about.c.id).where(about.c.conversation_id == conversation_id)
    return (await session.scalars(select(ReactionRow).where(ReactionRow.id.in_(theirs)))).all()


async def _first(session: AsyncSession, row: ConversationRow, ended: bool) -> Decision:
    """The newest decision on the conversation's team in which no lead had a hand.

    Of a team that has ended it has the conversation's own label, so that no emoji but one that names a team moves it.
    """
    unaided = (
        select(DecisionRow)
        .where(DecisionRow.conversation_id == row.id, DecisionRow.task == row.task, DecisionRow.by != Author.LEAD)
        .where(DecisionRow.reason.not_in([Reason.CORRECTED, Reason.WITHDRAWN]))
        .order_by(DecisionRow.id.desc())
        .limit(1)
    )
    made = (await session.scalars(unaided)).one()
    if ended and row.label is not None:
        return replace(mappers.decision(made), label=row.label)
    names = await names_by_now(session, made.task)
    return replace(mappers.decision(made), label=names.now(made.label, made.at))


async def _history(session: AsyncSession, conversation_id: int) -> tuple[tuple[str, str], ...]:
    """(author, words) said besides what the card shows: relayed messages and notes. Unrelayed messages come by
    themselves.

    A note that was sent reads as the person read it, without the mark that made us send it.
    """
    words: list[MessageRow | NoteRow] = []
    relayed = select(MessageRow).where(
        MessageRow.conversation_id == conversation_id,
        MessageRow.concluded_at.is_not(None),
        MessageRow.deleted_at.is_(None),
        ~MessageRow.decided,
    )
    words += await session.scalars(relayed)
    noted = select(NoteRow).where(NoteRow.conversation_id == conversation_id, NoteRow.deleted_at.is_(None))
    words += await session.scalars(noted)
    said = await wordings(session, [row.carried_by for row in words if row.carried_by is not None])
    told = [(row.author_name, _as_read(row, said)) for row in sorted(words, key=lambda row: row.at)]
    return tuple((who, what) for who, what in told if what)


def _as_read(row: MessageRow | NoteRow, said: Mapping[int, Content]) -> str:
    carrier = said.get(row.carried_by or 0)
    return carrier.text if isinstance(row, NoteRow) and isinstance(carrier, Reply) else row.text


async def _note_who_counts(session: AsyncSession, events: Sequence[ReactionRow], looked_up: LookedUp) -> set[int]:
    """Store whose reactions count; return the ids of those whose actor could not be looked up yet."""
    unknown = set()
    for event in mappers.standing_events(events):
        put = mappers.reaction(event)
        found: dict[str, object] = {}
        if put in looked_up.unknown:
            unknown.add(event.id)
            found = {"not_before": looked_up.again}
        elif looked_up.counted.get(put, event.counted) != event.counted:
            found = {"counted": looked_up.counted[put]}
        if found:
            kept = update(ReactionRow).where(ReactionRow.id == event.id).values(**found)
            await session.execute(kept.execution_options(synchronize_session=False))
    return unknown


async def conclude_reactions(
    session: AsyncSession,
    pending: PendingReactions,
    decision: Decision | None,
    standing: CardState,
    posts: Sequence[Post],
    now: datetime,
    looked_up: LookedUp,
    guards: Mapping[str, Guards],
    embedder: str,
) -> None:
    row = await held(session, pending.conversation)
    events = await _events(session, pending.conversation.id)
    if row is None or tuple(mappers.standing(events)) != pending.standing:
        # Something changed meanwhile, so that the conclusion is out of date
        await release(session, pending.conversation.id)
        await announce(session, Change.FREED)
        return
    unknown = await _note_who_counts(session, events, looked_up)
    waiting = [event.id for event in events if event.concluded_at is None and event.id not in unknown]
    if not waiting:
        if unknown:
            await release(session, row.id)
        return
    await session.execute(update(ReactionRow).where(ReactionRow.id.in_(waiting)).values(concluded_at=now))
    task, known = pending.first.task, Embedded(embedder, pending.vectors)
    why = await store_lead_label(session, row, task, standing.lead_label, now, guards.get(task, Guards()), known)
    if decision is not None:
        await record(session, row.id, decision, now)
    held_answers = await _store_answers(session, row, standing, now, guards, known)
    if decision is not None and row.state == State.ASKED:
        await session.execute(heard(row.id, pending.messages, now))
    changed = (
        update(ConversationRow).where(ConversationRow.id == row.id).values(**_changed(row, decision, standing, now))
    )
    await session.execute(changed.execution_options(synchronize_session=False))
    owed = with_held(marked_held(posts, pending.card, why), pending.card, held_answers)
    await enqueue(session, row.id, owed, now)
    await release(session, row.id)
    await announce(session, Change.OWED, Change.FREED)


async def _store_answers(
    session: AsyncSession,
    row: ConversationRow,
    standing: CardState,
    now: datetime,
    guards: Mapping[str, Guards],
    known: Embedded,
) -> dict[str, Held | None]:
    """Store leads' rulings on the further questions, each on its own; return why each does not teach yet."""
    why: dict[str, Held | None] = {}
    for state in standing.questions:
        own = guards.get(state.task, Guards())
        why[state.task] = await store_lead_label(session, row, state.task, state.lead_label, now, own, known)
        if state.decision is not None:
            await record(session, row.id, state.decision, now)
    return why


def _changed(row: ConversationRow, decision: Decision | None, standing: CardState, now: datetime) -> dict[str, object]:
    """The conversation's new columns: its team, whether it is taken, whether it is closed."""
    taken: Person | None = standing.taken_by
    columns: dict[str, object] = {} if decision is None else with_its_team(decision.task, decision.label, now)
    columns |= {"taken_by": taken.key if taken else None, "taken_name": taken.name if taken else None}
    if standing.questions:
        columns |= follows(standing.effects)
    if standing.lacks_topic:
        columns["lacks_answers"] = True
    if standing.looked:
        columns["on_hold"] = False
    if (row.label if decision is None else decision.label) == NOT_A_REQUEST:
        return columns  # closed as long as it has this label, whatever reactions its former card gets
    if row.state == State.ASKED and decision is None:
        return columns
    if standing.done:
        closed_at = row.closed_at if row.state == State.CLOSED else now
        return {**columns, "state": State.CLOSED, "closed_at": closed_at}
    if row.state == State.CLOSED and decision is None:
        # Open again: its team has new time to take it, as when the person reopens it
        columns |= {"routed_at": now, "reminders": 0}
    return {**columns, "state": State.ROUTED, "closed_at": None}
