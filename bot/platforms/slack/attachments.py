"""Attachments: downloads the files of Slack and uploads those of other platforms."""

import asyncio
import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.delivery import attached
from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import File, Media
from bot.domain.posts import OutboxItem
from bot.platforms.slack.payload import NAME, Payload, inner, word
from bot.platforms.slack.web_api import CALL_SECONDS, ask, look, unreached

log = logging.getLogger(__name__)

LARGEST = 20 * 1024 * 1024
_SECONDS = 20.0
"""For all files of a post. A longer upload is treated as hung, and retried as often as one that fails."""
_HOSTS = (".slack.com", ".slack-files.com", ".slack-edge.com", ".slack-gov.com")


@dataclass(frozen=True, slots=True)
class Attachments:
    """Downloads and uploads attachments."""

    client: AsyncWebClient
    session: ClientSession

    async def fetch(self, media: Media) -> bytes:
        """The attachment's bytes. Raises Unreachable, Refused (too large, gone, not kept at Slack)."""
        info = inner(await look(lambda: self.client.files_info(file=media.id)), "file")
        return await self._content(info)

    async def bring(self, item: OutboxItem, channel: str, thread: str, last: bool) -> None:
        """Upload a post's files to the thread: other platforms' files, and Slack files that its readers could not open.

        A file that cannot be delivered is still named in the text. Raises Unreachable, except at the `last` attempt.
        """
        try:
            await self._brought(item, channel, thread)
        except (Refused, Unreachable) as error:
            if isinstance(error, Unreachable) and not last:
                raise
            log.warning(
                "post delivered without its files", extra={"platform": NAME, "post": item.id, "problem": str(error)}
            )

    async def _brought(self, item: OutboxItem, channel: str, thread: str) -> None:
        """Upload the files of a post. Raises Unreachable, Refused."""
        try:
            async with asyncio.timeout(_SECONDS):
                uploads = [*item.files, *await self._unseen(item, channel)]
                if uploads:
                    files = [_upload(file) for file in uploads]
                    upload = self.client.files_upload_v2(file_uploads=files, channel=channel, thread_ts=thread)
                    await ask(upload, seconds=_SECONDS)
        except TimeoutError:
            raise Unreachable(f"platforms.slack: the files took longer than {_SECONDS:.0f} s") from None

    async def _unseen(self, item: OutboxItem, channel: str) -> list[File]:
        """The post's Slack files that were shared only in private places other than this channel.

        A file that cannot be had (kept by another company, gone) does not hold up the others: the text has its name and
        link.
        """
        found = []
        for medium in (one for one in attached(item.post.content) if one.platform == NAME):
            file = medium.id
            try:
                info = inner(await look(lambda file=file: self.client.files_info(file=file)), "file")  # type: ignore[misc]
                if not info.get("channels") and channel not in _shared_in(info):
                    found.append(File(medium, await self._content(info)))
            except Refused as error:
                about = {"platform": NAME, "post": item.id, "file": file, "problem": str(error)}
                log.warning("attachment not delivered", extra=about)
        return found

    async def _content(self, info: Payload) -> bytes:
        size, address = info.get("size"), word(info, "url_private_download") or word(info, "url_private")
        if isinstance(size, int) and size > LARGEST:
            raise Refused("platforms.slack: the file is larger than 20 MB")
        if info.get("is_external") is True or info.get("mode") == "external" or not self._is_slacks(address):
            # Our token is sent to Slack alone.
            raise Refused("platforms.slack: the file is not kept at Slack")
        try:
            asked = self.session.get(address, headers={"Authorization": f"Bearer {self.client.token}"})
            async with asyncio.timeout(CALL_SECONDS), asked as answer:
                content = await answer.content.read(LARGEST + 1) if answer.ok else b""
                while answer.ok and len(content) <= LARGEST and (more := await answer.content.read(LARGEST)):
                    content += more
                status, kind = answer.status, answer.content_type
        except (ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"platforms.slack: a file: {unreached(error)}") from error
        return _checked(content, status, kind, word(info, "mimetype"))

    def _is_slacks(self, address: str) -> bool:
        host = urlsplit(address).hostname or ""
        return host == urlsplit(self.client.base_url).hostname or f".{host}".endswith(_HOSTS)


def _checked(content: bytes, status: int, kind: str, expected: str) -> bytes:
    if status >= 500 or status == 429:
        raise Unreachable(f"platforms.slack: a file: {status}")
    if status >= 400:
        raise Refused(f"platforms.slack: the file cannot be had ({status})")
    # Without the scope, Slack answers with its sign-in page.
    if kind == "text/html" and expected != "text/html":
        raise Refused("platforms.slack: the file cannot be had; the app needs the scope files:read")
    if len(content) > LARGEST:
        raise Refused("platforms.slack: the file is larger than 20 MB")
    return content


def _shared_in(info: Payload) -> set[str]:
    places = [info.get(key) for key in ("groups", "ims")]
    return {str(channel) for listed in places if isinstance(listed, list) for channel in listed}


def _upload(file: File) -> dict[str, object]:
    name = file.media.name or file.media.kind.value
    return {"file": file.content, "filename": name, "title": name}
