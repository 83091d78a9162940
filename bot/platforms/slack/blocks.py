"""The Slack blocks that we build. Nothing in them can ping anybody: what people wrote is quoted. Pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from bot.domain.control_characters import without_controls
from bot.domain.rich_text import Run, Style, flattened, head, honest, runs, spelled
from bot.domain.rich_text import plain as plain_words
from bot.platforms.slack.payload import BUTTON

Block = dict[str, object]

SECTION = 3_000
"""The most characters in a section's text."""
_LABEL, _OPTION_VALUE = 75, 150
_AT_ONCE = 25
"""The most elements in a block of actions."""
_MARKS = 9_000
"""The most characters of JSON for marked words: all blocks of a message together have room for 13,200."""
_STYLES = {
    Style.BOLD: "bold",
    Style.ITALIC: "italic",
    Style.UNDERLINE: "italic",
    Style.STRIKE: "strike",
    Style.CODE: "code",
}
_OWN_EMOJI = re.compile(r"[a-z0-9_\-]{1,100}")
_LINK = re.compile(r"https?://[^\s<>|\"']+[^\s<>|\"'.,;:!?)\]}]")


@dataclass(frozen=True, slots=True)
class Said:
    """A message as chat.postMessage takes it; `text` is what notifications and screen readers get."""

    text: str
    blocks: list[Block]


def escaped(text: str, limit: int = SECTION) -> str:
    """The text with Slack's markup escaped, at most `limit` characters long, no entity cut in two."""
    safe = without_controls(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return safe if len(safe) <= limit else re.sub(r"&[a-z]{0,3}$", "", safe[: limit - 1]) + "…"


def cut(text: str, limit: int) -> str:
    """At most `limit` characters of the text, with "…" where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def plain(text: str) -> Said:
    """One sentence of our own. It is put in a block, too: an edit without blocks would leave old buttons standing."""
    return Said(escaped(text), [section(escaped(text))])


def section(mrkdwn: str, accessory: Block | None = None) -> Block:
    """A section of text in Slack's markup, which the caller has escaped."""
    block: Block = {"type": "section", "text": _mrkdwn(mrkdwn)}
    return block | {"accessory": accessory} if accessory else block


def context(lines: Sequence[str]) -> Block:
    """Small print: the first ten lines, which the caller has escaped."""
    return {"type": "context", "elements": [_mrkdwn(line) for line in lines[:10]]}


def quote(text: str, limit: int, *, struck: bool = False, links: bool = False) -> list[Block]:
    """What a person wrote, with its marks, as a rich text quote, in which Slack parses nothing; no block without text.

    With `links`, addresses that are not marked as links are clickable, too: for words of our own people, not of
    strangers.
    """
    kept = head(flattened(text, quotes=True), limit)
    if not plain_words(kept).strip():
        return []
    words = _elements(kept, links=links, struck=struck)
    if len(json.dumps(words, ensure_ascii=False)) > _MARKS:
        words = _elements(spelled(kept), links=False, struck=struck)
    return [{"type": "rich_text", "elements": words}]


def _elements(text: str, *, links: bool, struck: bool) -> list[Block]:
    """Quotes, with blocks of code between them."""
    found: list[Block] = []
    for code, group in groupby(runs(text), key=lambda run: run.has(Style.PRE)):
        words = [word for run in group for word in _one_run(run, links=links, struck=struck)]
        found.append({"type": "rich_text_preformatted" if code else "rich_text_quote", "elements": words})
    return found


def _one_run(run: Run, *, links: bool, struck: bool) -> list[Block]:
    style = {name: True for mark, name in _STYLES.items() if run.has(mark)} | ({"strike": True} if struck else {})
    if run.has(Style.PRE):
        return [_words(run.text)]
    address, emoji = run.value(Style.LINK), run.value(Style.EMOJI)
    if address and len(address) < SECTION:
        words: list[Block] = [{"type": "link", "url": address, "text": honest(run)}]
    elif emoji and run.text == f":{emoji}:" and _OWN_EMOJI.fullmatch(emoji):
        words = [{"type": "emoji", "name": emoji}]
    else:
        words = _linked(run.text) if links else [_words(run.text)]
    return [word | {"style": style} for word in words] if style else words


def button(name: str, label: str, *, value: str = "", style: str = "") -> Block:
    """A button of any kind; `style` is "primary", "danger" or nothing."""
    found: Block = {"type": "button", "action_id": name, "text": _label(label)}
    return found | ({"value": value} if value else {}) | ({"style": style} if style else {})


def choice_button(value: str, label: str) -> Block:
    """A button whose press the flow handles."""
    return button(f"{BUTTON}{value}", label, value=value)


def actions(elements: Sequence[Block]) -> list[Block]:
    """The buttons, in as many rows as Slack needs for them."""
    rows = [list(elements[at : at + _AT_ONCE]) for at in range(0, len(elements), _AT_ONCE)]
    return [{"type": "actions", "elements": row} for row in rows]


def menu(name: str, placeholder: str, options: Sequence[tuple[str, str]]) -> Block:
    """A menu for picking one of the (value, label) pairs."""
    listed = [option(value, label) for value, label in options[:100]]
    return {"type": "static_select", "action_id": name, "placeholder": _label(placeholder), "options": listed}


def option(value: str, label: str) -> Block:
    """One line of a menu."""
    return {"text": _label(label), "value": value[:_OPTION_VALUE]}


def _label(text: str) -> Block:
    return {"type": "plain_text", "text": cut(without_controls(text), _LABEL), "emoji": False}


def _mrkdwn(text: str) -> Block:
    # Not verbatim, Slack would look for names in it: somebody called "@here" would notify the whole channel.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _words(text: str) -> Block:
    return {"type": "text", "text": text}


def _linked(text: str) -> list[Block]:
    found, at = [], 0
    for link in _LINK.finditer(text):
        found += [_words(text[at : link.start()])] if link.start() > at else []
        found.append({"type": "link", "url": link[0]})
        at = link.end()
    return [*found, _words(text[at:])] if at < len(text) else found
