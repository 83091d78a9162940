"""All that a message of Slack says: its text, and what Slack keeps outside it (blocks, attachments, files). Pure."""

from collections.abc import Iterator

from bot.domain.messages import clean_name
from bot.domain.rich_text import Style, bare, cited, head, linked, marked, plain, without_mention
from bot.platforms.slack.mrkdwn import read_mrkdwn
from bot.platforms.slack.payload import Payload, each, inner, word
from bot.platforms.slack.rich_text_blocks import block_text, blocks_text, of_kind

_PREVIEW = 3_000
"""UTF-16 code units of what a file says that are read along."""


def message_text(message: Payload, own: str = "") -> str:
    """Everything in it that can be read, marked; our own mention is left out.

    What was forwarded stands below the writer's own words, with the name of who wrote it; what a file says does, too.
    """
    parts = [_own_words(message), *_shared(message), *_in_files(message)]
    text = "\n".join(part for part in parts if plain(part).strip()).strip()
    return without_mention(text, own) if own else text


def _own_words(message: Payload) -> str:
    """By its blocks where they hold what was typed, for those are exact; else by its text and what else is there."""
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
    """What was forwarded, or what another app attached. The preview of a link is none of its writer's words."""
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
    """What its files say by themselves: a snippet, a post, an e-mail, the words of a voice message."""
    for file in each(message, "files"):
        said = _spoken(file) or _written(file)
        if said.strip():
            name = clean_name(word(file, "title") or word(file, "name"))
            yield cited(head(bare(said.strip()), _PREVIEW), name, word(file, "user"))


def _spoken(file: Payload) -> str:
    transcription = inner(file, "transcription")
    return word(inner(transcription, "preview"), "content") if transcription.get("status") == "complete" else ""


def _written(file: Payload) -> str:
    # A picture's preview would be no text; only these have one that is.
    text = word(file, "plain_text") or word(file, "preview")
    subject = word(file, "subject")
    return "\n".join(filter(None, [subject, text])) if text or subject else ""
