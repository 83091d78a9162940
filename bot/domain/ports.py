"""What the flow needs from the world: platforms, the outbox, and the items that fail.

A method states a fact and is one transaction; a repeated fact changes nothing.

Every method may raise Unreachable when the other side is down; what was not stored will be asked for again.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.decisions import Decision
from bot.domain.failures import FailedItem, Failure, ItemKey
from bot.domain.messages import Deletion, Edit, Fact, Media, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.posts import OutboxItem, Post, Receipt
from bot.domain.tasks import Label


class Inbox(Protocol):
    """Where a platform puts what happened. When a method returns, the fact is stored: only then acknowledge."""

    async def message(self, message: Message) -> None: ...

    async def reaction(self, reaction: Reaction) -> None: ...

    async def press(self, press: Press) -> None: ...

    async def edit(self, edit: Edit) -> None: ...

    async def deletion(self, deletion: Deletion) -> None: ...

    async def note(self, note: Note) -> None: ...

    async def person(self, person: Person) -> None:
        """Who somebody is whose messages were stored before that was known: name, language, of which company."""

    async def chat_moved(self, platform: str, before: str, after: str) -> None:
        """The chat has another id from now on (`Place.chat`): what is owed and what stands there follows."""


class Platform(Protocol):
    """One place where people talk."""

    @property
    def name(self) -> str:
        """The word for it in settings, in `Place.platform` and in metrics."""

    async def listen(self, inbox: Inbox) -> None:
        """Take in what happens there until cancelled. Raises Refused when it can never work (a bad token)."""

    @property
    def whispers(self) -> bool:
        """Whether something can be shown to one person of a room alone (`Post.only_for`)."""

    def delay(self, item: OutboxItem) -> timedelta:
        """How long the post must wait for its turn, by the limits of the place it goes to. Zero: say it now.

        A wait reserves that turn: asked again then, the answer is zero, unless the platform has set other limits since.
        """

    async def say(self, item: OutboxItem) -> MessageRef:
        """Say the post, or rewrite the one it edits; its receipt. Never waits for its turn: `delay` was asked.

        Raises Unreachable (again later), ChatMoved (again there), Refused (never; the message says what to mend).
        """

    async def fetch(self, media: Media) -> bytes:
        """An attachment of this platform. Raises Unreachable, Refused (too large, gone)."""

    async def may_correct(self, person: Person, team: Label, room: Place) -> bool:
        """Whether this person may correct a card of that team in that room. Never true for bots and externals."""

    async def may_handle(self, person: Person, room: Place) -> bool:
        """Whether this person may take, close and answer what is in that room. Never true for bots and externals."""

    def healthy(self) -> bool:
        """Whether it hears people now."""


class Outbox(Protocol):
    """What we owe to chats."""

    async def claim_due(
        self, platforms: Sequence[str], now: datetime, limit: int, busy: Collection[str] = ()
    ) -> list[OutboxItem]:
        """Posts to say now, at most one a conversation and chat at a time, in order, on these platforms only.

        None for the chats that are `busy`.
        """

    async def said(self, item: OutboxItem, ref: MessageRef, now: datetime, posts: Sequence[Post] = ()) -> None:
        """Store the receipt, and what is owed next because of it, to the same conversation."""

    async def said_all(self, receipts: Sequence[Receipt], now: datetime) -> Sequence[bool]:
        """Store many receipts together; which of them were stored, as in `decide_all`. Nothing follows from them."""

    async def postpone(self, item: OutboxItem, until: datetime, problem: str) -> None:
        """Try again then; later posts of the same conversation in that chat wait for it."""

    async def reserve(self, item: OutboxItem, until: datetime) -> None:
        """Its turn comes then: as `postpone`, but nothing was tried, so this counts as no attempt."""

    async def give_up(
        self,
        item: OutboxItem,
        problem: str,
        now: datetime,
        posts: Sequence[Post] = (),
        decision: Decision | None = None,
    ) -> None:
        """It will never be said; the problem is kept for people to see. `posts` are owed to the same conversation.

        `decision` moves the conversation (a team that cannot be reached). A card among them is owed only while the
        conversation is where the refused one says. That nothing reaches the person is owed once, until something does.
        """

    async def add(self, posts: Sequence[Post], now: datetime) -> None:
        """Owe posts that belong to no conversation (a learning report)."""


class FailedItems(Protocol):
    """Items of any step that fail: they wait longer and longer, and those that fail for ever are set aside."""

    async def failed(self, failure: Failure, now: datetime) -> bool:
        """Store a failed attempt and let go of the item, which is not claimed again before its back-off is over.

        True: it is set aside now, after too many attempts or a final one. Others of its kind go on.
        """

    async def succeeded(self, key: ItemKey) -> None:
        """Forget the failed attempts at an item, which is done."""

    async def park(self, fact: Fact, reason: str, now: datetime) -> None:
        """Set aside a fact that could not be stored where it belongs, so that its platform need not send it for ever.

        Kept with its words, for another attempt; they go with whoever is forgotten (`Erasure`).
        """

    async def parked(self) -> list[tuple[ItemKey, Fact]]:
        """Parked facts of which somebody wants another attempt (`retry`)."""

    async def set_aside(self) -> list[FailedItem]:
        """What is set aside, oldest first."""

    async def counts(self) -> Mapping[str, int]:
        """How many items are set aside, by step."""

    async def retry(self, failed: int, now: datetime) -> bool:
        """Let the item be claimed again, with all its attempts before it. False: no such item is set aside."""

    async def drop(self, failed: int, now: datetime) -> bool:
        """Conclude the item for ever, with nothing done. False as above."""

    async def reread(self, now: datetime) -> int:
        """Retry what a version that could not read it set aside, if this one can; how many items."""
