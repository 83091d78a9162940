"""Text as Telegram counts and parses it: UTF-16 offsets, HTML tags, commands and mentions."""

import html
import re
from collections.abc import Iterator

from tests.servers.telegram.state import bad_request
from tests.servers.wire import Json

KINDS = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)(\s[^<>]*)?>")
_HREF = re.compile(r"href=[\"']([^\"']*)[\"']")
_ESCAPE = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")
_COMMAND = re.compile(r"(?<!\S)/[A-Za-z0-9_]{1,32}(?:@\w+)?")
_MENTION = re.compile(r"(?<!\w)@\w{4,32}")


def utf16(text: str) -> int:
    """The length in the unit of Telegram's offsets."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse(text: str, mode: str) -> tuple[str, tuple[Json, ...]]:
    """The plain text and its entities, or the Bot API's "can't parse entities". Modes: "" and HTML."""
    if not mode:
        return text, tuple(written(text))
    if mode.upper() != "HTML":
        raise bad_request("unsupported parse_mode")
    return _parse_html(text)


def written(text: str) -> Iterator[Json]:
    """The entities that Telegram detects itself."""
    for kind, pattern in (("bot_command", _COMMAND), ("mention", _MENTION)):
        for found in pattern.finditer(text):
            yield {"type": kind, "offset": utf16(text[: found.start()]), "length": utf16(found.group())}


def _parse_html(source: str) -> tuple[str, tuple[Json, ...]]:
    plain, entities, at = "", [], 0
    opened: list[tuple[str, int, str]] = []
    while (bracket := source.find("<", at)) >= 0:
        plain += _unescaped(source[at:bracket])
        tag, offset = _TAG.match(source, bracket), len(source[:bracket].encode())
        if tag is None or tag[2].lower() not in KINDS:
            raise _unparsable(f'Unsupported start tag "{tag[2] if tag else ""}" at byte offset {offset}')
        if not tag[1]:
            opened.append((tag[2].lower(), utf16(plain), tag[3] or ""))
        else:
            entities.append(_closed(opened, tag[2].lower(), offset, utf16(plain)))
        at = tag.end()
    if opened:
        raise _unparsable(f'Can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    return plain + _unescaped(source[at:]), tuple(entities)


def _closed(opened: list[tuple[str, int, str]], name: str, offset: int, end: int) -> Json:
    if not opened:
        raise _unparsable(f"Unexpected end tag at byte offset {offset}")
    expected, start, attributes = opened.pop()
    if expected != name:
        wrong = f'expected "</{expected}>", found "</{name}>"'
        raise _unparsable(f"Unmatched end tag at byte offset {offset}, {wrong}")
    kind = "expandable_blockquote" if attributes.strip() == "expandable" else KINDS[name]
    entity: Json = {"type": kind, "offset": start, "length": end - start}
    link = _HREF.search(attributes)
    return entity | ({"url": _unescaped(link[1])} if link else {})


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: html.unescape(found.group()), text)


def _unparsable(why: str) -> Exception:
    return bad_request(f"can't parse entities: {why}")
