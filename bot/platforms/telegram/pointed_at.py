"""What a message of Telegram points at: what it replies to, quotes from, or was forwarded from. Pure."""

import telegram
from telegram import MessageOrigin, MessageOriginChannel, MessageOriginChat, MessageOriginHiddenUser, MessageOriginUser

from bot.domain.messages import clean_name
from bot.domain.rich_text import cited, head, plain
from bot.platforms.telegram.entities import read_entities

_CITED = 1_000
"""UTF-16 code units of what is replied to that are read along."""


def spoken(said: telegram.Message) -> str:
    """The words of the message or under its picture, marked."""
    if said.text:
        return read_entities(said.text, said.entities)
    return read_entities(said.caption, said.caption_entities) if said.caption else ""


def pointed_at(said: telegram.Message, us: int) -> str:
    """The words that the message replies to or quotes, as a citation; empty where there are none, or they are ours."""
    replied, elsewhere = said.reply_to_message, said.external_reply
    if said.quote is not None and said.quote.text.strip():
        text, author = read_entities(said.quote.text, said.quote.entities or ()), _replied_to(replied)
        author = author or (_origin(elsewhere.origin) if elsewhere is not None else "")
        return cited(head(text, _CITED), author)
    if replied is None or replied.forum_topic_created is not None or _is_ours(replied, us):
        return ""
    text = spoken(replied)
    return cited(head(text, _CITED), _replied_to(replied)) if plain(text).strip() else ""


def forwarded(said: telegram.Message, text: str) -> str:
    """What was forwarded, as the words of whoever wrote it; the message's own text where it was not."""
    return cited(text, _origin(said.forward_origin)) if said.forward_origin is not None and text.strip() else text


def _is_ours(said: telegram.Message, us: int) -> bool:
    return said.from_user is not None and said.from_user.id == us


def _replied_to(said: telegram.Message | None) -> str:
    if said is None:
        return ""
    if said.forward_origin is not None:
        return _origin(said.forward_origin)
    if said.sender_chat is not None:
        return clean_name(said.sender_chat.title or "")
    return clean_name(said.from_user.full_name) if said.from_user is not None else ""


def _origin(origin: MessageOrigin) -> str:
    match origin:
        case MessageOriginUser():
            return clean_name(origin.sender_user.full_name)
        case MessageOriginHiddenUser():
            return clean_name(origin.sender_user_name)
        case MessageOriginChat():
            return clean_name(origin.sender_chat.title or "")
        case MessageOriginChannel():
            return clean_name(origin.chat.title or "")
        case _:
            return ""
