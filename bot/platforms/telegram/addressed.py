"""Whether a Telegram message is addressed to us, and its words without our name."""

import re

import telegram
from telegram import MessageEntity
from telegram.constants import ChatType

from bot.domain.rich_text import Mark, Run, Style, runs, without_mention, written
from bot.platforms.telegram.entities import covered
from bot.platforms.telegram.facts import BotIdentity

COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w+))?(?:\s+(.*))?$", re.DOTALL)


def raw_words(said: telegram.Message) -> str:
    """The message's text, or else its caption, without marks."""
    return said.text or said.caption or ""


def is_for_us(said: telegram.Message, identity: BotIdentity) -> bool:
    if said.chat.type == ChatType.PRIVATE or is_mentioned(said, identity):
        return True
    replied = answered(said)
    return replied is not None and replied.from_user is not None and replied.from_user.id == identity.id


def is_mentioned(said: telegram.Message, identity: BotIdentity) -> bool:
    """Whether the message mentions us, by our user name or by our display name picked from a list."""
    return _mention(identity).search(raw_words(said)) is not None or bool(_picked(said, identity))


def names_us(said: telegram.Message, identity: BotIdentity) -> bool:
    """Whether the message mentions us, or is a command with our user name."""
    command = COMMAND.match(said.text or "")
    named = command is not None and (command[2] or "").lower() == identity.username.lower()
    return named or is_mentioned(said, identity)


def _picked(said: telegram.Message, identity: BotIdentity) -> list[str]:
    """The display names by which the message mentions us, picked from a list: such a mention has no user name in it."""
    found = said.entities if said.text else said.caption_entities
    # The library's own method fails on half a character (a lone surrogate)
    return [
        covered(one, raw_words(said))
        for one in found
        if one.type == MessageEntity.TEXT_MENTION and one.user is not None and one.user.id == identity.id
    ]


def answered(said: telegram.Message) -> telegram.Message | None:
    """The message this one replies to; None in a topic for its opening, to which all messages there formally reply."""
    replied = said.reply_to_message
    return None if replied is None or replied.forum_topic_created is not None else replied


def without_us(text: str, identity: BotIdentity) -> str:
    """The text without mentions of us, by user name or by a mark."""
    us, pattern = str(identity.id), _mention(identity)
    found = []
    for run in runs(text):
        at = 0
        for name in pattern.finditer(run.text):
            found += [Run(run.text[at : name.start()], run.marks), Run(name[0], (*run.marks, Mark(Style.MENTION, us)))]
            at = name.end()
        found.append(Run(run.text[at:], run.marks))
    return without_mention(written(run for run in found if run.text), us)


def _mention(identity: BotIdentity) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w@/.])@{re.escape(identity.username)}\b[,:]?", re.IGNORECASE)
