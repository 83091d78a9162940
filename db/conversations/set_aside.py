"""What setting an item aside means for each step: the item no longer waits, until somebody has it tried again."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Update, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import State
from db.conversations.targets import IS_CHOICE, on, on_message, on_note
from db.posts.cancel import PENDING, CancelReason, cancel_rewritings
from db.tables import ConversationRow, MessageRow, NoteRow, PostRow, PressRow, ReactionRow, WebhookEventRow

_LONG = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class _Handling:
    """How an item of one step is taken out of the queue and put back."""

    conclude: Callable[[AsyncSession, int, datetime], Awaitable[None]]
    reopen: Callable[[AsyncSession, int, datetime, datetime], Awaitable[None]]
    """Called with when the item first failed, and now."""


async def conclude(session: AsyncSession, step: str, item: str, now: datetime) -> None:
    """Take the item out of the queue: it holds up nothing that waits behind it."""
    handling, number = _of(step, item)
    if handling is not None:
        await handling.conclude(session, number, now)


async def reopen(session: AsyncSession, step: str, item: str, first: datetime, now: datetime) -> None:
    """Put the item back into the queue, in its old place. `first` is when it first failed."""
    handling, number = _of(step, item)
    if handling is not None:
        await handling.reopen(session, number, first, now)


async def give_up(session: AsyncSession, step: str, item: str, now: datetime) -> None:
    """Never try the item again. Its conclusion stays; an undecided conversation is closed."""
    if step == "sort":
        closed = update(ConversationRow).where(ConversationRow.id == int(item))
        closed = closed.where(ConversationRow.state.in_([State.NEW, State.ASKED]))
        await _run(session, closed.values(state=State.CLOSED, closed_at=now))


async def let_go(session: AsyncSession, step: str, item: str) -> None:
    """End the item's own claim, for items whose claim is not their conversation's."""
    if step == "deliver":
        await _run(session, update(PostRow).where(PostRow.id == int(item)).values(leased_until=None))
    if step == "webhook":
        await _run(session, update(WebhookEventRow).where(WebhookEventRow.id == int(item)).values(leased_until=None))


def _of(step: str, item: str) -> tuple[_Handling | None, int]:
    kind, _, number = item.rpartition(" ")
    handling = _HANDLING.get(f"{step} {kind}" if kind else step)
    return handling, int(number) if handling is not None else 0


async def _run(session: AsyncSession, statement: Update) -> None:
    await session.execute(statement.execution_options(synchronize_session=False))


def _facts(table: type[PressRow] | type[MessageRow] | type[NoteRow]) -> _Handling:
    """Facts that are concluded when set aside, and unconcluded when reopened."""

    async def conclude(session: AsyncSession, item: int, now: datetime) -> None:
        await _run(session, update(table).where(table.id == item).values(concluded_at=now))
        if table is NoteRow:
            seen = and_(_on_the_note(item), ReactionRow.concluded_at.is_(None))
            await _run(session, update(ReactionRow).where(seen).values(concluded_at=now))

    async def reopen(session: AsyncSession, item: int, first: datetime, now: datetime) -> None:
        await _run(session, update(table).where(table.id == item).values(concluded_at=None))

    return _Handling(conclude, reopen)


def _on_the_note(note: int) -> ColumnElement[bool]:
    return ReactionRow.id.in_(select(ReactionRow.id).join(NoteRow, on_note(ReactionRow)).where(NoteRow.id == note))


def _about(conversation: int) -> ColumnElement[bool]:
    """Reactions on the conversation's posts, and choices on its messages."""
    posted = select(ReactionRow.id).join(PostRow, on(ReactionRow)).where(PostRow.conversation_id == conversation)
    chosen = select(ReactionRow.id).join(MessageRow, on_message(ReactionRow)).where(IS_CHOICE)
    chosen = chosen.where(MessageRow.conversation_id == conversation)
    return or_(ReactionRow.id.in_(posted), ReactionRow.id.in_(chosen))


