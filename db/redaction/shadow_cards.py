"""The leads' cards of candidates in the shadow, without the name of the person who decided: no conversation has
them."""

from dataclasses import replace

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.messages import Person
from bot.domain.posts import Content
from bot.domain.report_posts import ShadowCard
from bot.domain.shadow_card import Ruling
from db.tables import PostRow, ShadowCardRow, ShadowRulingRow

_DECIDES = (Ruling.PROMOTE, Ruling.KEEP)


async def decided_by(session: AsyncSession, person: Person) -> ColumnElement[bool]:
    """Every card of the candidates that this person decided on, in all its wordings.

    Their ids are read first: inside one joint query every post would be scanned for every erasure.
    """
    ruling, card = ShadowRulingRow, ShadowCardRow
    theirs = and_(ruling.actor == person.key, ruling.ruling.in_(_DECIDES))
    of_them = and_(card.task == ruling.task, card.adapter == ruling.adapter, theirs)
    posts = (await session.scalars(select(card.post_id).join(ruling, of_them))).all()
    return or_(PostRow.id.in_(posts), PostRow.edits.in_(posts))


def by_somebody(said: Content) -> Content:
    """The card without the name of the person who decided."""
    return replace(said, by="") if isinstance(said, ShadowCard) else said
