"""What a Telegram message without text says: a poll's question and answers, a list's tasks. Pure."""

from collections.abc import Iterable

import telegram

from bot.domain.rich_text import bare
from bot.platforms.telegram.entities import read_entities
from bot.platforms.telegram.media import Source


def spoken(said: telegram.Message) -> str:
    """The message's text, or its caption, or what it shows, with marks."""
    if said.text:
        return read_entities(said.text, said.entities)
    if said.caption:
        return read_entities(said.caption, said.caption_entities)
    return shown_words(said)


def shown_words(said: Source) -> str:
    """The words in what the message shows (a poll, a list, a game, an invoice); empty where there are none."""
    if said.poll is not None:
        question = read_entities(said.poll.question, said.poll.question_entities)
        return _listed(question, (read_entities(one.text, one.text_entities) for one in said.poll.options))
    if said.checklist is not None:
        tasks = (read_entities(one.text, one.text_entities or ()) for one in said.checklist.tasks)
        return _listed(read_entities(said.checklist.title, said.checklist.title_entities or ()), tasks)
    if said.game is not None:
        return "\n".join(filter(None, map(bare, (said.game.title, said.game.description))))
    if said.invoice is not None:
        return "\n".join(filter(None, map(bare, (said.invoice.title, said.invoice.description))))
    return ""


def _listed(head: str, lines: Iterable[str]) -> str:
    return "\n".join([head, *(f"• {line}" for line in lines)])
