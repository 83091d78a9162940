"""A message's attachments: photos, files, voice, contacts, places. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import telegram

from bot.domain.messages import Media, MediaKind
from bot.platforms.telegram import NAME

MAX_BYTES = 20_000_000
"""The largest file that Telegram lets a bot download."""


class Origin(NamedTuple):
    """Where an attachment is: the message that it came with, and its file, if it has one."""

    chat: str
    message: int
    file: str


Source = telegram.Message | telegram.ExternalReplyInfo
"""What can have attachments: a message, or what Telegram tells of one in another chat."""


def media_of(said: Source) -> tuple[Media, ...]:
    """The message's attachments: none or one, or several paid ones; an album is several messages."""
    if said.photo:
        return (_file(said, MediaKind.PHOTO, said.photo[-1]),)
    if said.paid_media is not None:
        return tuple(media for one in said.paid_media.paid_media for media in _paid(said, one))
    for kind, found in _files(said):
        if found is not None:
            return (_file(said, kind, found),)
    if said.contact is not None:
        name = " ".join(part for part in (said.contact.first_name, said.contact.last_name) if part)
        of = str(said.contact.user_id) if said.contact.user_id is not None else _sent_by(said)
        return (replace(_thing(said, MediaKind.CONTACT, f"{name}, {said.contact.phone_number}"), by=of),)
    if said.location is not None:
        return (_location(said, said.location),)
    return ()


def origin(media: Media) -> Origin:
    """The origin that an attachment's id names. Raises ValueError for one that is not Telegram's."""
    chat, message, file = media.id.split(":", 2)
    return Origin(chat, int(message), file)


_Found = (
    telegram.Animation
    | telegram.Audio
    | telegram.Document
    | telegram.LivePhoto
    | telegram.PhotoSize
    | telegram.Sticker
    | telegram.Video
    | telegram.VideoNote
    | telegram.Voice
)


def _paid(said: Source, one: telegram.PaidMedia) -> tuple[Media, ...]:
    """The media of a paid item; nothing while the bot has not paid for it."""
    if isinstance(one, telegram.PaidMediaPhoto) and one.photo:
        return (_file(said, MediaKind.PHOTO, one.photo[-1]),)
    return (_file(said, MediaKind.VIDEO, one.video),) if isinstance(one, telegram.PaidMediaVideo) else ()


def _files(said: Source) -> Sequence[tuple[MediaKind, _Found | None]]:
    # An animation is also given as a document, for clients that do not support animations.
    return (
        (MediaKind.VIDEO, said.animation),
        (MediaKind.DOCUMENT, said.document),
        (MediaKind.VOICE, said.voice),
        (MediaKind.AUDIO, said.audio),
        (MediaKind.VIDEO, said.video),
        (MediaKind.VIDEO, said.video_note),
        (MediaKind.VIDEO, said.live_photo),
        (MediaKind.STICKER, said.sticker),
    )


def _file(said: Source, kind: MediaKind, found: _Found) -> Media:
    name = found.emoji if isinstance(found, telegram.Sticker) else getattr(found, "file_name", None)
    return Media(NAME, _id(said, found.file_id), kind, name or "", found.file_size or 0, _link(said), by=_sent_by(said))


def _thing(said: Source, kind: MediaKind, name: str) -> Media:
    return Media(NAME, _id(said, ""), kind, name, 0, _link(said), by=_sent_by(said))


def _location(said: Source, where: telegram.Location) -> Media:
    destination = f"{where.latitude}, {where.longitude}"
    name = f"{said.venue.title}, {said.venue.address} ({destination})" if said.venue is not None else destination
    return _thing(said, MediaKind.LOCATION, name)


def _id(said: Source, file: str) -> str:
    """The attachment's id. Where only Telegram can see the message, its numbers are 0 and only the file is known."""
    if said.chat is None or said.message_id is None:
        return f"0:0:{file}"
    return f"{said.chat.id}:{said.message_id}:{file}"


def _link(said: Source) -> str | None:
    return said.link if isinstance(said, telegram.Message) else None


def _sent_by(said: Source) -> str:
    """The author of what was forwarded; empty for a message's own attachments, which its writer sent."""
    origin = said.origin if isinstance(said, telegram.ExternalReplyInfo) else said.forward_origin
    return str(origin.sender_user.id) if isinstance(origin, telegram.MessageOriginUser) else ""
