"""What the flow needs from the world: platforms, the outbox, and the items that fail.

A method states a fact and is one transaction; a repeated fact changes nothing.

Every method may raise Unreachable when the other side is down; what was not stored is asked for again.
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
    """Where a platform hands in what happened. When a method returns, the fact is stored: acknowledge only then."""

    async def message(self, message: Message) -> None: ...

    async def reaction(self, reaction: Reaction) -> None: ...

    async def press(self, press: Press) -> None: ...

    async def edit(self, edit: Edit) -> None: ...

    async def deletion(self, deletion: Deletion) -> None: ...

    async def note(self, note: Note) -> None: ...

    async def person(self, person: Person) -> None:
        """Name a person whose messages were stored before that was known: name, language, of which company."""

    async def chat_moved(self, platform: str, before: str, after: str) -> None:
        """The chat has another id from now on (`Place.chat`): what is owed there and what stands there follows."""


class Platform(Protocol):
    """A platform that people talk on."""

    @property
    def name(self) -> str:
        """The platform's name in settings, in `Place.platform` and in metrics."""

    async def listen(self, inbox: Inbox) -> None:
        """Take in what happens there until cancelled. Raises Refused when it can never work (a bad token)."""

    @property
    def whispers(self) -> bool:
        """Whether the platform can show something to one person of a room alone (`Post.only_for`)."""

    def delay(self, item: OutboxItem) -> timedelta:
        """How long the post must wait for its turn, by the limits of the place it goes to. Zero: say it now.

        A wait reserves the turn: asked again then, it returns zero, unless the platform has set other limits since.
        """

    async def say(self, item: OutboxItem) -> MessageRef:
        """Say the post, or rewrite the one it edits, and return its receipt. Never waits for a turn: see `delay`.

        Raises Unreachable (again later), ChatMoved (again there), Refused (never; the message names the remedy).
        """

    async def fetch(self, media: Media) -> bytes:
        """An attachment of this platform. Raises Unreachable, or Refused if it is too large or gone."""

    async def may_correct(self, person: Person, team: Label, room: Place) -> bool:
        """Whether this person may correct a card of that team in that room. Never true for bots and externals."""

    async def may_handle(self, person: Person, room: Place) -> bool:
        """Whether this person may take, close and answer what is in that room. Never true for bots and externals."""

    def healthy(self) -> bool:
        """Whether it receives what people write at the moment."""


class Outbox(Protocol):
    """The posts that we owe to chats."""

    async def claim_due(
        self, platforms: Sequence[str], now: datetime, limit: int, busy: Collection[str] = ()
    ) -> list[OutboxItem]:
        """Claim posts to say now, in order, at most one a conversation and chat at a time, on these platforms only.

        None for the chats that are `busy`.
        """

    async def said(self, item: OutboxItem, ref: MessageRef, now: datetime, posts: Sequence[Post] = ()) -> None:
        """Store the receipt, and the posts that are owed next to the same conversation because of it."""

    async def said_all(self, receipts: Sequence[Receipt], now: datetime) -> Sequence[bool]:
        """Store many receipts together, none of which calls for posts; which were stored, as in `decide_all`."""

    async def postpone(self, item: OutboxItem, until: datetime, problem: str) -> None:
        """Try the post again then; later posts of the same conversation in that chat wait for it."""

    async def reserve(self, item: OutboxItem, until: datetime) -> None:
        """Keep the post for its turn. As `postpone`, but nothing was tried, so it counts as no attempt."""

    async def give_up(
        self,
        item: OutboxItem,
        problem: str,
        now: datetime,
        posts: Sequence[Post] = (),
        decision: Decision | None = None,
    ) -> None:
        """Never say the post; the problem is kept for people to see. `posts` are owed to the same conversation.

        `decision` moves the conversation (its team cannot be reached). A card among `posts` is owed only while the
        conversation is where the refused card says. That the person cannot be reached is owed once, until a post gets
        through.
        """

    async def add(self, posts: Sequence[Post], now: datetime) -> None:
        """Owe posts that belong to no conversation (a learning report)."""


class FailedItems(Protocol):
    """Failed items of all steps: each waits longer after every attempt, and one that fails for ever is set aside."""

    async def failed(self, failure: Failure, now: datetime) -> bool:
        """Store a failed attempt and release the item, which is not claimed again before its back-off is over.

        True: it is set aside now, after too many attempts or a final one. Others of its kind go on.
        """

    async def succeeded(self, key: ItemKey) -> None:
        """Forget the failed attempts at an item that is done."""

    async def park(self, fact: Fact, reason: str, now: datetime) -> None:
        """Set aside a fact that could not be stored where it belongs, so that its platform does not send it for ever.

        It is kept with its words, for another attempt; an erasure of its author removes them (`Erasure`).
        """

    async def parked(self) -> list[tuple[ItemKey, Fact]]:
        """Facts that were set aside and for which somebody asked another attempt (`retry`)."""

    async def set_aside(self) -> list[FailedItem]:
        """The items that are set aside, oldest first."""

    async def counts(self) -> Mapping[str, int]:
        """Step -> how many of its items are set aside."""

    async def retry(self, failed: int, now: datetime) -> bool:
        """Let the item be claimed again, with a full number of attempts. False: no such item is set aside."""

    async def drop(self, failed: int, now: datetime) -> bool:
        """Conclude the item for ever without doing anything. False: no such item is set aside."""

    async def reread(self, now: datetime) -> int:
        """Retry items that were set aside because a version could not read them, if this one can; how many."""
