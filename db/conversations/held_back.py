"""Corrections that begin or cease to wait for a second lead without a reaction on their card: their cards say so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.compose import marked_held
from bot.domain.conversations import LeadLabel
from bot.domain.embedders import known_of
from bot.domain.guards import Guards, Held, held_by_neighbours
from bot.domain.learning import Source
from bot.domain.ledger import Change
from bot.domain.messages import Person
from bot.domain.questions import with_held
from db.conversations.basis import Lesson
from db.conversations.examples import RULINGS
from db.conversations.guarded import claim_of, same_words_by_another
from db.engine import announce
from db.posts.enqueue import enqueue
from db.posts.latest import standing_cards
from db.tables import ConversationRow, CorrectionRow, ExampleRow

HELD_BACK: Mapping[str, object] = {"quarantined": True, "held": Held.CONTRADICTED}
LET_TEACH: Mapping[str, object] = {"quarantined": False, "held": None}


@dataclass(frozen=True, slots=True)
class Agreement:
    """A lead's word that these words belong to this label."""

    task: str
    key: str
    label: str
    lead: str
    """`platform:id`."""


async def lock_conversations(session: AsyncSession, examples: ColumnElement[bool]) -> None:
    """Lock the conversations of these examples before the examples, in the order in which every step locks them."""
    of = select(ExampleRow.conversation_id).where(examples)
    locked = select(ConversationRow.id).where(ConversationRow.id.in_(of)).order_by(ConversationRow.id)
    await session.execute(locked.with_for_update())


async def say_on_cards(session: AsyncSession, conversations: Sequence[int], now: datetime) -> None:
    """Rewrite the cards of these conversations, which are locked, where what waits for a second lead has changed."""
    cards, why = await standing_cards(session, conversations), await _waiting(session, conversations)
    rows = select(ConversationRow.id, ConversationRow.task).where(ConversationRow.id.in_(conversations))
    owed = False
    for id, task in (await session.execute(rows)).all():
        card, of = cards.get(id), why.get(id, {})
        posts = with_held(marked_held([], card, of.get(task or "")), card, of)
        if posts:
            # A step that holds the conversation may have composed the card anew from what it said before
            taken = update(ConversationRow).where(ConversationRow.id == id).values(leased_until=None)
            await session.execute(taken.execution_options(synchronize_session=False))
            await enqueue(session, id, posts[-1:], now)
            owed = True
    if owed:
        await announce(session, Change.OWED, Change.FREED)


async def _waiting(session: AsyncSession, conversations: Sequence[int]) -> Mapping[int, dict[str, Held]]:
    """Conversation -> task -> why what leads said does not teach yet."""
    standing = select(ExampleRow.conversation_id, ExampleRow.task, ExampleRow.held).where(
        ExampleRow.conversation_id.in_(conversations),
        ExampleRow.source.in_(RULINGS),
        ExampleRow.withdrawn_at.is_(None),
    )
    found: dict[int, dict[str, Held]] = {}
    for conversation, task, held in await session.execute(standing):
        if conversation is not None and held is not None:
            found.setdefault(conversation, {})[task] = Held(held)
    return found


async def free_seconded(session: AsyncSession, task: str, key: str, said: LeadLabel, now: datetime) -> None:
    """Let other leads' corrections teach that waited for a second lead, who has now said the same of the very words."""
    theirs = same_words_by_another(ExampleRow, task, key, said.label, said.lead.key)
    waits = and_(theirs, ExampleRow.conversation_id.is_not(None), ExampleRow.held.is_not(None))
    freed = (await session.scalars(select(ExampleRow.id).where(waits))).all()
    if not freed:
        return
    await lock_conversations(session, ExampleRow.id.in_(freed))
    free = update(ExampleRow).where(ExampleRow.id.in_(freed), waits).values(**LET_TEACH, recorded_at=now)
    talks = await session.scalars(
        free.returning(ExampleRow.conversation_id).execution_options(synchronize_session=False)
    )
    await say_on_cards(session, [id for id in talks if id is not None], now)
    await announce(session, Change.EXAMPLE)


