"""Facts of somebody that could not be stored: what they wrote, and changes of what they wrote, which name no author."""

from sqlalchemy import ColumnElement, and_, exists, func, or_
from sqlalchemy.orm import aliased

from bot.domain.messages import Person
from db.redaction.others_words import WRITTEN, written_by
from db.tables import FailedItemRow

_AUTHOR, _ACTOR = "author", "actor"


def parked_of(person: Person) -> ColumnElement[bool]:
    """Which failed items hold a fact of theirs.

    An edit says of which message it is and not of whom: that message may be stored, be set aside itself, or be in a
    chat with them alone, which is called as they are.
    """
    fact = FailedItemRow.fact
    chat, message = fact["ref"]["chat"].astext, fact["ref"]["id"].astext
    stored = [
        exists().where(written_by(table, person), table.chat == chat, table.message_id == message) for table in WRITTEN
    ]
    other = aliased(FailedItemRow)
    aside = exists().where(other.fact["ref"] == fact["ref"], other.fact[_AUTHOR]["id"].astext == person.id)
    nameless = func.coalesce(fact[_AUTHOR]["id"].astext, fact[_ACTOR]["id"].astext).is_(None)
    return and_(
        fact["ref"]["platform"].astext == person.platform,
        or_(
            *(fact[who]["id"].astext == person.id for who in (_AUTHOR, _ACTOR)),
            and_(nameless, or_(*stored, aside, chat == person.id)),
        ),
    )
