"""What a Telegram message points at: what it replies to, quotes, or forwards. Pure."""

from dataclasses import replace
from typing import NamedTuple

import telegram
from telegram import MessageOrigin, MessageOriginChannel, MessageOriginChat, MessageOriginHiddenUser, MessageOriginUser

from bot.domain.messages import Media, clean_name
from bot.domain.rich_text import cited, head, plain
from bot.platforms.telegram.content import shown_words, spoken
from bot.platforms.telegram.entities import read_entities
from bot.platforms.telegram.media import media_of

_CITED = 1_000
"""The most UTF-16 code units of a replied-to message that are read with a reply."""


def pointed_at(said: telegram.Message, us: int) -> str:
    """The words that the message replies to or quotes, as a citation; empty without any, or for a reply to us."""
    replied, elsewhere = said.reply_to_message, said.external_reply
    if said.quote is not None and said.quote.text.strip():
        text, author = read_entities(said.quote.text, said.quote.entities or ()), _replied_to(replied)
        if author == _NOBODY and elsewhere is not None:
            author = _origin(elsewhere.origin)
        return cited(head(text, _CITED), author.name, author.id)
    if replied is None and elsewhere is not None:
        text, author = shown_words(elsewhere), _origin(elsewhere.origin)
        return cited(head(text, _CITED), author.name, author.id)
    if replied is None or replied.forum_topic_created is not None or _is_ours(replied, us):
        return ""
    text, author = spoken(replied), _replied_to(replied)
    return cited(head(text, _CITED), author.name, author.id) if plain(text).strip() else ""


def pointed_at_media(said: telegram.Message, us: int) -> tuple[Media, ...]:
    """The attachments of the message that this one replies to, here or in another chat; none for a message of ours."""
    replied, elsewhere = said.reply_to_message, said.external_reply
    if replied is not None and replied.forum_topic_created is None and not _is_ours(replied, us):
        media, author = media_of(replied), _replied_to(replied)
    elif replied is None and elsewhere is not None:
        media, author = media_of(elsewhere), _origin(elsewhere.origin)
    else:
        return ()
    own = str(said.from_user.id) if said.from_user is not None else ""
    return tuple(replace(one, cited=True, by=one.by or ("" if author.id == own else author.id)) for one in media)


def forwarded(said: telegram.Message, text: str) -> str:
    """A forwarded text, as a citation of its author; any other text unchanged."""
    if said.forward_origin is None or not text.strip():
        return text
    author = _origin(said.forward_origin)
    return cited(text, author.name, author.id)


class _Writer(NamedTuple):
    name: str = ""
    id: str = ""
    """A person's id; empty for channels and for people who hide theirs."""


_NOBODY = _Writer()


def _is_ours(said: telegram.Message, us: int) -> bool:
    return said.from_user is not None and said.from_user.id == us


def _replied_to(said: telegram.Message | None) -> _Writer:
    if said is None:
        return _NOBODY
    if said.forward_origin is not None:
        return _origin(said.forward_origin)
    if said.sender_chat is not None:
        return _Writer(clean_name(said.sender_chat.title or ""))
    return _person(said.from_user) if said.from_user is not None else _NOBODY


def _origin(origin: MessageOrigin) -> _Writer:
    match origin:
        case MessageOriginUser():
            return _person(origin.sender_user)
        case MessageOriginHiddenUser():
            return _Writer(clean_name(origin.sender_user_name))
        case MessageOriginChat():
            return _Writer(clean_name(origin.sender_chat.title or ""))
        case MessageOriginChannel():
            return _Writer(clean_name(origin.chat.title or ""))
        case _:
            return _NOBODY


def _person(user: telegram.User) -> _Writer:
    return _Writer(clean_name(user.full_name), str(user.id))
