"""Short summaries of conversations, and why a conversation is where it is."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import State
from bot.domain.correction_life import CorrectionLife
from bot.domain.decisions import Author, Basis, Reason
from bot.domain.messages import MessageRef, joined
from bot.domain.queries import Account, Request
from bot.domain.rich_text import plain
from db.posts.latest import standing_cards
from db.reading import mappers
from db.reading.correction_facts import facts_of, with_facts
from db.reading.mappers import basis_of
from db.tables import ConversationRow, CorrectionRow, DecisionRow, ExampleRow, MessageRow, NoteRow, PostRow

_EXCERPT, _RECALLED = 160, 100
"""Most characters shown of what a person wrote, and of a correction that a decision rested on."""
RULED = and_(
    CorrectionRow.conversation_id == ConversationRow.id,
    CorrectionRow.task == ConversationRow.task,
    CorrectionRow.withdrawn_at.is_(None),
)
"""The standing ruling on the team of a conversation."""
_NO_DOUBT = (Reason.WORDLESS, Reason.UNDELIVERABLE, Reason.WITHDRAWN, Reason.RETIRED)


def unsure() -> ColumnElement[bool]:
    """Whether the person had to be asked, or the fallback decided because of doubt."""
    in_doubt = and_(
        DecisionRow.conversation_id == ConversationRow.id,
        DecisionRow.task == ConversationRow.task,
        DecisionRow.by == Author.FALLBACK,
        DecisionRow.reason.not_in(_NO_DOUBT),
    )
    return or_(ConversationRow.asked, exists().where(in_doubt))


async def in_short(session: AsyncSession, found: Sequence[ConversationRow]) -> list[Request]:
    ids = [row.id for row in found]
    said, cards = await mappers.own_messages(session, ids), await standing_cards(session, ids)
    receipts = await _receipts(session, [card.post for card in cards.values()])
    doubted = set(await session.scalars(select(ConversationRow.id).where(ConversationRow.id.in_(ids), unsure())))
    contested = select(ConversationRow.id).join(CorrectionRow, RULED).where(CorrectionRow.disputed)
    disputed = set(await session.scalars(contested.where(ConversationRow.id.in_(ids))))
    return [
        Request(
            conversation=row.id,
            label=row.label,
            state=State(row.state),
            excerpt=_shortened(plain(joined([message.text for message in said[row.id]])), _EXCERPT),
            source=said[row.id][0].ref,
            card=receipts.get(cards[row.id].post) if row.id in cards else None,
            since=row.started_at,
            taken_by=row.taken_name or row.taken_by,
            disputed=row.id in disputed,
            unsure=row.id in doubted,
            answers=cards[row.id].card.answers if row.id in cards else (),
        )
        for row in found
        if row.id in said
    ]


async def _receipts(session: AsyncSession, posts: Sequence[int]) -> dict[int, MessageRef]:
    said = await session.scalars(select(PostRow).where(PostRow.id.in_(posts)))
    return {row.id: ref for row in said if (ref := mappers.receipt(row)) is not None}


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


async def account_of(session: AsyncSession, ref: MessageRef) -> Account | None:
    row = await session.get(ConversationRow, await _conversation_of(session, ref) or 0)
    if row is None:
        return None
    made = select(DecisionRow).where(DecisionRow.conversation_id == row.id).order_by(DecisionRow.id)
    every = (await session.scalars(made)).all()
    decisions = [one for one in every if one.task == row.task]
    (request,) = await in_short(session, [row])
    remembered = await _remembered(session, decisions)
    told = tuple((one.at, mappers.decision(one)) for one in decisions)
    answers = tuple((one.at, mappers.decision(one)) for one in every if one.task != row.task)
    return Account(request, told, *remembered, await _life(session, row.id, row.task), answers)


async def _life(session: AsyncSession, conversation: int, task: str | None) -> CorrectionLife | None:
    columns = ExampleRow.id, ExampleRow.label, ExampleRow.lead, ExampleRow.recorded_at
    theirs = with_facts(*columns).where(ExampleRow.conversation_id == conversation, ExampleRow.task == task)
    row = (await session.execute(theirs.order_by(ExampleRow.id.desc()).limit(1))).first()
    if row is None:
        return None
    example, label, lead, recorded, *facts = row
    return CorrectionLife(example, label, lead, recorded, facts_of(facts))


async def _conversation_of(session: AsyncSession, ref: MessageRef) -> int | None:
    for table in (MessageRow, NoteRow):
        here = and_(table.platform == ref.platform, table.chat == ref.chat, table.message_id == ref.id)
        found = await session.scalar(select(table.conversation_id).where(here))
        if found is not None:
            return found
    said = and_(PostRow.platform == ref.platform, PostRow.receipt_chat == ref.chat, PostRow.receipt_id == ref.id)
    about = select(PostRow.conversation_id).where(said, PostRow.conversation_id.is_not(None))
    return await session.scalar(about.order_by(PostRow.id.desc()).limit(1))


async def _remembered(session: AsyncSession, decisions: Sequence[DecisionRow]) -> tuple[tuple[str, ...], Basis]:
    """The texts that the newest decision of the memory rested on, in its order, and on whose word they have their
    label."""
    newest = next((one for one in reversed(decisions) if one.evidence), None)
    if newest is None:
        return (), Basis.CORRECTION
    examples = select(ExampleRow.id, ExampleRow.text, ExampleRow.source).where(ExampleRow.id.in_(newest.evidence))
    known = {one: (text, basis_of(source)) for one, text, source in await session.execute(examples) if text}
    leaned_on = [known[one] for one in newest.evidence if one in known]
    basis = next((basis for basis in Basis if any(of is basis for _, of in leaned_on)), Basis.CORRECTION)
    return tuple(_shortened(text, _RECALLED) for text, of in leaned_on if of is basis), basis
