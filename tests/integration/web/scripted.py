"""A scripted bot behind the page: it answers as the real one would, from facts in lists."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.domain.decisions import Author, Reason
from bot.domain.learning import Phase, Verdict
from bot.domain.messages import Deletion, Edit, Message, MessageRef, Note, Person, Place, Press, Reaction, chosen
from bot.domain.posts import (
    NO,
    Answer,
    Card,
    Content,
    FollowUp,
    Moved,
    Notice,
    Offer,
    OutboxItem,
    Post,
    Question,
    Reply,
    Sent,
    Solved,
    What,
    WrongTeam,
)
from bot.domain.queries import TranscriptLine
from bot.platforms.web.adapter import WebChat
from tests.fakes_web import TASK, VOCABULARY, FakeInbox, FakeWorld

LEAD = Person("web", "lead", "Lead")


@dataclass
class ScriptedBot(FakeInbox):
    """Plays all steps of the flow for the page: sends posts through the chat, as the courier would.

    It sends everything to billing until a lead corrects it, and remembers the correction.
    """

    world: FakeWorld = field(default_factory=FakeWorld)
    remembered: str | None = None
    unsure: str = "?"
    """Texts that end like this make it ask."""
    memory: tuple[str, ...] = ()
    unreachable: str = ""
    """Why nothing reaches the person; empty: it does."""
    chat: WebChat = field(init=False)
    _posts: int = 0

    def __post_init__(self) -> None:
        self.chat = WebChat(("lead",), self.world.around())

    # --- what people do ---

    async def message(self, message: Message) -> None:
        repeated = any(message.ref == known.ref for known in self.messages)
        await super().message(message)
        if repeated:
            return
        self.world.said.append(TranscriptLine(message.ref, message.place, message.at, message, None, ()))
        if message.ref.id != message.place.thread:
            await self._under(self._card_of(message.place), FollowUp(message.author.name, message.text))
        elif message.text.endswith(self.unsure):
            await self.say(message.place, Question(("billing", "delivery", "support"), message.author.language))
        else:
            await self.route(message, self.remembered or "billing")
        self.world.tell()

    async def edit(self, edit: Edit) -> None:
        await super().edit(edit)
        line = self._line(edit.ref)
        self._put(line, _with_words(line, edit.text))
        if line.message:
            self._recard(line.message.place, edited=True, excerpt=edit.text)
        self.world.tell()

    async def edit_of(self, text: str, words: str) -> None:
        """A person changes their message in another place, while the page is open."""
        ref = next(message.ref for message in self.messages if message.text == text)
        await self.edit(Edit(ref, words, datetime.now(UTC)))

    async def deletion(self, deletion: Deletion) -> None:
        await super().deletion(deletion)
        line = self._line(deletion.ref)
        self._put(line, _with_words(line, ""))
        if line.message:
            self._recard(line.message.place, deleted=True, excerpt="")
        self.world.tell()

    async def note(self, note: Note) -> None:
        await super().note(note)
        card = self._line(note.under)
        self.world.said.append(TranscriptLine(note.ref, Place("web", note.ref.chat), note.at, None, None, (), note))
        if note.send:
            await self._send(note)
        else:
            await self._under(card, Offer(len(self.notes), "Customer", note.text), note.ref)
        self.world.tell()

    async def reaction(self, reaction: Reaction) -> None:
        await super().reaction(reaction)
        line = self._line(reaction.ref)
        mark = (reaction.emoji, reaction.actor.id)
        kept = tuple(one for one in line.reactions if one != mark)
        self._put(line, replace(line, reactions=(*kept, mark) if reaction.added else kept))
        if line.post and isinstance(line.post.content, Card):
            await self._judge(self._line(reaction.ref), line.post.content, reaction)
        elif line.note and reaction.emoji == VOCABULARY.send["web"]:
            await self._send(line.note)
        self.world.tell()

    async def press(self, press: Press) -> None:
        await super().press(press)
        line = self._line(press.ref)
        assert line.post is not None
        match line.post.content:
            case Question():
                self._reword(line, Question((), "en", answered="delivery", chosen=True))
            case Solved() as solved:
                self._reword(line, replace(solved, answer=press.value))
                what = What.UNSOLVED if press.value == NO else What.SOLVED
                await self._under(self._card_of(line.place), Notice(what, who="Customer"))
            case Offer():
                await self._send(next(note for note in self.notes if note.ref == line.post.answers))
            case WrongTeam(choices):
                self._reword(line, WrongTeam(choices, choices[int(press.value)]))
                card = next(one for one in self.world.said if one.ref.id == f"post-{line.post.under}")
                assert card.post is not None and isinstance(card.post.content, Card)
                await self._move(card, card.post.content, choices[int(press.value)])
        self.world.tell()

    # --- what the bot does with it ---

    async def route(self, message: Message, label: str) -> None:
        known = self.remembered is not None
        await self.say(message.place, Answer(label, message.author.language, remembered=known))
        card = Card(
            conversation=len(self.messages),
            label=label,
            excerpt=message.text,
            author=message.author.name,
            source=message.ref,
            by=Author.MEMORY if known else Author.MODEL,
            reason=Reason.REMEMBERED if known else Reason.CONFIDENT,
            confidence=0.94,
            adapter="routing-1",
            legend=tuple((of.emoji["web"], of.name) for of in TASK.labels),
            remembered=self.memory if known else (),
        )
        await self.say(Place("web", label), card)

    async def _judge(self, line: TranscriptLine, card: Card, reaction: Reaction) -> None:
        label = TASK.label_of_emoji("web", reaction.emoji)
        if reaction.emoji == VOCABULARY.take["web"]:
            self._reword(line, replace(card, taken_by=reaction.actor.name if reaction.added else ""))
        elif reaction.emoji == VOCABULARY.done["web"]:
            self._reword(line, replace(card, done=reaction.added))
            if reaction.added:
                await self.say(self._source(card).place, Solved(card.label, "en"))
        elif reaction.emoji == VOCABULARY.wrong["web"] and reaction.added:
            await self._under(line, WrongTeam(tuple(name for name in TASK.names if name != card.label)))
        elif label and reaction.added and not chosen(reaction.emoji) and label != card.label:
            await self._move(line, card, label)

    async def _move(self, line: TranscriptLine, card: Card, label: str) -> None:
        notes = [one.note for one in self.world.said if one.note and one.note.under == line.ref]
        history = tuple((note.author.name, note.text) for note in notes)
        moved = replace(card, label=label, by=Author.LEAD, reason=Reason.CORRECTED, history=history)
        there = await self.say(Place("web", label), moved)
        self._reword(line, replace(card, moved_to=label, moved_link=there))
        source = self._source(card)
        await self.say(source.place, Moved(label, source.author.language))
        self.remembered, self.world.waiting = label, self.world.waiting + 1
        self.memory = (card.excerpt,)

    async def _send(self, note: Note) -> None:
        card = self._line(note.under)
        assert card.post is not None and isinstance(card.post.content, Card)
        if not self.unreachable:
            reply = Reply(card.post.content.label, note.text, "en", note.author.name)
            await self.say(self._source(card.post.content).place, reply)
        for line in self.world.said:
            if line.post and isinstance(line.post.content, Offer) and line.post.answers == note.ref:
                self._reword(line, replace(line.post.content, sent=True))
        await self._under(card, Sent(note.text, note.author.name, "Customer", self.unreachable))

    async def say(
        self, place: Place, content: Content, under: int | None = None, answers: MessageRef | None = None
    ) -> MessageRef:
        self._posts += 1
        post = Post(place, content, under=under, answers=answers)
        ref = await self.chat.say(OutboxItem(self._posts, post, 1))
        self.world.said.append(TranscriptLine(ref, place, datetime.now(UTC), None, post, ()))
        return ref

    def learn(self, phase: Phase, progress: float = 0.0, verdict: Verdict | None = None) -> None:
        """Report what a learning cycle would report next."""
        assert self.world.cycle is not None
        self.world.cycle = replace(
            self.world.cycle, phase=phase, progress=progress, adapter="routing-2", verdict=verdict
        )
        if verdict and verdict.promoted:
            self.world.adapter, self.world.waiting = "routing-2", 0
        self.world.tell()

    # --- where its posts are ---

    async def _under(self, card: TranscriptLine, content: Content, answers: MessageRef | None = None) -> None:
        number = int(card.ref.id.removeprefix("post-"))
        await self.say(card.place, content, number, answers)

    def _recard(self, place: Place, **change: object) -> None:
        line = self._card_of(place)
        assert line.post is not None and isinstance(line.post.content, Card)
        self._reword(line, replace(line.post.content, **change))  # type: ignore[arg-type]

    def _card_of(self, place: Place) -> TranscriptLine:
        """The newest card of the thread's conversation."""
        cards = [line for line in self.world.said if line.post and isinstance(line.post.content, Card)]
        return next(one for one in reversed(cards) if _source_of(one).id == place.thread)

    def _source(self, card: Card) -> Message:
        return next(message for message in self.messages if message.ref == card.source)

    def _reword(self, line: TranscriptLine, content: Content) -> None:
        assert line.post is not None
        current = self._line(line.ref)
        self._put(current, replace(current, post=replace(line.post, content=content)))

    def _put(self, old: TranscriptLine, new: TranscriptLine) -> None:
        self.world.said[self.world.said.index(old)] = new

    def _line(self, ref: MessageRef) -> TranscriptLine:
        return next(line for line in self.world.said if line.ref == ref)


def _source_of(line: TranscriptLine) -> MessageRef:
    assert line.post is not None and isinstance(line.post.content, Card)
    return line.post.content.source


def _with_words(line: TranscriptLine, text: str) -> TranscriptLine:
    message = replace(line.message, text=text) if line.message else None
    note = replace(line.note, text=text) if line.note else None
    return replace(line, message=message, note=note, edited=bool(text))
