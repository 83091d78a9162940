"""All that a Slack message says: its text, and what Slack keeps in blocks, attachments and files. Pure."""

from collections.abc import Iterator

from bot.domain.messages import clean_name
from bot.domain.rich_text import Style, bare, cited, head, linked, marked, plain, without_mention
from bot.platforms.slack.mrkdwn import read_mrkdwn
from bot.platforms.slack.payload import Payload, each, inner, word
from bot.platforms.slack.rich_text_blocks import block_text, blocks_text, of_kind

_PREVIEW = 3_000
"""The most UTF-16 code units of a file's words that are read."""


def message_text(message: Payload, own: str = "") -> str:
    """All readable text of the message, with marks; our own mention is left out.

    Forwarded messages follow the writer's own words, with the name of their author; so do the words in files.
    """
    parts = [_own_words(message), *_shared(message), *_in_files(message)]
    text = "\n".join(part for part in parts if plain(part).strip()).strip()
    return without_mention(text, own) if own else text


def _own_words(message: Payload) -> str:
    """The text of the blocks where they hold what was typed, which they do exactly; else `text` and the rest."""
    blocks = list(each(message, "blocks"))
    typed = blocks_text(of_kind(blocks, "rich_text"))
    if plain(typed).strip():
        return blocks_text(blocks)
    text = read_mrkdwn(word(message, "text"))
    others = [block_text(block) for block in blocks]
    return "\n".join([text, *(other for other in others if plain(other).strip() not in plain(text))]).strip()


def _shared(message: Payload) -> Iterator[str]:
    for attachment in each(message, "attachments"):
        text = _attachment(attachment)
        if plain(text).strip():
            name = clean_name(word(attachment, "author_name") or word(attachment, "author_subname"))
            yield cited(text, name, word(attachment, "author_id"))


def _attachment(attachment: Payload) -> str:
    """What was forwarded, or attached by another app; a link's preview is left out, as its writer did not write it."""
    shared = attachment.get("is_share") is True or attachment.get("is_msg_unfurl") is True
    if not shared and (attachment.get("from_url") or attachment.get("is_app_unfurl") is True):
        return ""
    title = linked(read_mrkdwn(word(attachment, "title")), word(attachment, "title_link"))
    fields = [_field(field) for field in each(attachment, "fields")]
    body = _body(attachment)
    parts = [read_mrkdwn(word(attachment, "pretext")), marked(title, Style.BOLD), body, *fields]
    parts += list(_in_files(attachment))
    said = [part for part in parts if plain(part).strip()]
    return "\n".join(said) or read_mrkdwn(word(attachment, "fallback"))


def _body(attachment: Payload) -> str:
    nested = [block for one in each(attachment, "message_blocks") for block in each(inner(one, "message"), "blocks")]
    blocks = blocks_text([*each(attachment, "blocks"), *nested])
    text = read_mrkdwn(word(attachment, "text"))
    if plain(blocks).strip() and len(plain(blocks)) >= len(plain(text)):
        return blocks
    return text


def _field(field: Payload) -> str:
    title, value = read_mrkdwn(word(field, "title")), read_mrkdwn(word(field, "value"))
    return f"{title}: {value}" if title and value else title or value


def _in_files(message: Payload) -> Iterator[str]:
    """The words that files contain: a snippet, a post, an e-mail, a transcript of a voice message."""
    for file in each(message, "files"):
        said = _spoken(file) or _written(file)
        if said.strip():
            name = clean_name(word(file, "title") or word(file, "name"))
            yield cited(head(bare(said.strip()), _PREVIEW), name, word(file, "user"))


def _spoken(file: Payload) -> str:
    transcription = inner(file, "transcription")
    return word(inner(transcription, "preview"), "content") if transcription.get("status") == "complete" else ""


def _written(file: Payload) -> str:
    # The preview of a picture is no text; only these kinds have one that is.
    text = word(file, "plain_text") or word(file, "preview")
    subject = word(file, "subject")
    return "\n".join(filter(None, [subject, text])) if text or subject else ""
