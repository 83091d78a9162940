"""Step 1: Store what happened. When a method here returns, the platform may acknowledge."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import ClassVar

from bot.domain import tracing
from bot.domain.errors import Unreachable
from bot.domain.failures import reason_of
from bot.domain.ledger import Ledger, Stored, ThreadingPolicy
from bot.domain.messages import (
    Deletion,
    Edit,
    Fact,
    Media,
    Message,
    Note,
    Person,
    Press,
    Reaction,
    clean,
    clean_name,
)
from bot.domain.ports import FailedItems, Inbox
from bot.flow.intake_queue import IntakeQueue
from bot.lifecycle import origin

log = logging.getLogger(__name__)

_NAME = 80
"""How many characters we keep of a person's or a file's name."""
_ENDING = 10


@dataclass(frozen=True, slots=True)
class Receiver:
    """The inbox of every platform. Every method raises Unreachable when the fact could not be stored."""

    name: ClassVar[str] = "intake"
    ledger: Ledger
    policy: ThreadingPolicy
    ripe_in: Callable[[timedelta], None]
    """Called with the time until the conversation will have been quiet for long enough."""
    failures: FailedItems
    now: Callable[[], datetime]
    """Our own clock, which times everything that waits: a platform's may be minutes ahead or behind."""
    _queue: IntakeQueue = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_queue", IntakeQueue(self.ledger, self.policy))

    async def message(self, message: Message) -> None:
        """Store the message. A repeat changes nothing."""
        kept = replace(message, text=clean(message.text), author=_named(message.author), media=_kept(message.media))
        kept = replace(kept, heard=self.now())
        if await self._is_new(kept, "received") and self.policy.settle:  # without, storing it has woken the sorter
            self.ripe_in(self.policy.settle)

    async def reaction(self, reaction: Reaction) -> None:
        """Store the reaction, if it may be on one of our posts or is a lead's statement about a person's message."""
        kept = replace(reaction, actor=_named(reaction.actor), emoji=clean(reaction.emoji), heard=self.now())
        await self._is_new(kept, "reaction", added=reaction.added)

    async def press(self, press: Press) -> None:
        """Store the press, if it may be on one of our posts."""
        kept = replace(press, actor=_named(press.actor), value=clean(press.value), heard=self.now())
        await self._is_new(kept, "press")

    async def edit(self, edit: Edit) -> None:
        """Store the present words and attachments of a message or note that we know."""
        media = None if edit.media is None else _kept(edit.media)
        kept = replace(edit, text=clean(edit.text), media=media)
        await self._is_new(kept, "edited")

    async def deletion(self, deletion: Deletion) -> None:
        """Empty a message or note that we know."""
        kept = replace(deletion, heard=self.now())
        await self._is_new(kept, "deleted")

    async def note(self, note: Note) -> None:
        """Store what a team wrote, if it is under a post of ours."""
        kept = replace(note, text=clean(note.text), author=_named(note.author), media=_kept(note.media))
        kept = replace(kept, heard=self.now())
        await self._is_new(kept, "noted")

    async def person(self, person: Person) -> None:
        """Store the person's name, where it was not known yet."""
        await self.ledger.name_person(_named(person))

    async def chat_moved(self, platform: str, before: str, after: str) -> None:
        """Store that the chat has another id from now on."""
        await self.ledger.move_chat(platform, before, after)
        log.info("chat moved", extra={"platform": platform, "before": before, "after": after})

    async def step(self) -> int:
        """Store again the facts that were set aside and are to be retried; return how many there were."""
        facts = await self.failures.parked()
        for key, fact in facts:
            await self.failures.succeeded(key)  # it is set aside anew if it fails again
            await self._take(fact)
        return len(facts)

    async def _take(self, fact: Fact) -> None:
        match fact:
            case Message():
                await self.message(fact)
            case Edit():
                await self.edit(fact)
            case Deletion():
                await self.deletion(fact)
            case Note():
                await self.note(fact)
            case Reaction():
                await self.reaction(fact)
            case Press():
                await self.press(fact)

    async def _is_new(self, fact: Fact, what: str, **more: bool) -> bool:
        """Store the fact and return whether it is new. Its conversation's way through log and trace begins here."""
        began = asyncio.get_running_loop().time()
        stored = await self._stored(fact)
        if stored.new:
            log.info(what, extra={"conversation": stored.conversation, **_about(fact), **more})
        if stored.new and stored.conversation is not None:
            seconds = asyncio.get_running_loop().time() - began
            about = {"switchboard.platform": fact.ref.platform}
            tracing.received(f"receive {type(fact).__name__}", seconds, stored.conversation, stored.opened, about)
        return stored.new

    async def _stored(self, fact: Fact) -> Stored:
        """What came of storing the fact. One that cannot be stored, though the database answers, is set aside.

        Otherwise its platform would send it for ever, and nothing behind it would get through.
        """
        try:
            return await self._queue.store(fact)
        except Unreachable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the fact would be wrong the next time, too
            about = {"step": self.name, **_about(fact), "kind": type(fact).__name__}
            told = {**about, "problem": reason_of(error), "at": origin(error), "remedy": "switchboard failed list"}
            log.error("item set aside", extra=told)
            await self.failures.park(fact, reason_of(error), self.now())
            return Stored(new=False)


def _about(fact: Fact) -> dict[str, object]:
    """Which message the fact is about, for the log."""
    return {"platform": fact.ref.platform, "chat": fact.ref.chat, "ref": fact.ref.id}


def _named(person: Person) -> Person:
    return replace(person, name=clean_name(person.name)[:_NAME])


def _kept(media: tuple[Media, ...]) -> tuple[Media, ...]:
    return tuple(replace(one, name=_short(clean_name(one.name))) for one in media)


def _short(name: str) -> str:
    """Shorten a file's name but keep its ending, which says what program opens it."""
    stem, dot, ending = name.rpartition(".")
    if len(name) <= _NAME or not dot or len(ending) > _ENDING:
        return name[:_NAME]
    return f"{stem[: _NAME - len(ending) - 2]}…{dot}{ending}"


_: type[Inbox] = Receiver
