"""Sends posts, edits, ephemeral messages and files."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.domain.delivery import MOST_ATTEMPTS_WITH_FILES
from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import MessageRef, Person
from bot.domain.posts import Card, Continuation, Notice, OutboxItem
from bot.domain.question_posts import Alert
from bot.platforms.slack.attachments import Attachments
from bot.platforms.slack.blocks import Said
from bot.platforms.slack.channels import setting_of
from bot.platforms.slack.directory import Directory
from bot.platforms.slack.ephemeral import EphemeralMessages
from bot.platforms.slack.payload import NAME, Payload, each, inner, word
from bot.platforms.slack.rate_limits import Pace
from bot.platforms.slack.render import FORBIDDEN_BEFORE_STRANGERS, Links, render
from bot.platforms.slack.web_api import BAD_TOKEN, Declined, ask, look
from bot.platforms.wording import RenderContext

log = logging.getLogger(__name__)

_OURS = "switchboard_post"
"""The type of the metadata by which a retry recognises a post that was sent although the answer got lost."""
_LOOK_BACK_SECONDS, _PAGES = 86_400, 5
_VANISHED = ("message_not_found", "cant_update_message", "edit_window_closed")
"""Errors of an edit whose message can no longer be changed, so that nothing is left to do."""


@dataclass(slots=True)
class Sender:
    """Sends posts in Slack, within its rate limits, and none twice."""

    client: AsyncWebClient
    directory: Directory
    attachments: Attachments
    ephemeral: EphemeralMessages
    rendering: RenderContext
    pace: Pace
    revoked: str = ""
    """Why nothing can be sent any more; empty while all is well."""

    def delay(self, item: OutboxItem) -> timedelta:
        """How long the post must wait for its turn in its channel. Edits do not wait."""
        if item.edits is not None:
            return timedelta(0)
        return timedelta(seconds=self.pace.delay(item.id, _where(item)[0], _now()))

    async def say(self, item: OutboxItem) -> MessageRef:
        """Send the post, or rewrite the one it edits; return its receipt. The caller has waited for its turn (`delay`).

        Raises Unreachable (retry later, also for what needs another token), Refused (never; the message names the
        setting to mend).
        """
        if self.revoked:
            raise Unreachable(self.revoked)
        channel = _where(item)[0]
        try:
            await self._guard(item, channel)
            return await (self._post(item) if item.edits is None else self._edit(item, item.edits))
        except Declined as error:
            if error.code in BAD_TOKEN:
                raise Unreachable(str(error)) from error
            raise Refused(f"{error}{self._setting(channel)}") from error
        except Unreachable as error:
            if error.retry_after is not None:
                self.pace.hold(channel, error.retry_after.total_seconds(), _now())
            raise

    async def _guard(self, item: OutboxItem, channel: str) -> None:
        """Raise Refused where people of another company would read what is meant for a team."""
        content = item.post.content
        private = isinstance(content, FORBIDDEN_BEFORE_STRANGERS)
        private = private or (isinstance(content, Continuation) and not content.to_person)
        if item.edits is None and private and item.post.only_for is None and not channel.startswith("D"):
            room = await self.directory.room(channel)
            if room.shared:
                what = "the channel is shared with another company; name one that is not, or end the sharing"
                raise Refused(f"platforms.slack: {what}{self._setting(channel)}")

    # --- new posts ---

    async def _post(self, item: OutboxItem) -> MessageRef:
        channel, thread = _where(item)
        said = render(item.post.content, self.rendering, await self._links(item))
        if item.post.only_for is not None:
            return await self._post_ephemeral(item.post.only_for, channel, thread, said)
        before = await self._said_before(item, channel, thread) if item.attempt > 1 else ""
        ts = before
        if not before:
            answer = await ask(self._message(item, channel, thread, said))
            channel, ts = word(answer, "channel"), word(answer, "ts")
        # Counted from the attempt that sent the text: no earlier attempt tried a file
        last = bool(before) and item.attempt >= MOST_ATTEMPTS_WITH_FILES
        await self.attachments.bring(item, channel, thread or ts, last)
        return MessageRef(NAME, channel, ts)

    def _message(self, item: OutboxItem, channel: str, thread: str | None, said: Said) -> Awaitable[AsyncSlackResponse]:
        return self.client.chat_postMessage(
            channel=channel,
            thread_ts=thread,
            text=said.text,
            blocks=said.blocks,
            parse="none",
            unfurl_links=False,
            unfurl_media=False,
            metadata={"event_type": _OURS, "event_payload": _mark(item)},
        )

    async def _said_before(self, item: OutboxItem, channel: str, thread: str | None) -> str:
        """The ts of the message if an earlier attempt sent it after all; empty when none did."""
        cursor = ""
        for _ in range(_PAGES):
            answer = await look(self._page(channel, thread, cursor))
            for message in each(answer, "messages"):
                metadata = inner(message, "metadata")
                if metadata.get("event_type") == _OURS and metadata.get("event_payload") == _mark(item):
                    log.info("post found delivered by an earlier attempt", extra={"platform": NAME, "post": item.id})
                    return word(message, "ts")
            cursor = word(inner(answer, "response_metadata"), "next_cursor")
            if not cursor:
                break
        return ""

    def _page(self, channel: str, thread: str | None, cursor: str) -> Callable[[], Awaitable[AsyncSlackResponse]]:
        since = f"{time.time() - _LOOK_BACK_SECONDS:.6f}"
        if thread is None:
            return lambda: self.client.conversations_history(
                channel=channel, oldest=since, cursor=cursor or None, include_all_metadata=True
            )
        return lambda: self.client.conversations_replies(
            channel=channel, ts=thread, oldest=since, cursor=cursor or None, include_all_metadata=True
        )

    async def _post_ephemeral(self, reader: Person, channel: str, thread: str | None, said: Said) -> MessageRef:
        call = self.client.chat_postEphemeral(
            channel=channel, user=reader.id, thread_ts=thread, text=said.text, blocks=said.blocks, parse="none"
        )
        return MessageRef(NAME, channel, word(await ask(call), "message_ts"))

    # --- edits ---

    async def _edit(self, item: OutboxItem, ref: MessageRef) -> MessageRef:
        said = render(item.post.content, self.rendering, await self._links(item))
        if item.post.only_for is not None:
            await self.ephemeral.replace(ref, said)
            return ref
        try:
            await ask(
                self.client.chat_update(channel=ref.chat, ts=ref.id, text=said.text, blocks=said.blocks, parse="none")
            )
        except Declined as error:
            if error.code not in _VANISHED:
                raise
            log.info(
                "message to edit no longer exists", extra={"platform": NAME, "post": item.id, "problem": error.code}
            )
        return ref

    # --- links and marks ---

    async def _links(self, item: OutboxItem) -> Links:
        content = item.post.content
        if isinstance(content, Notice):
            return Links(moved=await self._link(content.about))
        if isinstance(content, Alert):
            return Links(moved=await self._link(content.card))
        if not isinstance(content, Card):
            return Links()
        return Links(await self._link(content.source), await self._link(content.moved_link))

    async def _link(self, source: MessageRef | None) -> str | None:
        """The message's address; None where the team could not open it: a direct message, another platform."""
        if source is None or source.platform != NAME or source.chat.startswith("D"):
            return None
        chat, ts = source.chat, source.id
        try:
            answer = await look(lambda: self.client.chat_getPermalink(channel=chat, message_ts=ts))
        except (Refused, Unreachable) as error:
            about = {"platform": NAME, "ref": ts, "problem": str(error)}
            log.info("card delivered without a link", extra=about)
            return None
        return word(answer, "permalink") or None

    def _setting(self, channel: str) -> str:
        keys = setting_of(self.rendering.task, channel)
        return f" (setting: {keys})" if keys else ""


def _where(item: OutboxItem) -> tuple[str, str | None]:
    place, under = item.post.place, item.under or item.edits
    if item.under is not None:
        return item.under.chat, item.under.id
    return (under.chat if under else place.chat), place.thread


def _now() -> float:
    return asyncio.get_running_loop().time()


def _mark(item: OutboxItem) -> Payload:
    # The kind is included because a new database numbers its posts from one again.
    return {"post": item.id, "kind": type(item.post.content).__name__}