async def _conclude_reactions(session: AsyncSession, conversation: int, now: datetime) -> None:
    seen = and_(_about(conversation), ReactionRow.concluded_at.is_(None))
    await _run(session, update(ReactionRow).where(seen).values(concluded_at=now))


async def _reopen_reactions(session: AsyncSession, conversation: int, first: datetime, now: datetime) -> None:
    seen = and_(_about(conversation), ReactionRow.concluded_at >= first)
    await _run(session, update(ReactionRow).where(seen).values(concluded_at=None))


def _edits(table: type[MessageRow] | type[NoteRow]) -> _Handling:
    async def conclude(session: AsyncSession, item: int, now: datetime) -> None:
        await _run(session, update(table).where(table.id == item).values(stale=False))

    async def reopen(session: AsyncSession, item: int, first: datetime, now: datetime) -> None:
        await _run(session, update(table).where(table.id == item).values(stale=True))

    return _Handling(conclude, reopen)


async def _conclude_post(session: AsyncSession, item: int, now: datetime) -> None:
    aside = update(PostRow).where(PostRow.id == item, PENDING)
    await _run(session, aside.values(given_up_at=now, problem=CancelReason.SET_ASIDE.value, leased_until=None))
    await cancel_rewritings(session, [item], now)


async def _reopen_post(session: AsyncSession, item: int, first: datetime, now: datetime) -> None:
    aside = and_(PostRow.id == item, PostRow.problem == CancelReason.SET_ASIDE.value)
    newer = and_(PostRow.edits == item, PostRow.problem == CancelReason.NEVER_SAID.value)
    again = update(PostRow).where(or_(aside, newer), PostRow.said_at.is_(None))
    await _run(session, again.values(given_up_at=None, problem=None, attempts=0, not_before=now))


async def _conclude_reminder(session: AsyncSession, conversation: int, now: datetime) -> None:
    never = update(ConversationRow).where(ConversationRow.id == conversation)
    await _run(session, never.values(remind_after=now + _LONG))


async def _reopen_reminder(session: AsyncSession, conversation: int, first: datetime, now: datetime) -> None:
    await _run(session, update(ConversationRow).where(ConversationRow.id == conversation).values(remind_after=None))


async def _conclude_asking(session: AsyncSession, conversation: int, now: datetime) -> None:
    never = update(ConversationRow).where(ConversationRow.id == conversation)
    await _run(session, never.values(lacks_answers=False))


async def _reopen_asking(session: AsyncSession, conversation: int, first: datetime, now: datetime) -> None:
    await _run(session, update(ConversationRow).where(ConversationRow.id == conversation).values(lacks_answers=True))


async def _conclude_event(session: AsyncSession, item: int, now: datetime) -> None:
    aside = update(WebhookEventRow).where(WebhookEventRow.id == item, WebhookEventRow.sent_at.is_(None))
    await _run(session, aside.values(given_up_at=now, leased_until=None))


async def _reopen_event(session: AsyncSession, item: int, first: datetime, now: datetime) -> None:
    await _run(session, update(WebhookEventRow).where(WebhookEventRow.id == item).values(given_up_at=None))


_HANDLING: Mapping[str, _Handling] = {
    "ask": _Handling(_conclude_asking, _reopen_asking),
    "press": _facts(PressRow),
    "shadow_press": _facts(PressRow),
    "relay": _facts(MessageRow),
    "note": _facts(NoteRow),
    "correct": _Handling(_conclude_reactions, _reopen_reactions),
    "edit message": _edits(MessageRow),
    "edit note": _edits(NoteRow),
    "deliver": _Handling(_conclude_post, _reopen_post),
    "remind": _Handling(_conclude_reminder, _reopen_reminder),
    "webhook": _Handling(_conclude_event, _reopen_event),
}
"""By step, and by kind of item where a step has several. Claims of other steps (sort, embed) skip items set aside."""
