"""Whom a tap counts for: everybody once a lead confirmed it, before that its own person alone."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, any_, exists, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.domain.decisions import Basis
from bot.domain.learning import Source
from bot.domain.memory_vote import Neighbour
from bot.domain.tasks import Task
from db.tables import ConversationRow, ExampleRow

VOUCHED = """
    (source <> 'tap' OR conversation_id IS NULL OR EXISTS (
        SELECT FROM examples said WHERE said.conversation_id = examples.conversation_id AND said.task = examples.task
            AND said.label = examples.label AND said.source = 'confirmation' AND said.withdrawn_at IS NULL
            AND NOT said.quarantined))
"""
"""SQL for the same as `vouched`; also true for every example that is no tap."""


def vouched() -> ColumnElement[bool]:
    """Whether a tap came from a file, or a lead has confirmed it since."""
    said = aliased(ExampleRow)
    confirmed = exists().where(
        said.conversation_id == ExampleRow.conversation_id,
        said.task == ExampleRow.task,
        said.label == ExampleRow.label,
        said.source == Source.CONFIRMATION,
        said.withdrawn_at.is_(None),
        ~said.quarantined,
    )
    return or_(ExampleRow.conversation_id.is_(None), confirmed)


def teaches_everybody() -> ColumnElement[bool]:
    """Whether a training may learn the example: a tap only once it is vouched for, any other example always."""
    return or_(ExampleRow.source != Source.TAP, vouched())


async def own_taps(
    session: AsyncSession, task: Task, keys: Sequence[str], askers: Sequence[str]
) -> dict[int, Neighbour]:
    """Position of a text -> what its person last chose for these very words."""
    person = ConversationRow.platform.concat(":").concat(ConversationRow.person_id)
    theirs = (
        select(ExampleRow.text_key, person, ExampleRow.id, ExampleRow.label, ExampleRow.text)
        .join(ConversationRow, ConversationRow.id == ExampleRow.conversation_id)
        .where(
            ExampleRow.task == task.name,
            ExampleRow.text_key == any_(literal(list(keys), ARRAY(TEXT))),
            ExampleRow.source == Source.TAP,
            ExampleRow.withdrawn_at.is_(None),
            ExampleRow.label.in_(task.names),
            and_(~ExampleRow.quarantined, person == any_(literal(list(askers), ARRAY(TEXT)))),
        )
    )
    newest = {
        (key, who): Neighbour(example, label, 1.0, True, text, Basis.TAP)
        for key, who, example, label, text in await session.execute(theirs.order_by(ExampleRow.at, ExampleRow.id))
    }
    asked = enumerate(zip(keys, askers, strict=True))
    return {n: newest[one] for n, one in asked if one in newest}
