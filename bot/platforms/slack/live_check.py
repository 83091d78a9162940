"""The live part of the check: a card in every team's channel, and a person's reaction on each that must arrive."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from bot.domain.decisions import Author, Reason
from bot.domain.errors import SwitchboardError
from bot.domain.messages import Deletion, Edit, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.posts import Card, OutboxItem, Post
from bot.domain.tasks import Label
from bot.platforms import Finding, PlatformContext
from bot.platforms.slack import Config, Mode
from bot.platforms.slack.adapter import Slack, opened
from bot.platforms.slack.payload import NAME

WAIT_SECONDS = 120.0
"""How long somebody has to put a reaction on every card."""


@dataclass(slots=True)
class Listener:
    """An inbox that only looks for reactions."""

    seen: set[MessageRef] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def reaction(self, reaction: Reaction) -> None:
        self.seen.add(reaction.ref)
        self.news.set()

    async def message(self, message: Message) -> None: ...

    async def press(self, press: Press) -> None: ...

    async def edit(self, edit: Edit) -> None: ...

    async def deletion(self, deletion: Deletion) -> None: ...

    async def note(self, note: Note) -> None: ...

    async def person(self, person: Person) -> None: ...

    async def chat_moved(self, platform: str, before: str, after: str) -> None: ...


async def live_check(config: Config, around: PlatformContext) -> AsyncIterator[Finding]:
    """A finding for every team's channel."""
    if config.mode is Mode.HTTP:
        yield Finding(
            "reactions", False, "over HTTP only `switchboard run` can hear them; put one on a card of its own"
        )
        return
    async with opened(config, around) as slack:
        listener = Listener()
        hearing = asyncio.create_task(slack.listen(listener), name="slack trial")
        try:
            async for finding in _each(slack, listener, around):
                yield finding
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)


async def _each(slack: Slack, listener: Listener, around: PlatformContext) -> AsyncIterator[Finding]:
    posted = {}
    for label in around.task.labels:
        room = label.deliver_to.get(NAME)
        if room is None:
            continue
        try:
            posted[await slack.say(_card(label, room))] = label
        except SwitchboardError as error:
            yield Finding(f"a card for {label.name}", False, str(error))
    until = asyncio.get_running_loop().time() + WAIT_SECONDS
    for ref, label in posted.items():
        heard = await _heard(listener, ref, until)
        remedy = (
            "no reaction arrived: put one on the test card, and see that the app has reactions:read and is in there"
        )
        yield Finding(f"a reaction in {label.name}'s channel", heard, "" if heard else remedy)


async def _heard(listener: Listener, ref: MessageRef, until: float) -> bool:
    try:
        async with asyncio.timeout_at(until):
            while ref not in listener.seen:
                listener.news.clear()
                await listener.news.wait()
    except TimeoutError:
        return False
    return True


def _card(label: Label, room: Place) -> OutboxItem:
    card = Card(
        conversation=0,
        label=label.name,
        excerpt="A test by `switchboard check`: please put any emoji on this message.",
        author="switchboard check",
        source=MessageRef("check", "", ""),
        by=Author.LEAD,
        reason=Reason.CHOSEN,
        confidence=1.0,
        adapter=None,
        legend=(),
    )
    return OutboxItem(0, Post(room, card), 1)
