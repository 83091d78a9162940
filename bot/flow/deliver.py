"""Step 3: Posts that are due are delivered; what fails is tried later, and what is refused for good is given up."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import ClassVar

from bot.domain import delivery
from bot.domain.errors import ChatMoved, Refused, Unreachable
from bot.domain.failures import ItemKey, back_off
from bot.domain.ledger import Change, Ledger
from bot.domain.messages import File, Media, MessageRef
from bot.domain.ports import Outbox, Platform
from bot.domain.posts import Content, OutboxItem, Receipt
from bot.domain.report_posts import PICTURE
from bot.domain.tasks import Task
from bot.domain.tracing import Kind, span
from bot.flow.batch import Batch
from bot.flow.step import AT_ONCE, Step
from bot.flow.transfers import WAIT, Transfers
from bot.picture import picture

log = logging.getLogger(__name__)

_WRITERS = 4
"""How many transactions store receipts at a time: few of the pool's connections."""
_FETCH_SECONDS = 20.0
"""Less than half of a post's time (`worker_pool`): the rest is for uploading the attachment."""
_RECEIPT_AGAIN = 0.5
"""Seconds between attempts to store a receipt while the database is away."""
_AT_ONCE_IN_A_CHAT = 4
"""A chat with so many posts on their way gets no more until one has arrived, so that other chats get their turn."""