async def agreement_of(session: AsyncSession, conversation: int, task: str) -> Agreement | None:
    """What the conversation's standing correction says, which others may rest on; None: there is none."""
    said = select(ExampleRow.text_key, ExampleRow.label, ExampleRow.lead).where(
        ExampleRow.conversation_id == conversation,
        ExampleRow.task == task,
        ExampleRow.source == Source.CORRECTION,
        ExampleRow.withdrawn_at.is_(None),
        ExampleRow.held.is_distinct_from(Held.DISPUTED),
    )
    found = (await session.execute(said)).first()
    return None if found is None else Agreement(task, found[0], found[1], found[2] or "")


async def guard_alone(session: AsyncSession, gone: Agreement, guards: Guards, now: datetime) -> None:
    """Let the neighbour guard judge other leads' corrections of the same words to the same team anew, since this one
    may have been the second that let them teach. Nothing changes if it still stands."""
    theirs = same_words_by_another(ExampleRow, gone.task, gone.key, gone.label, gone.lead)
    rests = and_(theirs, ExampleRow.conversation_id.is_not(None), ExampleRow.held.is_(None))
    resting = (await session.scalars(select(ExampleRow.id).where(rests, ExampleRow.accepted_by.is_(None)))).all()
    if resting:
        await lock_conversations(session, ExampleRow.id.in_(resting))
        await guard_late(session, resting, {gone.task: guards}, now)


# --- corrections whose vector came later ---


async def unguarded(session: AsyncSession, examples: Sequence[int]) -> tuple[frozenset[int], frozenset[int]]:
    """(those that the neighbour guard never judged, for want of a vector; those whose conversation is locked here).

    Never waits: a conversation that another transaction holds is left out of the second set.
    """
    found = dict(
        (await session.execute(select(ExampleRow.id, ExampleRow.conversation_id).where(_late(examples)))).all()
    )
    if not found:
        return frozenset(), frozenset()
    talks = select(ConversationRow.id).where(ConversationRow.id.in_(found.values())).order_by(ConversationRow.id)
    locked = set(await session.scalars(talks.with_for_update(skip_locked=True)))
    return frozenset(found), frozenset(example for example, talk in found.items() if talk in locked)


def _late(examples: Sequence[int]) -> ColumnElement[bool]:
    return and_(
        ExampleRow.id.in_(examples),
        ExampleRow.embedder.is_(None),
        ExampleRow.source == Source.CORRECTION,
        ExampleRow.conversation_id.is_not(None),
        ExampleRow.withdrawn_at.is_(None),
        ~ExampleRow.quarantined,
        ExampleRow.accepted_by.is_(None),
    )


async def guard_late(
    session: AsyncSession, examples: Sequence[int], guards: Mapping[str, Guards], now: datetime
) -> list[int]:
    """Let the neighbour guard judge these corrections, which have their vectors by now; return those held back."""
    ruled = and_(
        CorrectionRow.conversation_id == ExampleRow.conversation_id,
        CorrectionRow.task == ExampleRow.task,
        CorrectionRow.withdrawn_at.is_(None),
    )
    wanted = (
        select(ExampleRow, ConversationRow, CorrectionRow)
        .join(ConversationRow, ConversationRow.id == ExampleRow.conversation_id)
        .join(CorrectionRow, ruled)
        .where(ExampleRow.id.in_(examples))
        .order_by(ExampleRow.id)
        .execution_options(populate_existing=True)
    )
    held: list[int] = []
    talks: list[int] = []
    for example, talk, ruling in (await session.execute(wanted)).all():
        if await _contradicted(session, example, talk, ruling, guards.get(example.task, Guards()), now):
            held, talks = [*held, example.id], [*talks, talk.id]
    if held:
        waits = update(ExampleRow).where(ExampleRow.id.in_(held)).values(**HELD_BACK)
        await session.execute(waits.execution_options(synchronize_session=False))
        await say_on_cards(session, talks, now)
    return held


async def _contradicted(
    session: AsyncSession,
    example: ExampleRow,
    talk: ConversationRow,
    ruling: CorrectionRow,
    guards: Guards,
    now: datetime,
) -> bool:
    platform, _, id = ruling.lead.partition(":")
    said = LeadLabel(
        example.label, Person(platform, id), ruling.at, ruling.confirms, ruling.disputed, agreeing=ruling.agreeing
    )
    lesson = Lesson(example.text, None if example.vector is None else tuple(example.vector), example.embedder)
    claim = await claim_of(session, talk, lesson, example.task, said, now)
    return held_by_neighbours(claim, guards, known_of(example.embedder or "").scale)
