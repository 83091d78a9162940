"""Reads Telegram's entities into marked text, and writes marked text as Telegram's HTML. Pure."""

from collections.abc import Sequence
from html import escape
from itertools import groupby, pairwise

from telegram import MessageEntity
from telegram.constants import MessageEntityType

from bot.domain.rich_text import Mark, Run, Style, bare, honest, is_address, runs, written

_STYLES = {
    MessageEntityType.BOLD: Style.BOLD,
    MessageEntityType.ITALIC: Style.ITALIC,
    MessageEntityType.UNDERLINE: Style.UNDERLINE,
    MessageEntityType.STRIKETHROUGH: Style.STRIKE,
    MessageEntityType.SPOILER: Style.SPOILER,
    MessageEntityType.CODE: Style.CODE,
    MessageEntityType.BLOCKQUOTE: Style.QUOTE,
    MessageEntityType.EXPANDABLE_BLOCKQUOTE: Style.QUOTE,
}
_TAGS = {
    Style.BOLD: "b",
    Style.ITALIC: "i",
    Style.UNDERLINE: "u",
    Style.STRIKE: "s",
    Style.SPOILER: "tg-spoiler",
    Style.CODE: "code",
    Style.PRE: "pre",
    Style.QUOTE: "blockquote",
}
_CODE = (Style.CODE, Style.PRE)
"""Within these styles Telegram allows no others."""


def read_entities(text: str, entities: Sequence[MessageEntity]) -> str:
    """What somebody wrote, with marks."""
    encoded = text.encode("utf-16-le", "surrogatepass")
    length = len(encoded) // 2
    known = [(one.offset, one.offset + one.length, mark) for one in entities if (mark := _mark(one, text))]
    known.sort(key=lambda entity: (entity[0], -entity[1]))
    cuts = sorted({0, length, *(min(max(at, 0), length) for start, end, _ in known for at in (start, end))})
    found = []
    for start, end in pairwise(cuts):
        words = bare(encoded[2 * start : 2 * end].decode("utf-16-le", "replace"))
        found.append(Run(words, tuple(mark for begin, stop, mark in known if begin <= start and end <= stop)))
    return written(run for run in found if run.text)


def _mark(entity: MessageEntity, text: str) -> Mark | None:
    kind = entity.type
    if kind in _STYLES:
        return Mark(_STYLES[MessageEntityType(kind)])
    if kind == MessageEntityType.PRE:
        return Mark(Style.PRE, entity.language or "")
    if kind == MessageEntityType.TEXT_MENTION and entity.user is not None:
        return Mark(Style.MENTION, str(entity.user.id))
    if kind == MessageEntityType.CUSTOM_EMOJI:
        return Mark(Style.EMOJI, entity.custom_emoji_id or "")
    address = _address(entity, text)
    return Mark(Style.LINK, address) if is_address(address) else None


def _address(entity: MessageEntity, text: str) -> str:
    """The address that an entity links to; empty for one that is no link."""
    match entity.type:
        case MessageEntityType.TEXT_LINK:
            return entity.url or ""
        case MessageEntityType.URL:
            shown = covered(entity, text)
            return shown if "://" in shown else f"https://{shown}"
        case MessageEntityType.EMAIL:
            return f"mailto:{covered(entity, text)}"
        case MessageEntityType.PHONE_NUMBER:
            return f"tel:{covered(entity, text)}"
        case _:
            return ""


def covered(entity: MessageEntity, text: str) -> str:
    """The words that an entity covers. Its offsets count UTF-16, so that they may cut a character in half."""
    encoded = text.encode("utf-16-le", "surrogatepass")
    return encoded[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le", "replace")


# --- out ---


def html(text: str) -> str:
    """Marked text as Telegram's HTML; nothing but the marks becomes markup."""
    return _html(runs(text))


def _html(pieces: Sequence[Run]) -> str:
    found = []
    for mark, group in groupby(pieces, key=lambda run: run.marks[0] if run.marks else None):
        inside = list(group)
        if mark is None:
            found.append("".join(escape(run.text, quote=False) for run in inside))
        elif mark.style in _CODE:
            found.append(_tagged(mark, escape("".join(run.text for run in inside), quote=False)))
        else:
            inner = [Run(run.text, run.marks[1:]) for run in inside]
            found.append(_tagged(mark, _html(inner), "".join(run.text for run in inside)))
    return "".join(found)


def _tagged(mark: Mark, inner: str, words: str = "") -> str:
    if mark.style is Style.LINK and is_address(mark.value):
        behind = honest(Run(words, (mark,))).removeprefix(words)
        return f'<a href="{escape(mark.value, quote=True)}">{inner}</a>{escape(behind, quote=False)}'
    if mark.style is Style.PRE and mark.value:
        return f'<pre><code class="language-{escape(mark.value, quote=True)}">{inner}</code></pre>'
    tag = _TAGS.get(mark.style)
    return f"<{tag}>{inner}</{tag}>" if tag else inner
