"""What comes with a message, besides words: photos, files, voice, contacts, places. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

import telegram

from bot.domain.messages import Media, MediaKind
from bot.platforms.telegram import NAME

MAX_BYTES = 20_000_000
"""The largest file that Telegram lets a bot download."""


class Origin(NamedTuple):
    """Where an attachment is to be found: the message that it came with, and its file, if it is one."""

    chat: str
    message: int
    file: str


def media_of(said: telegram.Message) -> tuple[Media, ...]:
    """What is attached to the message: nothing or one thing; an album is several messages."""
    if said.photo:
        return (_file(said, MediaKind.PHOTO, said.photo[-1]),)
    for kind, found in _files(said):
        if found is not None:
            return (_file(said, kind, found),)
    if said.contact is not None:
        name = " ".join(part for part in (said.contact.first_name, said.contact.last_name) if part)
        return (_thing(said, MediaKind.CONTACT, f"{name}, {said.contact.phone_number}"),)
    if said.location is not None:
        return (_location(said, said.location),)
    return ()


def origin(media: Media) -> Origin:
    """Where it is. Raises ValueError for what is no attachment of Telegram's."""
    chat, message, file = media.id.split(":", 2)
    return Origin(chat, int(message), file)


_Found = (
    telegram.Animation
    | telegram.Audio
    | telegram.Document
    | telegram.PhotoSize
    | telegram.Sticker
    | telegram.Video
    | telegram.VideoNote
    | telegram.Voice
)


def _files(said: telegram.Message) -> Sequence[tuple[MediaKind, _Found | None]]:
    # An animation comes as a document, too, for those who do not know animations.
    return (
        (MediaKind.VIDEO, said.animation),
        (MediaKind.DOCUMENT, said.document),
        (MediaKind.VOICE, said.voice),
        (MediaKind.AUDIO, said.audio),
        (MediaKind.VIDEO, said.video),
        (MediaKind.VIDEO, said.video_note),
        (MediaKind.STICKER, said.sticker),
    )


def _file(said: telegram.Message, kind: MediaKind, found: _Found) -> Media:
    name = found.emoji if isinstance(found, telegram.Sticker) else getattr(found, "file_name", None)
    return Media(NAME, _id(said, found.file_id), kind, name or "", found.file_size or 0, said.link)


def _thing(said: telegram.Message, kind: MediaKind, name: str) -> Media:
    return Media(NAME, _id(said, ""), kind, name, 0, said.link)


def _location(said: telegram.Message, where: telegram.Location) -> Media:
    destination = f"{where.latitude}, {where.longitude}"
    name = f"{said.venue.title}, {said.venue.address} ({destination})" if said.venue is not None else destination
    return _thing(said, MediaKind.LOCATION, name)


def _id(said: telegram.Message, file: str) -> str:
    return f"{said.chat.id}:{said.message_id}:{file}"
