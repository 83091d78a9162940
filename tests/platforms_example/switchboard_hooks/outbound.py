"""Sending posts: each is sent to the chat with a number by which the chat recognises a repeat."""

from dataclasses import dataclass

import httpx

from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import MessageRef
from bot.domain.posts import OutboxItem
from switchboard_hooks import NAME
from switchboard_hooks.render import Reader, render


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends posts to the chat."""

    client: httpx.AsyncClient
    url: str
    reader: Reader

    async def say(self, item: OutboxItem) -> MessageRef:
        """Send the post, or rewrite the one that it edits; its receipt. Raises Unreachable (retry), Refused (never)."""
        said = render(item.post.content, self.reader)
        ref = item.edits or MessageRef(NAME, item.post.place.chat, f"post-{item.id}")
        under = item.under.id if item.under is not None else item.post.place.thread
        await _accepted(
            self.client,
            self.url,
            {"id": ref.id, "room": ref.chat, "under": under, "text": said.text, "buttons": said.buttons},
        )
        return ref


async def _accepted(client: httpx.AsyncClient, url: str, post: dict[str, object]) -> None:
    try:
        answer = await client.post(url, json=post)
    except httpx.HTTPError as error:
        raise Unreachable(f"platforms.hooks: the chat cannot be reached ({type(error).__name__})") from error
    if answer.status_code >= 500:
        raise Unreachable(f"platforms.hooks: the chat answers {answer.status_code}")
    if answer.status_code >= 400:
        raise Refused(f"platforms.hooks: the chat does not take it ({answer.status_code})")