@dataclass(frozen=True, slots=True)
class Deliverer(Step[OutboxItem]):
    """Carries posts from the outbox to the platforms.

    Run one for each platform, named in `to`: then a platform that takes nothing fills no slots of another.
    """

    name: ClassVar[str] = "deliver"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.OWED})

    task: Task
    outbox: Outbox
    ledger: Ledger
    platforms: Mapping[str, Platform]
    now: Callable[[], datetime]
    to: str | None = None
    """The platform that it delivers to; None: all of them."""
    transfers: Transfers = field(default_factory=Transfers)
    """The deliveries that carry attachments at the moment, on all platforms."""
    _receipts: Batch[Receipt, bool] = field(init=False, repr=False, compare=False)
    """Receipts that come together are stored in one transaction."""

    _unnoted: dict[int, MessageRef] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Post -> its receipt that could not be stored in the post's time; kept until the post is claimed again."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_receipts", Batch(self._store, AT_ONCE, _WRITERS, "store the receipt"))

    async def claim(self, limit: int, at_work: Sequence[OutboxItem] = ()) -> list[OutboxItem]:
        """Claim posts that are due."""
        chats = Counter(item.post.place.chat for item in at_work)
        busy = [chat for chat, posts in chats.items() if posts >= _AT_ONCE_IN_A_CHAT]
        return await self.outbox.claim_due((self.to,) if self.to else tuple(self.platforms), self.now(), limit, busy)

    def key(self, item: OutboxItem) -> ItemKey:
        return ItemKey(self.name, str(item.id), item.conversation)

    async def handle(self, item: OutboxItem) -> None:
        """Deliver the post, or keep it for its turn. A delivered post whose receipt is not stored is not said again."""
        if (receipt := self._unnoted.get(item.id)) is not None:
            return await self._said(item, receipt)
        platform = self.platforms[item.post.place.platform]
        carries = item.post.edits is None and bool(delivery.attached(item.post.content))
        if carries and self.transfers.full:
            return await self.outbox.reserve(item, self.now() + WAIT)
        if wait := platform.delay(item):
            return await self.outbox.reserve(item, self.now() + wait)
        with self.transfers.one() if carries else nullcontext():
            return await self._deliver(item, platform)

    async def _deliver(self, item: OutboxItem, platform: Platform) -> None:
        if item.post.only_for is not None and not platform.whispers:
            # Meant for one person's eyes, and on this platform everybody would see it
            return await self.outbox.give_up(item, "nothing can be shown to one person alone there", self.now())
        about = {
            "conversation": item.conversation,
            "post": item.id,
            "platform": platform.name,
            "kind": type(item.post.content).__name__,
        }
        try:
            laden = await self._laden(item)
            with span(f"say on {platform.name}", kind=Kind.CLIENT, attributes={"switchboard.post": item.id}):
                receipt = await platform.say(laden)
        except ChatMoved as error:
            log.warning("chat moved", extra=about)
            await self.ledger.move_chat(platform.name, item.post.place.chat, error.chat)
            wait = back_off(item.attempt) if item.attempt > 1 else timedelta(0)
            return await self.outbox.postpone(item, self.now() + wait, str(error))
        except Unreachable as error:
            wait = error.retry_after or back_off(item.attempt)
            log.warning("delivery postponed", extra={**about, "wait": wait.total_seconds(), "problem": str(error)})
            return await self.outbox.postpone(item, self.now() + wait, str(error))
        except Refused as error:
            return await self._give_up(item, str(error), about)
        log.info("delivered", extra={**about, "attempt": item.attempt})
        return await self._said(item, receipt)

    async def _said(self, item: OutboxItem, receipt: MessageRef) -> None:
        """Store the receipt at once: if the process dies before that, the post is said twice.

        Giving up while the database is away would do the same. So it is tried until the post's time is over
        (`worker_pool`), and again when the post is claimed again.
        """
        problem, self._unnoted[item.id] = "", receipt
        while True:
            try:
                await self._received(item, receipt)
                break
            except Unreachable as error:
                if not problem:
                    problem = str(error)
                    about = {"post": item.id, "platform": receipt.platform, "problem": problem}
                    log.warning("receipt not stored, tried again", extra=about)
                await asyncio.sleep(_RECEIPT_AGAIN)
        del self._unnoted[item.id]

    async def _received(self, item: OutboxItem, receipt: MessageRef) -> None:
        posts = delivery.after_said(item, receipt)
        if posts or not await self._receipts.one(Receipt(item, receipt)):
            await self.outbox.said(item, receipt, self.now(), posts)

    async def _store(self, receipts: Sequence[Receipt]) -> Sequence[bool]:
        return await self.outbox.said_all(receipts, self.now())

    async def _laden(self, item: OutboxItem) -> OutboxItem:
        """The item with the attachments that only another platform has; one that is gone or too large is named instead.

        An edit changes words alone. Raises Unreachable when an attachment may be had later, until the post has used up
        its attempts with files.
        """
        if item.post.edits is not None:
            return item
        content, files = item.post.content, list(item.files)
        for media in delivery.attached(content):
            if media.platform == item.post.place.platform:
                continue
            try:
                files.append(File(media, await self._content(media, content)))
            except (Refused, Unreachable) as error:
                if isinstance(error, Unreachable) and item.attempt < delivery.MOST_ATTEMPTS_WITH_FILES:
                    raise
                log.warning(
                    "attachment not delivered", extra={"post": item.id, "from": media.platform, "problem": str(error)}
                )
                content = delivery.without(content, media)
        return replace(item, post=replace(item.post, content=content), files=tuple(files))

    async def _content(self, media: Media, content: Content) -> bytes:
        return await asyncio.to_thread(picture, content) if media == PICTURE else await self._fetch(media)

    async def _fetch(self, media: Media) -> bytes:
        source = self.platforms.get(media.platform)
        if source is None:
            raise Refused(f"{media.platform} is not set up any more")
        try:
            async with asyncio.timeout(_FETCH_SECONDS):
                return await source.fetch(media)
        except TimeoutError:
            raise Unreachable(f"{media.platform}: the attachment took longer than {_FETCH_SECONDS:.0f} s") from None

    async def _give_up(self, item: OutboxItem, problem: str, about: Mapping[str, object]) -> None:
        log.error("delivery given up", extra={**about, "problem": problem})
        what_now = delivery.undeliverable(self.task, item, problem)
        if what_now.lost:
            log.error(
                "card given up: no team's room takes it",
                extra={**about, "remedy": "mend deliver_to of the fallback label"},
            )
        await self.outbox.give_up(item, problem, self.now(), what_now.posts, what_now.decision)
