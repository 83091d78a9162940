"""A person's facts that could not be stored: their messages, and edits of their messages, which name no author."""

from sqlalchemy import ColumnElement, and_, exists, func, or_
from sqlalchemy.orm import aliased

from bot.domain.messages import Person
from db.redaction.others_words import WRITTEN, written_by
from db.tables import FailedItemRow

_AUTHOR, _ACTOR = "author", "actor"


def parked_of(person: Person) -> ColumnElement[bool]:
    """Select the failed items that hold a fact of this person.

    An edit names its message and not its author. The message may be stored, may itself be among the failed items, or
    is in the private chat of the person, whose id is the person's.
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
