"""Step 5: What the person writes next goes to the team; what the team decides to send goes to the person."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain import relay
from bot.domain.conversations import PendingEdit, PendingFollowUp, PendingNote
from bot.domain.errors import Unreachable
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change, Ledger
from bot.domain.messages import Note, Person, Place
from bot.domain.ports import Platform
from bot.domain.posts import Notice, Post, What
from bot.domain.rich_text import plain
from bot.domain.tasks import Task, Vocabulary
from bot.flow.classify import Classifier
from bot.flow.lookups import AGAIN_AFTER, UNKNOWN_FOR, looked_up
from bot.flow.step import Step

log = logging.getLogger(__name__)

_LONGEST_THOUGHT = 3.0
"""Seconds that the team waits for a message while we ask whether it is about something else."""


@dataclass(frozen=True, slots=True)
class Relay(Step[PendingFollowUp]):
    """Carries what the person writes after the decision to the team."""

    name: ClassVar[str] = "relay"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.NEXT, Change.FREED})
    task: Task
    ledger: Ledger
    classifier: Classifier
    now: Callable[[], datetime]

    async def claim(self, limit: int, at_work: Sequence[PendingFollowUp] = ()) -> list[PendingFollowUp]:
        """Claim what was written after the decision."""
        return await self.ledger.claim_follow_ups(self.now(), limit)

    def key(self, item: PendingFollowUp) -> ItemKey:
        return ItemKey(self.name, str(item.id), item.conversation.id)

    async def handle(self, item: PendingFollowUp) -> None:
        """Pass the message on, and offer a request of its own where it may be about something else."""
        posts = [*relay.followed_up(item), *await self._split(item)]
        opens, passed_on = relay.opens_again(item), not relay.waits_for_another_team(item)
        await self.ledger.conclude_follow_up(item, posts, self.now(), opens, passed_on)

    async def _split(self, said: PendingFollowUp) -> list[Post]:
        """The offer of a request of its own. The team never waits long for it, not even if the model is down."""
        if not relay.may_split(said):
            return []
        try:
            async with asyncio.timeout(_LONGEST_THOUGHT):
                query = await self.classifier.query(self.task, hurried=True)
                [known] = await self.classifier.consider(query, [plain(said.message.text)])
        except TimeoutError:
            about = {"conversation": said.conversation.id, "ref": said.message.ref.id}
            log.warning("follow-up passed on without asking whether it is a new request: too slow", extra=about)
            return []
        return relay.split_offered(self.task, said, known.decided(self.task, may_ask=True))


@dataclass(frozen=True, slots=True)
class NoteRelay(Step[PendingNote]):
    """Sends the notes that a team wrote to be sent, and offers to send the rest.

    No note reaches the person unless somebody of the team sends it by an explicit act.
    """

    name: ClassVar[str] = "note"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.NOTE, Change.REACTION, Change.FREED})
    vocabulary: Vocabulary
    ledger: Ledger
    platforms: Mapping[str, Platform]
    now: Callable[[], datetime]

    async def claim(self, limit: int, at_work: Sequence[PendingNote] = ()) -> list[PendingNote]:
        """Claim notes that nobody has looked at yet, or that somebody now wants to be sent."""
        return await self.ledger.claim_notes(self.now(), limit)

    def key(self, item: PendingNote) -> ItemKey:
        return ItemKey(self.name, str(item.id), item.conversation.id)

    async def handle(self, item: PendingNote) -> None:
        """Send the note, offer to send it, or keep it internal."""
        try:
            posts, sent = await self._sent(item)
        except Unreachable:
            await self.ledger.postpone_note(item, self.now() + AGAIN_AFTER)
            return
        await self.ledger.conclude_note(item, sent, posts, self.now())
        log.info("note looked at", extra={"conversation": item.conversation.id, "sent": sent})

    async def _sent(self, noted: PendingNote) -> tuple[list[Post], bool]:
        """The posts that the note calls for, and whether they send it."""
        note = noted.note
        sender = None if noted.sent or not (note.text or note.media) else await self._sender(noted)
        words = relay.without_prefix(self.vocabulary, note.text)
        if sender is not None and (words or note.media):
            if relay.left_behind(noted):
                return self._left(noted, sender), False
            over = relay.offer_over(noted, self.platforms[note.ref.platform].whispers)
            return [relay.reply(noted.conversation, note, words, sender), *over], True
        if sender is not None:
            return [relay.nothing_to_send(noted, self.platforms[note.ref.platform].whispers)], False
        return await self._offered(noted), False

    async def _sender(self, noted: PendingNote) -> Person | None:
        """The team member who asks by an explicit act that the note be sent; None: nobody does."""
        note = noted.note
        asking = [
            reaction.actor
            for reaction in noted.standing
            if relay.sends(self.vocabulary, reaction.ref.platform, reaction.emoji)
        ]
        if relay.to_send(self.vocabulary, note) is not None:
            asking.insert(0, note.author)
        found = [(person, await self._may_handle(noted, person)) for person in asking]
        sender = next((person for person, may in found if may), None)
        if sender is None and any(may is None for _, may in found):
            raise Unreachable("who may send it cannot be looked up")
        return sender

    async def _offered(self, noted: PendingNote) -> list[Post]:
        """The question to the note's author whether to send it: asked once, and only of an author who may."""
        platform = self.platforms.get(noted.note.ref.platform)
        over = noted.sent or relay.is_offered(noted) or relay.left_behind(noted)
        words = relay.without_prefix(self.vocabulary, noted.note.text)
        if platform is None or over or not (words or noted.note.media):
            return []
        may = await self._may_handle(noted, noted.note.author)
        if may is None:
            raise Unreachable("who may send it cannot be looked up")
        if not may:
            return []
        return [relay.offer(noted, platform.whispers)]

    def _left(self, noted: PendingNote, sender: Person) -> list[Post]:
        """Tell somebody who wanted to send a note that the conversation is another team's by now."""
        ref, label = noted.note.ref, noted.conversation.label
        alone = sender if self.platforms[ref.platform].whispers else None
        if noted.under is not None:
            return [relay.gone(label, noted.under, alone, answers=ref)]
        notice = Notice(What.LEFT, team=label or "")
        return [Post(Place(ref.platform, ref.chat), notice, only_for=alone, answers=ref)]

    async def _may_handle(self, noted: PendingNote, person: Person) -> bool | None:
        """Whether the person may send it. None: it cannot be looked up yet; after a while that counts as no."""
        ref, card = noted.note.ref, noted.card
        there = card is not None and not relay.left_behind(noted)
        room = card.place if card is not None and there else Place(ref.platform, ref.chat)
        platform = self.platforms.get(ref.platform)
        if platform is None:
            return False
        found = await looked_up(platform.may_handle(person, room), ref.platform)
        since = noted.note.heard or noted.note.at
        asked = [one.since for one in noted.standing if one.actor == person]
        return False if found is None and self.now() - max(since, *asked, since) >= UNKNOWN_FOR else found


@dataclass(frozen=True, slots=True)
class EditRelay(Step[PendingEdit]):
    """Changes what was passed on to the author's present words."""

    name: ClassVar[str] = "edit"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.REVISED, Change.FREED})
    vocabulary: Vocabulary
    ledger: Ledger
    now: Callable[[], datetime]

    async def claim(self, limit: int, at_work: Sequence[PendingEdit] = ()) -> list[PendingEdit]:
        """Claim messages and notes whose words changed after they had been passed on."""
        return await self.ledger.claim_edits(self.now(), limit)

    def key(self, item: PendingEdit) -> ItemKey:
        kind = "note" if isinstance(item.message, Note) else "message"
        return ItemKey(self.name, f"{kind} {item.id}", item.conversation.id)

    async def handle(self, item: PendingEdit) -> None:
        """Pass the change on."""
        await self.ledger.conclude_edit(item, relay.revised(self.vocabulary, item), self.now())
