"""HTML as the text that a reader would see."""

import html
import re
from html.parser import HTMLParser

_TAGS = "html|head|body|div|p|span|br|table|tbody|tr|td|th|ul|ol|li|a|b|i|u|em|strong|font|h[1-6]|blockquote|pre|img|hr"
_MARKUP = re.compile(rf"</(?:{_TAGS})\s*>|<(?:br|hr)\s*/?>|<!doctype html|<html[\s>]", re.IGNORECASE)
_ESCAPED = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{2,6}|#x[0-9a-f]{2,5});", re.IGNORECASE)
_SECTION = re.compile(r"<!\[(?:CDATA\[|[^\]>]*\]?>?)|\]\]>")
"""Marked sections: Python's parser knows few of them, and fails on the others."""
_LONGEST = 200_000
"""The most characters that are parsed: far fewer are kept, and longer markup takes a parser disproportionately long."""
_UNSEEN = frozenset({"script", "style", "head", "title", "template"})
_APART = frozenset(
    "p div br tr li ul ol table h1 h2 h3 h4 h5 h6 blockquote pre hr section article header footer".split()
)


def is_html(text: str) -> bool:
    """Whether it is HTML: it has a closing tag, a line break, or escaped characters."""
    return bool(_MARKUP.search(text) or _ESCAPED.search(text))


def as_text(markup: str) -> str:
    """The words, one line for each block; without scripts and styles."""
    if not _MARKUP.search(markup):
        plain = html.unescape(markup).replace("\xa0", " ")
        return as_text(plain) if _MARKUP.search(plain) else plain  # a page that was escaped as a whole
    reader = _Reader()
    reader.feed(_SECTION.sub("", markup[:_LONGEST]))
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # If the head was never closed, the body ends it
        self._unseen = 0 if tag == "body" else self._unseen + (tag in _UNSEEN)
        self._apart(tag)

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        self._apart(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(re.sub(r"\s+", " ", data))

    def _apart(self, tag: str) -> None:
        if tag in _APART and self.parts and not self.parts[-1].endswith("\n"):
            self.parts.append("\n")
