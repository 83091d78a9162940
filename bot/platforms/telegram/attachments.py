"""Attachments: sends Telegram's own by id and others by their bytes, and downloads them from Telegram."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from telegram import InputMediaPhoto, Message, MessageId, ReplyParameters
from telegram.constants import FileSizeLimit, MediaGroupLimit
from telegram.ext import ExtBot

from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import File, Media, MediaKind
from bot.platforms.telegram import NAME
from bot.platforms.telegram.bot_api import asked
from bot.platforms.telegram.media import MAX_BYTES, origin
from bot.platforms.telegram.message_parts import MessageParts

log = logging.getLogger(__name__)

_ALBUM = int(MediaGroupLimit.MAX_MEDIA_LENGTH)
_LARGEST_PHOTO = int(FileSizeLimit.PHOTOSIZE_UPLOAD)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to send something: a chat, a topic in it, and the message to reply to."""

    chat: str
    topic: int | None = None
    reply: ReplyParameters | None = None


class Attachments:
    """Sends attachments. Calls `count` with the chat for each call, so that its rate limit includes them."""

    def __init__(self, bot: ExtBot[None], count: Callable[[str], None], parts: MessageParts) -> None:
        self._bot = bot
        self._count = count
        self._parts = parts

    async def send(
        self, destination: Destination, media: Sequence[Media], files: Sequence[File], stand: int = 0
    ) -> list[Media]:
        """Send Telegram's own attachments and those in `files`; return those that failed, without raising.

        Their text has been sent by then; an error would have it sent again. The first ones, in the order in which they
        are sent, may `stand` already.
        """
        uploads = {file.media: file for file in files}
        ours = [one for one in media if one.platform == NAME or one in uploads]
        photos = [one for one in ours if one.kind == MediaKind.PHOTO and _fits_an_album(one, uploads.get(one))]
        if len(photos) > 1:
            ours = [*photos, *(one for one in ours if one not in photos)]
        ours = ours[stand:]
        photos = [one for one in ours if one in photos]
        lost: list[Media] = []
        if len(photos) > 1:
            for start in range(0, len(photos), _ALBUM):
                album = photos[start : start + _ALBUM]
                lost += album if not await self._sent(destination, self._album(destination, album, uploads)) else []
            ours = [one for one in ours if one not in photos]
        for one in ours:
            lost += [one] if not await self._sent(destination, self._one(destination, one, uploads.get(one))) else []
        return lost

    async def fetch(self, media: Media) -> bytes:
        """The bytes of an attachment of Telegram's. Raises Unreachable, Refused (too large, gone, no file at all)."""
        if media.platform != NAME or not origin(media).file:
            raise Refused(f"platforms.{NAME}: a {media.kind} has no file that could be downloaded")
        if media.size > MAX_BYTES:
            raise Refused(f"platforms.{NAME}: the file is too big; Telegram lets bots download 20 MB at most")
        file = await asked(self._bot.get_file(origin(media).file))
        return bytes(await asked(file.download_as_bytearray()))

    async def _sent(self, destination: Destination, call: Awaitable[Sequence[Message | MessageId]]) -> bool:
        self._count(destination.chat)
        try:
            sent = await asked(call)
        except (Unreachable, Refused) as error:
            ref = None if destination.reply is None else destination.reply.message_id
            log.warning("attachment not delivered", extra={"platform": NAME, "ref": ref, "problem": str(error)})
            return False
        if destination.reply is not None:
            for piece in sent:
                await self._parts.add(destination.chat, piece.message_id, destination.reply.message_id)
        return True

    async def _album(
        self, destination: Destination, photos: Sequence[Media], uploads: dict[Media, File]
    ) -> Sequence[Message | MessageId]:
        media = [InputMediaPhoto(uploads[one].content if one in uploads else origin(one).file) for one in photos]
        return await self._bot.send_media_group(
            destination.chat,
            media,
            message_thread_id=destination.topic,
            reply_parameters=destination.reply,
            disable_notification=True,
        )

    async def _one(self, destination: Destination, media: Media, upload: File | None) -> Sequence[Message | MessageId]:
        if upload is not None:
            return [await self._file(destination, media, upload.content)]
        where = origin(media)
        try:
            # A copy names no origin and keeps the original's kind. Its caption is already in our text.
            copied = await asked(
                self._bot.copy_message(
                    destination.chat,
                    where.chat,
                    where.message,
                    caption="",
                    message_thread_id=destination.topic,
                    reply_parameters=destination.reply,
                    disable_notification=True,
                )
            )
        except Refused:
            # The message is gone, or its chat forbids copies; the file remains in either case.
            if not where.file:
                raise
            return [await self._file(destination, media, where.file)]
        return [copied]

    async def _file(self, destination: Destination, media: Media, file: str | bytes) -> Message:
        name = media.name or None
        about = {
            "message_thread_id": destination.topic,
            "reply_parameters": destination.reply,
            "disable_notification": True,
        }
        match media.kind:
            case MediaKind.PHOTO if not isinstance(file, bytes) or len(file) <= _LARGEST_PHOTO:
                return await self._bot.send_photo(destination.chat, file, filename=name, **about)  # type: ignore[arg-type]
            case MediaKind.VOICE:
                return await self._bot.send_voice(destination.chat, file, filename=name, **about)  # type: ignore[arg-type]
            case MediaKind.VIDEO if isinstance(file, str):
                return await self._bot.send_video(destination.chat, file, **about)  # type: ignore[arg-type]
            case MediaKind.AUDIO if isinstance(file, str):
                return await self._bot.send_audio(destination.chat, file, **about)  # type: ignore[arg-type]
            case MediaKind.STICKER if isinstance(file, str):
                return await self._bot.send_sticker(destination.chat, file, **about)  # type: ignore[arg-type]
            case _:
                return await self._bot.send_document(destination.chat, file, filename=name, **about)  # type: ignore[arg-type]


def _fits_an_album(media: Media, upload: File | None) -> bool:
    return len(upload.content) <= _LARGEST_PHOTO if upload is not None else bool(origin(media).file)
