"""Step 1: Store what happened. When a method here returns, the platform may acknowledge."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.domain.messages import Deletion, Edit, Media, Message, Note, Person, Press, Reaction, clean
from bot.domain.ports import Inbox, Ledger, ThreadingPolicy
from bot.flow.intake_queue import IntakeQueue

log = logging.getLogger(__name__)

_NAME = 80
"""Characters of a person's or a file's name that we keep."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """The inbox of every platform. Every method raises Unreachable when the fact could not be stored."""

    ledger: Ledger
    policy: ThreadingPolicy
    ripe_in: Callable[[timedelta], None]
    """Told when the conversation will have been quiet for long enough."""
    _queue: IntakeQueue = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_queue", IntakeQueue(self.ledger, self.policy))

    async def message(self, message: Message) -> None:
        """Store the message. A repeat changes nothing."""
        kept = replace(message, text=clean(message.text), author=_named(message.author), media=_kept(message.media))
        if await self._queue.store(kept):
            log.info("received", extra={"platform": message.ref.platform, "ref": message.ref.id})
            self.ripe_in(self.policy.settle)

    async def reaction(self, reaction: Reaction) -> None:
        """Store the reaction, if it may be on one of our posts, or is a lead's word about a person's message."""
        kept = replace(reaction, actor=_named(reaction.actor), emoji=clean(reaction.emoji))
        if await self._queue.store(kept):
            log.info("reaction", extra={"platform": reaction.ref.platform, "added": reaction.added})

    async def press(self, press: Press) -> None:
        """Store the press, if it may be on one of our posts."""
        kept = replace(press, actor=_named(press.actor), value=clean(press.value))
        if await self._queue.store(kept):
            log.info("press", extra={"platform": press.ref.platform})

    async def edit(self, edit: Edit) -> None:
        """Store the new words of a message or note that we know."""
        if await self._queue.store(replace(edit, text=clean(edit.text))):
            log.info("edited", extra={"platform": edit.ref.platform, "ref": edit.ref.id})

    async def deletion(self, deletion: Deletion) -> None:
        """Empty a message or note that we know."""
        if await self._queue.store(deletion):
            log.info("deleted", extra={"platform": deletion.ref.platform, "ref": deletion.ref.id})

    async def note(self, note: Note) -> None:
        """Store what a team wrote, if it is under something of ours."""
        kept = replace(note, text=clean(note.text), author=_named(note.author), media=_kept(note.media))
        if await self._queue.store(kept):
            log.info("noted", extra={"platform": note.ref.platform, "ref": note.ref.id})

    async def person(self, person: Person) -> None:
        """Store who they are, where that was not known yet."""
        await self.ledger.name_person(_named(person))

    async def chat_moved(self, platform: str, before: str, after: str) -> None:
        """From now on that chat has another id."""
        await self.ledger.move_chat(platform, before, after)
        log.info("chat moved", extra={"platform": platform})


def _named(person: Person) -> Person:
    return replace(person, name=clean(person.name)[:_NAME])


def _kept(media: tuple[Media, ...]) -> tuple[Media, ...]:
    return tuple(replace(one, name=clean(one.name)[:_NAME]) for one in media)


_: type[Inbox] = Receiver
