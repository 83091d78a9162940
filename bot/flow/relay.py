"""Step 5: What the person writes next goes to the team; what the team decides to send goes to the person."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain import relay
from bot.domain.conversations import PendingFollowUp, PendingNote
from bot.domain.decisions import decide
from bot.domain.messages import Person, Place
from bot.domain.ports import Ledger, Platform
from bot.domain.posts import Notice, Post, What
from bot.domain.tasks import Task, Vocabulary
from bot.flow.classify import Classifier

log = logging.getLogger(__name__)

_AT_ONCE = 32
_LONGEST_THOUGHT = 3.0
"""Seconds that the team waits for a message while we wonder whether it is about something else."""


@dataclass(frozen=True, slots=True)
class Relay:
    """Carries words between the person and the team.

    Nothing of the team's reaches the person that somebody did not send by an explicit act.
    """

    task: Task
    vocabulary: Vocabulary
    ledger: Ledger
    platforms: Mapping[str, Platform]
    classifier: Classifier
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Pass on what was written after the decision; how many messages there were."""
        news = await self.ledger.claim_follow_ups(self.now(), _AT_ONCE)
        await asyncio.gather(*(self._pass_on(said) for said in news))
        return len(news)

    async def notes(self) -> int:
        """Send what teams wrote to be sent, offer to send the rest; how many notes there were."""
        notes = await self.ledger.claim_notes(self.now(), _AT_ONCE)
        await asyncio.gather(*(self._look_at(noted) for noted in notes))
        return len(notes)

    async def revise(self) -> int:
        """Change what was passed on to what its author says by now; how many messages and notes there were."""
        changed = await self.ledger.claim_edits(self.now(), _AT_ONCE)
        for news in changed:
            await self.ledger.conclude_edit(news, relay.revised(self.vocabulary, news), self.now())
        return len(changed)

    # --- towards the team ---

    async def _pass_on(self, said: PendingFollowUp) -> None:
        posts = [*relay.followed_up(said), *await self._split(said)]
        await self.ledger.conclude_follow_up(said, posts, self.now(), relay.opens_again(said))

    async def _split(self, said: PendingFollowUp) -> list[Post]:
        """The offer of a request of its own. The team never waits long for it, nor for a model that is away."""
        if not relay.may_split(said):
            return []
        try:
            async with asyncio.timeout(_LONGEST_THOUGHT):
                query = await self.classifier.query(self.task, hurried=True)
                [known] = await self.classifier.consider(query, [said.message.text])
        except TimeoutError:
            log.warning("no time to wonder", extra={"conversation": said.conversation.id})
            return []
        return relay.split_offered(self.task, said, decide(self.task, known.opinions, may_ask=True))

    # --- towards the person ---

    async def _look_at(self, noted: PendingNote) -> None:
        posts, sent = await self._sent(noted)
        await self.ledger.conclude_note(noted, sent, posts, self.now())
        log.info("note looked at", extra={"conversation": noted.conversation.id, "sent": sent})

    async def _sent(self, noted: PendingNote) -> tuple[list[Post], bool]:
        """What is owed because of the note, and whether that sends it."""
        note = noted.note
        sender = None if noted.sent or not (note.text or note.media) else await self._sender(noted)
        words = relay.without_prefix(self.vocabulary, note.text)
        if sender is not None and (words or note.media):
            if relay.left_behind(noted):
                return self._left(noted, sender), False
            over = relay.offer_over(noted, self.platforms[note.ref.platform].whispers)
            return [relay.reply(noted.conversation, note, words, sender), *over], True
        return await self._offered(noted), False

    async def _sender(self, noted: PendingNote) -> Person | None:
        """Who of the team asks by an explicit act that the note be sent; None: nobody does."""
        note = noted.note
        asking = [
            reaction.actor
            for reaction in noted.standing
            if relay.sends(self.vocabulary, reaction.ref.platform, reaction.emoji)
        ]
        if relay.to_send(self.vocabulary, note) is not None:
            asking.insert(0, note.author)
        for person in asking:
            if await self._may_handle(noted, person):
                return person
        return None

    async def _offered(self, noted: PendingNote) -> list[Post]:
        """Its author is asked whether to send it: once, and only who may."""
        platform = self.platforms.get(noted.note.ref.platform)
        over = noted.sent or relay.is_offered(noted) or relay.left_behind(noted)
        words = relay.without_prefix(self.vocabulary, noted.note.text)
        if platform is None or over or not (words or noted.note.media):
            return []
        if not await self._may_handle(noted, noted.note.author):
            return []
        return [relay.offer(noted, platform.whispers)]

    def _left(self, noted: PendingNote, sender: Person) -> list[Post]:
        """The conversation is another team's by now: who wanted to send something hears so."""
        ref, label = noted.note.ref, noted.conversation.label
        alone = sender if self.platforms[ref.platform].whispers else None
        if noted.under is not None:
            return [relay.gone(label, noted.under, alone, answers=ref)]
        notice = Notice(What.LEFT, team=label or "")
        return [Post(Place(ref.platform, ref.chat), notice, only_for=alone, answers=ref)]

    async def _may_handle(self, noted: PendingNote, person: Person) -> bool:
        ref, card = noted.note.ref, noted.card
        there = card is not None and not relay.left_behind(noted)
        room = card.place if card is not None and there else Place(ref.platform, ref.chat)
        platform = self.platforms.get(ref.platform)
        return platform is not None and await platform.may_handle(person, room)
