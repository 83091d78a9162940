"""What a pressed button does: the presser and the button are both checked, and anything doubtful does nothing."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from bot.domain import compose, relay
from bot.domain.conversations import StandingCard
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change, Ledger
from bot.domain.messages import Place, Reaction, choice
from bot.domain.ports import Platform
from bot.domain.posts import (
    NO,
    ON_THE_CARD,
    OTHER,
    SEND,
    SPLIT,
    YES,
    Notice,
    Offer,
    Post,
    Question,
    Solved,
    Split,
    What,
    WrongTeam,
)
from bot.domain.presses import Chosen, Dispatched, Meaning, PendingPress, Settled, SplitOff, Stated
from bot.domain.question_rules import spelled
from bot.domain.questions import shown, with_answers
from bot.domain.tasks import Task, Vocabulary
from bot.flow.lookups import looked_up
from bot.flow.step import Step

log = logging.getLogger(__name__)

_Outcome = tuple[Meaning, list[Post]]
_NOTHING: _Outcome = (None, [])


@dataclass(frozen=True, slots=True)
class ButtonHandler(Step[PendingPress]):
    """Carries out what pressed buttons ask for."""

    name: ClassVar[str] = "press"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.PRESS, Change.FREED})

    task: Task
    vocabulary: Vocabulary
    ledger: Ledger
    platforms: Mapping[str, Platform]
    now: Callable[[], datetime]
    questions: Sequence[Task] = ()
    """The further questions that are asked of every conversation."""

    async def claim(self, limit: int, at_work: Sequence[PendingPress] = ()) -> list[PendingPress]:
        """Claim presses that nobody has looked at yet."""
        return await self.ledger.claim_presses(self.now(), limit)

    def key(self, item: PendingPress) -> ItemKey:
        return ItemKey(self.name, str(item.id), item.conversation.id)

    async def handle(self, item: PendingPress) -> None:
        """Carry out what the press means."""
        meaning, posts = await self._meaning(item)
        await self.ledger.conclude_press(item, meaning, posts, self.now())
        about = {"conversation": item.conversation.id, "on": type(item.on).__name__}
        log.info("pressed", extra={**about, "means": type(meaning).__name__ if meaning else "nothing"})

    async def _meaning(self, pressed: PendingPress) -> _Outcome:
        match pressed.on:
            case Question() | Solved() | Split() if not _by_the_person(pressed):
                return self._refused(pressed, pressed.conversation.place, What.NOT_YOURS)
            case Question() as question:
                return self._choice(pressed, question)
            case Solved() as solved:
                return _answer(pressed, solved)
            case Split() as split:
                return _separate(pressed, split)
            case WrongTeam() as asked:
                return await self._statement(pressed, asked)
            case Offer() as offer:
                return await self._dispatch(pressed, offer)
            case _:
                return _NOTHING

    def _choice(self, pressed: PendingPress, question: Question) -> _Outcome:
        """The person says which team. "Something else" names no label, so nothing is learned from it; nor from the name
        of a team that was retired since."""
        if question.answered is not None:
            return _NOTHING
        actor = pressed.press.actor.key
        if pressed.press.value == OTHER:
            decision = Decision(self.task.name, self.task.fallback, Author.FALLBACK, Reason.CHOSEN, actor=actor)
        elif (heir := pressed.retired.get(_named(pressed, question.candidates) or "")) is not None:
            label = heir if heir in self.task.names else self.task.fallback
            decision = Decision(self.task.name, label, Author.FALLBACK, Reason.RETIRED, actor=actor)
        elif (offered := _offered(pressed, question.candidates, self.task)) is not None:
            decision = Decision(self.task.name, offered, Author.PERSON, Reason.CHOSEN, actor=actor)
        else:
            return _NOTHING
        posts = compose.chosen(self.task, pressed, decision)
        return Chosen(decision), with_answers(posts, None, shown(self.questions, pressed.answers))

    async def _statement(self, pressed: PendingPress, asked: WrongTeam) -> _Outcome:
        """A lead names the right team, or answer; it stands as long as their emoji that the present one is wrong."""
        about = next((one for one in self.questions if one.name == asked.question), self.task)
        label, card, press = _offered(pressed, asked.choices, about), _present(pressed), pressed.press
        if label is None or card is None or card.ref is None or asked.chosen is not None:
            return _NOTHING
        team = self.task.label(card.card.label if card.card.label in self.task.names else self.task.fallback)
        platform = self._platform(card.place)
        if not await looked_up(platform.may_correct(press.actor, team, card.place), platform.name):
            return self._refused(pressed, card.place, What.NO_LEAD)
        named = spelled(about, label) if asked.question else label
        word = choice(named, via=self.vocabulary.wrong.get(card.ref.platform, ""))
        closed = Post(card.place, replace(asked, chosen=label), edits=pressed.post)
        return Stated(Reaction(card.ref, press.actor, word, True, press.at)), [closed]

    async def _dispatch(self, pressed: PendingPress, offer: Offer) -> _Outcome:
        """A member of the team sends a note to the person."""
        card, note, press = _present(pressed), pressed.note, pressed.press
        words = relay.without_prefix(self.vocabulary, note.text) if note is not None else ""
        if press.value != SEND or note is None or offer.sent or pressed.sent or not (words or note.media):
            return _NOTHING
        there = card or pressed.under
        if there is None:
            return _NOTHING
        platform = self._platform(there.place)
        if not await looked_up(platform.may_handle(press.actor, there.place), platform.name):
            return self._refused(pressed, there.place, What.NO_MEMBER)
        if card is None:
            reader = press.actor if platform.whispers else None
            return None, [relay.gone(pressed.conversation.label, there, reader, answers=note.ref)]
        alone = note.author if platform.whispers else None
        closed = Post(card.place, replace(offer, sent=True), edits=pressed.post, only_for=alone)
        return Dispatched(offer.note), [closed, relay.reply(pressed.conversation, note, words, press.actor)]

    def _refused(self, pressed: PendingPress, room: Place, why: What) -> _Outcome:
        """Tell somebody who may not press this why nothing happened, where nobody else sees it."""
        platform = self.platforms.get(room.platform)
        if platform is None or not platform.whispers or pressed.press.actor.platform != room.platform:
            return _NOTHING
        notice = Notice(why, who=pressed.conversation.person.name)
        return None, [Post(room, notice, only_for=pressed.press.actor)]

    def _platform(self, place: Place) -> Platform:
        return self.platforms[place.platform]


def _offered(pressed: PendingPress, choices: tuple[str, ...], task: Task) -> str | None:
    """The label behind the button, or the one that it became part of since.

    None if there is no such button, or the task no longer has the label. A process that read the settings before a
    change of teams may not have the other label yet.
    """
    named = _named(pressed, choices)
    now = pressed.merged.get(named or "", named)
    return next((label for label in (now, named) if label in task.names), None)


def _named(pressed: PendingPress, choices: tuple[str, ...]) -> str | None:
    """The label behind the button, as it was called when the question was put; None if there is no such button."""
    value = pressed.press.value
    return dict(enumerate(choices)).get(int(value)) if value.isascii() and value.isdecimal() else None


def _answer(pressed: PendingPress, asked: Solved) -> _Outcome:
    value, conversation, card = pressed.press.value, pressed.conversation, pressed.card
    if value not in (YES, NO) or asked.answer is not None:
        return _NOTHING
    posts = [Post(conversation.place, replace(asked, answer=value), edits=pressed.post)]
    if value == NO and pressed.ended:
        return Settled(False), posts  # its former team is told nothing: another gets it, with a card of its own
    if value == NO and card is not None and card.card.done:
        posts.append(Post(card.place, replace(card.card, done=False), edits=card.post))
    what = What.SOLVED if value == YES else What.UNSOLVED
    posts.append(Post(ON_THE_CARD, Notice(what, who=conversation.person.name)))
    return Settled(value == YES), posts


def _separate(pressed: PendingPress, offered: Split) -> _Outcome:
    if pressed.press.value != SPLIT or offered.done:
        return _NOTHING
    closed = Post(pressed.conversation.place, replace(offered, done=True), edits=pressed.post)
    return SplitOff(offered.message), [closed]


def _by_the_person(pressed: PendingPress) -> bool:
    asker, actor = pressed.conversation.person, pressed.press.actor
    return (asker.platform, asker.id) == (actor.platform, actor.id)


def _present(pressed: PendingPress) -> StandingCard | None:
    """The card that the button is under; None when the conversation has left that room."""
    card, ref, under = pressed.card, pressed.press.ref, pressed.under
    if card is not None and under is not None and under.place != card.place:
        return None
    here = card and (card.ref or card.place)
    return card if here and (here.platform, here.chat) == (ref.platform, ref.chat) else None
