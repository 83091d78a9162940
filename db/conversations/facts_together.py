"""Facts stored in one transaction: messages together, every other fact behind a savepoint of its own."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.ledger import Stored, ThreadingPolicy
from bot.domain.messages import Deletion, Edit, Fact, Message, Note, Press, Reaction
from db.conversations.edits import add_deletion, add_edit
from db.conversations.intake import add_press, add_reaction
from db.conversations.messages import add_messages
from db.conversations.notes import add_note


async def add_facts(
    session: AsyncSession, facts: Sequence[Fact], policy: ThreadingPolicy
) -> Sequence[Stored | Exception]:
    """Store the facts and return the outcome of each. Messages come first: none can answer another fact here."""
    messages = {number: fact for number, fact in enumerate(facts) if isinstance(fact, Message)}
    stored = await add_messages(session, list(messages.values()), policy)
    outcomes: dict[int, Stored | Exception] = dict(zip(messages, stored, strict=True))
    for number, fact in enumerate(facts):
        if not isinstance(fact, Message):
            outcomes[number] = await _isolated(session, fact, alone=len(facts) == 1)
    return [outcomes[number] for number in range(len(facts))]


async def _isolated(session: AsyncSession, fact: Fact, alone: bool) -> Stored | Exception:
    if alone:
        return await _added(session, fact)
    try:
        async with session.begin_nested():
            return await _added(session, fact)
    except Exception as error:  # noqa: BLE001 - whoever brought this fact raises it; the others go on
        return error


async def _added(session: AsyncSession, fact: Fact) -> Stored:
    match fact:
        case Edit():
            return await add_edit(session, fact)
        case Deletion():
            return await add_deletion(session, fact)
        case Note():
            return await add_note(session, fact)
        case Reaction():
            return await add_reaction(session, fact)
        case Press():
            return await add_press(session, fact)
        case Message():
            raise AssertionError("messages are stored together")
