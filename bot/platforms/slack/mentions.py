"""Replaces the ids of what a message mentions by names, and reads what the message points at."""

import asyncio
import logging
from dataclasses import dataclass, replace

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import Media, MessageRef, clean_name
from bot.domain.rich_text import Mark, Style, cited, head, mentions, plain, renamed
from bot.platforms.slack.directory import Directory
from bot.platforms.slack.events import media, medium
from bot.platforms.slack.message_content import message_text
from bot.platforms.slack.payload import NAME, Payload, each, inner, word
from bot.platforms.slack.web_api import look

log = logging.getLogger(__name__)

_SECONDS = 1.0
"""Seconds that storing waits for names, of the three that Slack allows."""
_CITED = 1_000
"""The most UTF-16 code units of a thread's beginning that are read with a reply."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """A thread's first message: its words as a citation, and its files."""

    text: str = ""
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Mentions:
    """Replaces the ids in an event by names. What Slack does not answer soon enough keeps its id."""

    client: AsyncWebClient
    directory: Directory

    async def named(self, text: str) -> str:
        """The text with the names of people, groups and channels."""
        marks = sorted(mentions(text), key=lambda mark: mark.value)
        if not marks:
            return text
        found = dict(zip(marks, await asyncio.gather(*(self._name(mark) for mark in marks)), strict=True))
        return renamed(text, found.get)

    async def known(self, files: tuple[Media, ...]) -> tuple[Media, ...]:
        """The attachments; those of other companies with name and link."""
        return tuple(await asyncio.gather(*(self._known(one) for one in files)))

    async def beginning(self, root: MessageRef, own: str) -> Beginning:
        """The thread's first message; empty where it is ours or Slack does not tell."""
        try:
            async with asyncio.timeout(_SECONDS):
                message = await self.message(root, root.id)
                if word(message, "user") == own:
                    return Beginning()
                writer, files = word(message, "user"), media(message)
                text, author, known = await asyncio.gather(
                    self.named(message_text(message, own)), self._author(message), self.known(files)
                )
        except (TimeoutError, Refused, Unreachable) as error:
            log.info("thread's beginning not read", extra={"platform": NAME, "problem": type(error).__name__})
            return Beginning()
        came = tuple(replace(one, cited=True, by=one.by or writer) for one in known)
        return Beginning(cited(head(text, _CITED), author, writer) if plain(text).strip() else "", came)

    async def message(self, ref: MessageRef, thread: str) -> Payload:
        """The message in that thread; empty when it is not there. Raises Refused, Unreachable."""
        chat, ts = ref.chat, ref.id
        # Slack always puts a thread's first message first; for the others, ask for that second's messages.
        since = None if ts == thread else str(int(ts.partition(".")[0]) - 1)
        answer = await look(
            lambda: self.client.conversations_replies(
                channel=chat, ts=thread, oldest=since, limit=1 if since is None else 50
            )
        )
        return next((found for found in each(answer, "messages") if word(found, "ts") == ts), {})

    async def one(self, ref: MessageRef) -> Payload:
        """Any message of a channel, in a thread or not; empty when there is none. Raises Refused, Unreachable."""
        whole = await look(
            lambda: self.client.conversations_history(channel=ref.chat, latest=ref.id, inclusive=True, limit=1)
        )
        found = next((one for one in each(whole, "messages") if word(one, "ts") == ref.id), None)
        if found is not None:
            return found
        # The history lacks replies in threads, but Slack finds a thread by any message of it
        thread = await look(lambda: self.client.conversations_replies(channel=ref.chat, ts=ref.id, limit=200))
        return next((one for one in each(thread, "messages") if word(one, "ts") == ref.id), {})

    async def _author(self, message: Payload) -> str:
        if user := word(message, "user"):
            return clean_name((await self.directory.profile_within(user, _SECONDS)).name)
        return clean_name(word(message, "username") or word(inner(message, "bot_profile"), "name"))

    async def _name(self, mark: Mark) -> str | None:
        try:
            async with asyncio.timeout(_SECONDS):
                if mark.style is Style.CHANNEL:
                    name = (await self.directory.room(mark.value)).name
                    return f"#{name}" if name else None
                if mark.value.startswith("S"):
                    name = await self.directory.group_name(mark.value)
                else:
                    name = (await self.directory.profile(mark.value)).name
        except (TimeoutError, Refused, Unreachable) as error:
            log.info("mention not resolved", extra={"platform": NAME, "problem": type(error).__name__})
            return None
        return f"@{clean_name(name)}" if name else None

    async def _known(self, one: Media) -> Media:
        if one.name or one.platform != NAME:
            return one
        try:
            async with asyncio.timeout(_SECONDS):
                file = inner(await look(lambda: self.client.files_info(file=one.id)), "file")
        except (TimeoutError, Refused, Unreachable) as error:
            log.info("file not looked up", extra={"platform": NAME, "problem": type(error).__name__})
            return one
        return replace(medium(file), id=one.id, cited=one.cited, by=one.by)
