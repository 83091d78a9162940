"""Reads Slack's blocks into marked text: they hold what people write, more exactly than `text` does. Pure.

A message's tables, headers, sections and pictures are nowhere else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from bot.domain.rich_text import Style, bare, linked, marked, plain
from bot.platforms.slack.mrkdwn import channel, date, emoji, mention, read_mrkdwn, shown_address
from bot.platforms.slack.payload import Payload, each, inner, word

_STYLES = {
    "bold": Style.BOLD,
    "italic": Style.ITALIC,
    "strike": Style.STRIKE,
    "underline": Style.UNDERLINE,
    "code": Style.CODE,
}
_NUMBERINGS = ("", "a", "i")


def blocks_text(blocks: Iterable[Payload]) -> str:
    """All readable text in these blocks, each block on lines of its own."""
    return "\n".join(text for block in blocks if (text := block_text(block)).strip())


def block_text(block: Payload) -> str:
    """The readable text in a block; empty for one without words (a divider, buttons)."""
    match word(block, "type"):
        case "rich_text":
            return _joined(_part(element) for element in each(block, "elements"))
        case "section":
            fields = [_text(field) for field in each(block, "fields")]
            return "\n".join(filter(None, [_text(inner(block, "text")), *fields]))
        case "header":
            return marked(_text(inner(block, "text")), Style.BOLD)
        case "context":
            return "  ".join(filter(None, (_text(element) for element in each(block, "elements"))))
        case "image" | "video":
            return _picture(block)
        case "markdown":
            return bare(word(block, "text"))
        case "table":
            return _table(block)
        case _:
            return ""


def _text(composition: Payload) -> str:
    """The text of a text object; of a picture among such objects, its alternative text."""
    if word(composition, "type") == "image":
        return bare(word(composition, "alt_text"))
    if word(composition, "type") == "plain_text":
        return bare(word(composition, "text"))
    return read_mrkdwn(word(composition, "text"))


def _picture(block: Payload) -> str:
    title = word(inner(block, "title"), "text") or word(block, "alt_text")
    address = word(block, "title_url") or word(block, "image_url") or word(block, "video_url")
    return linked(bare(title) or address, address)


def _table(block: Payload) -> str:
    """A table, one line for each row, the cells separated as in a table of Markdown."""
    rows = block.get("rows")
    cells = [[_cell(cell) for cell in row] for row in rows if isinstance(row, list)] if isinstance(rows, list) else []
    return "\n".join(" | ".join(row) for row in cells if any(row))


def _cell(cell: object) -> str:
    if not isinstance(cell, dict):
        return ""
    return (block_text(cell) if word(cell, "type") == "rich_text" else bare(word(cell, "text"))).strip()


# --- rich text ---


def _joined(parts: Iterable[str]) -> str:
    """The parts one after another; all but sections begin and end with a line of their own."""
    text = ""
    for part in filter(None, parts):
        text += part if not text or plain(text).endswith("\n") else f"\n{part}"
    return text.strip("\n")


def _part(element: Payload) -> str:
    words = _inline(each(element, "elements"))
    match word(element, "type"):
        case "rich_text_list":
            return _list(element)
        case "rich_text_quote":
            return marked(words.strip("\n"), Style.QUOTE)
        case "rich_text_preformatted":
            return marked(words.strip("\n"), Style.PRE, word(element, "language"))
        case _:
            return words


def _list(element: Payload) -> str:
    indent, offset = (number if isinstance(number := element.get(key), int) else 0 for key in ("indent", "offset"))
    ordered = word(element, "style") == "ordered"
    lines = []
    for number, item in enumerate(each(element, "elements"), start=offset + 1):
        sign = f"{number}." if ordered else "•"
        lines.append(f"{'    ' * indent}{sign} {_inline(each(item, 'elements'))}")
    return "\n".join(lines)


def _inline(elements: Iterable[Payload]) -> str:
    return "".join(_styled(_READERS.get(word(one, "type"), _no_words)(one), one) for one in elements)


def _styled(text: str, element: Payload) -> str:
    for name, style in _STYLES.items():
        if inner(element, "style").get(name) is True:
            text = marked(text, style)
    return text


def _link(element: Payload) -> str:
    address = word(element, "url")
    return linked(bare(word(element, "text")) or shown_address(address), address)


def _date(element: Payload) -> str:
    return date(str(element.get("timestamp", "")), bare(word(element, "fallback")), word(element, "url"))


def _emoji(element: Payload) -> str:
    tone = element.get("skin_tone")
    return emoji(f"{word(element, 'name')}{f'::skin-tone-{tone}' if isinstance(tone, int) else ''}")


def _no_words(element: Payload) -> str:
    return ""


_READERS: Mapping[str, Callable[[Payload], str]] = {
    "text": lambda element: bare(word(element, "text")),
    "link": _link,
    "emoji": _emoji,
    "user": lambda element: mention(word(element, "user_id")),
    "usergroup": lambda element: marked("@subteam", Style.MENTION, word(element, "usergroup_id")),
    "channel": lambda element: channel(word(element, "channel_id")),
    "broadcast": lambda element: f"@{word(element, 'range')}",
    "date": _date,
    "color": lambda element: word(element, "value"),
    "team": lambda element: "@team",
}


def of_kind(blocks: Iterable[Payload], kind: str) -> Sequence[Payload]:
    return [block for block in blocks if word(block, "type") == kind]
