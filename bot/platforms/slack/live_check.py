"""The live part of the check: a test message in every team's channel, and whether a reaction on it arrives."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import SwitchboardError
from bot.domain.messages import Deletion, Edit, Message, MessageRef, Note, Person, Press, Reaction
from bot.platforms import LIVE_SECONDS, Finding, PlatformContext
from bot.platforms.slack import Config, Mode
from bot.platforms.slack.adapter import Slack, opened
from bot.platforms.slack.locales import sentence
from bot.platforms.slack.payload import NAME, word
from bot.platforms.slack.web_api import ask, open_session, web_client

_CONNECT_SECONDS, _LOOK_SECONDS = 30, 0.1


@dataclass(slots=True)
class Listener:
    """An inbox that records reactions and ignores everything else."""

    seen: set[MessageRef] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def reaction(self, reaction: Reaction) -> None:
        self.seen.add(reaction.ref)
        self.news.set()

    async def more(self, until: float) -> bool:
        """Wait for another reaction; False when none has come by `until`."""
        try:
            async with asyncio.timeout_at(until):
                await self.news.wait()
        except TimeoutError:
            return False
        self.news.clear()
        return True

    async def message(self, message: Message) -> None: ...

    async def press(self, press: Press) -> None: ...

    async def edit(self, edit: Edit) -> None: ...

    async def deletion(self, deletion: Deletion) -> None: ...

    async def note(self, note: Note) -> None: ...

    async def person(self, person: Person) -> None: ...

    async def chat_moved(self, platform: str, before: str, after: str) -> None: ...


async def live_check(config: Config, context: PlatformContext) -> AsyncIterator[Finding]:
    """The findings: in Socket Mode one for the connection and two for every team's channel.

    Over HTTP there is one finding, that the check cannot run: only `switchboard run` receives events.
    """
    if config.mode is Mode.HTTP:
        remedy = "over HTTP only `switchboard run` can hear them; put one on a card of its own"
        yield Finding("reactions arrive", False, remedy)
        return
    async with opened(config, context) as slack, open_session() as session:
        client = web_client(config.bot_token, config.api_base_url, session)
        listener, posted = Listener(), dict[MessageRef, str]()
        listening = asyncio.create_task(slack.listen(listener), name="slack live check")
        try:
            yield (connected := await _connected(slack, listening))
            if not connected.ok:
                return
            async for finding in _posted(client, context, posted):
                yield finding
            async for finding in _awaited(listener, posted):
                yield finding
        finally:
            await asyncio.gather(*(_ends(client, ref, context) for ref in posted), return_exceptions=True)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _connected(slack: Slack, listening: asyncio.Task[None]) -> Finding:
    """Wait for the connection before anything is posted: events that happen while nobody listens may never arrive."""
    what = "the connection that brings events is open"
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            while not slack.healthy() and not listening.done():  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        return Finding(what, False, "it did not open in time; see the network here: it is a WebSocket")
    failed = listening.exception() if listening.done() and not listening.cancelled() else None
    return Finding(what, failed is None, str(failed or ""))


async def _posted(
    client: AsyncWebClient, context: PlatformContext, posted: dict[MessageRef, str]
) -> AsyncIterator[Finding]:
    """Post a test message in every team's channel, and remember the teams of each."""
    rooms: dict[str, list[str]] = {}
    for label in context.task.labels:
        if NAME in label.deliver_to:
            rooms.setdefault(label.deliver_to[NAME].chat, []).append(label.name)
    for channel, labels in rooms.items():
        names = ", ".join(labels)
        what = f"a test message is in the channel of {names} ({channel}); put an emoji on it now"
        try:
            text = sentence(context.languages[0], "slack_check")
            answer = await ask(client.chat_postMessage(channel=channel, text=text))
        except SwitchboardError as error:
            yield Finding(what, False, str(error))
        else:
            posted[MessageRef(NAME, word(answer, "channel"), word(answer, "ts"))] = names
            yield Finding(what, True)


async def _awaited(listener: Listener, posted: dict[MessageRef, str]) -> AsyncIterator[Finding]:
    """A finding for each reaction as it arrives, and at the end for those that did not."""
    waiting, until = dict(posted), asyncio.get_running_loop().time() + LIVE_SECONDS
    while waiting and await listener.more(until):
        for ref in [ref for ref in waiting if ref in listener.seen]:
            yield Finding(f"a reaction arrives from the channel of {waiting.pop(ref)}", True)
    for names in waiting.values():
        remedy = "none came in time; was one put on the test message, has the app reactions:read, and is it in there?"
        yield Finding(f"a reaction arrives from the channel of {names}", False, remedy)


async def _ends(client: AsyncWebClient, ref: MessageRef, context: PlatformContext) -> None:
    """Rewrite the message to say that the test is over."""
    text = sentence(context.languages[0], "slack_check_over")
    await ask(client.chat_update(channel=ref.chat, ts=ref.id, text=text))
