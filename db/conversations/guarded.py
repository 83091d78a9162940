"""The facts around a correction when it is made; from them the guards decide whether it teaches at once."""

from datetime import datetime
from typing import TypeAlias

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from bot.domain.conversations import LeadLabel, State
from bot.domain.guards import ACTIVE, HOUR, NEAREST, Claim, Held, Near
from bot.domain.learning import Side, Source, text_key
from bot.domain.second_look import LEAST_EXAMPLES
from db.conversations.basis import Lesson
from db.reading.held_examples import TRUSTED
from db.reading.similarity import has_comparable_vector, similarity
from db.tables import AdapterRow, ConversationRow, CorrectionRow, ExampleRow, PromotionRow

_Told: TypeAlias = str | InstrumentedAttribute[str]
_TEACHES = and_(ExampleRow.withdrawn_at.is_(None), ~ExampleRow.quarantined)


async def claim_of(
    session: AsyncSession, row: ConversationRow, lesson: Lesson, task: str, lead_label: LeadLabel, now: datetime
) -> Claim:
    """What leads say of a conversation, with the facts around the words that they read."""
    label, lead = lead_label.label, lead_label.lead.key
    if lead_label.disputed or lead_label.agreeing > 1:
        return Claim(label, lead_label.agreeing, lead_label.disputed)
    said = and_(ExampleRow.task == task, ExampleRow.source == Source.CORRECTION)
    agrees = same_words_by_another(ExampleRow, task, text_key(lesson.text), label, lead)
    if await session.scalar(select(exists().where(agrees, ExampleRow.conversation_id != row.id))):
        return Claim(label, agreeing=2)
    elsewhere = ExampleRow.conversation_id != row.id
    theirs = and_(said, _TEACHES, elsewhere, ExampleRow.lead == lead, ExampleRow.recorded_at > now - HOUR)
    others = and_(said, ExampleRow.lead != lead, ExampleRow.recorded_at > now - ACTIVE)
    of_team = and_(said, _TEACHES, elsewhere, ExampleRow.label == label)
    agreed, overruled = await track_record(session, task, lead)
    return Claim(
        label,
        others=bool(await session.scalar(select(exists().where(others)))),
        near=await _near(session, row.id, lesson, task, lead),
        taught=await _count(session, theirs),
        unlearned=await _unlearned(session, task, label),
        of_team=await _count(session, of_team),
        agreed=agreed,
        overruled=overruled,
    )


def same_words_by_another(
    other: type[ExampleRow],
    task: _Told,
    key: _Told,
    label: _Told,
    lead: _Told | InstrumentedAttribute[str | None],
) -> ColumnElement[bool]:
    """Whether it is another lead's word that these very words belong to this label: that counts as a second lead."""
    said = and_(other.task == task, other.source == Source.CORRECTION, other.text_key == key, other.label == label)
    stands = and_(other.withdrawn_at.is_(None), other.held.is_distinct_from(Held.DISPUTED))
    return and_(said, stands, other.lead != lead)


async def track_record(session: AsyncSession, task: str, lead: str) -> tuple[int, int]:
    """(the lead's corrections with which requests were closed, those replaced by another lead's)."""
    theirs = and_(CorrectionRow.task == task, CorrectionRow.lead == lead, ~CorrectionRow.confirms)
    # A request bears no label of a further question: a ruling that stands when the request is closed counts as agreed
    with_it = or_(ConversationRow.task != task, ConversationRow.label == CorrectionRow.label)
    ended = and_(ConversationRow.id == CorrectionRow.conversation_id, ConversationRow.state == State.CLOSED, with_it)
    agreed = select(func.count()).where(theirs, CorrectionRow.withdrawn_at.is_(None), exists().where(ended))
    later = aliased(CorrectionRow)
    instead = and_(
        later.conversation_id == CorrectionRow.conversation_id,
        later.task == task,
        later.withdrawn_at.is_(None),
        ~later.disputed,
        later.lead != lead,
        later.label != CorrectionRow.label,
    )
    conversations = func.count(CorrectionRow.conversation_id.distinct())
    overruled = select(conversations).where(theirs, CorrectionRow.withdrawn_at.is_not(None), exists().where(instead))
    return (await session.execute(agreed)).scalar_one(), (await session.execute(overruled)).scalar_one()


async def _count(session: AsyncSession, which: ColumnElement[bool]) -> int:
    return (await session.execute(select(func.count(ExampleRow.id)).where(which))).scalar_one()


async def _near(session: AsyncSession, conversation: int, lesson: Lesson, task: str, lead: str) -> list[Near]:
    """The nearest trusted examples and other leads' corrections, by exact search."""
    if lesson.vector is None or lesson.embedder is None:
        return []
    near = similarity(lesson.vector, lesson.embedder)
    others = and_(ExampleRow.source == Source.CORRECTION, ExampleRow.lead.is_distinct_from(lead))
    nearest = select(ExampleRow.label, near).where(
        ExampleRow.task == task,
        _TEACHES,
        has_comparable_vector(lesson.embedder),
        ExampleRow.conversation_id.is_distinct_from(conversation),
        or_(ExampleRow.source.in_(TRUSTED), others),
    )
    found = await session.execute(nearest.order_by(near.desc(), ExampleRow.id).limit(NEAREST))
    return [Near(label, similarity) for label, similarity in found]


async def _unlearned(session: AsyncSession, task: str, label: str) -> bool:
    """Whether an adapter serves that never learned this label, and the trusted examples of it are few.

    Of a label with more of them every voice but the adapter has an opinion, and the second look judges its corrections.
    """
    serving = select(PromotionRow.adapter).where(PromotionRow.task == task).order_by(PromotionRow.id.desc()).limit(1)
    codes = select(AdapterRow.codes).where(AdapterRow.task == task, AdapterRow.name == serving.scalar_subquery())
    known = await session.scalar(codes)
    if known is None or label in known:
        return False
    trusted = ExampleRow.source.in_(TRUSTED), ExampleRow.side == Side.TRAIN, ExampleRow.label == label
    return await _count(session, and_(ExampleRow.task == task, _TEACHES, *trusted)) < LEAST_EXAMPLES
