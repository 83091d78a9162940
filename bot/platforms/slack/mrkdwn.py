"""Slack's markup ("mrkdwn") read into marked text: formatting, links, mentions, dates, emoji, quotes. Pure."""

import re
from datetime import UTC, datetime
from itertools import groupby

from bot.domain.rich_text import Style, bare, linked, marked, without_mention
from bot.platforms.slack.emoji_characters import character

SOMEONE, SOME_CHANNEL = "@someone", "#channel"
"""The names used where the person or the channel is unknown."""

_PRE = re.compile(r"```\n?(.+?)```", re.DOTALL)
_EMOJI_NAME = r"[a-z0-9_+'\-\u00c0-\U0010ffff]+"
_INLINE = re.compile(
    rf"""
    `(?P<code>[^`\n]+)`
    | <(?P<token>[^<>\n]+)>
    | (?<![0-9]):(?P<emoji>{_EMOJI_NAME}(?:::skin-tone-[2-6])?):(?::skin-tone-(?P<tone>[2-6]):)?
    | (?<![\w*])\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])
    | (?<![\w_])_(?P<italic>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])
    | (?<![\w~])~(?P<strike>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])
    """,
    re.VERBOSE,
)
_STYLES = {"bold": Style.BOLD, "italic": Style.ITALIC, "strike": Style.STRIKE}


def read_mrkdwn(raw: str, own: str = "") -> str:
    """A text from Slack as marked text; our own mention is left out."""
    parts = _PRE.split(bare(raw))
    found = [
        marked(unescaped(part.rstrip("\n")), Style.PRE) if number % 2 else _lines(part)
        for number, part in enumerate(parts)
    ]
    text = "".join(found).strip()
    return without_mention(text, own) if own else text


def mention(user: str, shown: str = "") -> str:
    """A person or user group, marked, until its name is known."""
    return marked(f"@{shown.lstrip('@')}" if shown else SOMEONE, Style.MENTION, user)


def channel(id_: str, shown: str = "") -> str:
    return marked(f"#{shown.lstrip('#')}" if shown else SOME_CHANNEL, Style.CHANNEL, id_)


def emoji(name: str) -> str:
    """The character; a workspace's own emoji, which has no character, keeps its name."""
    return character(name) or marked(f":{name}:", Style.EMOJI, name)


def date(timestamp: str, fallback: str, address: str = "") -> str:
    """A date in the fallback words that the writer gave; Slack would show it in the reader's time zone."""
    shown = fallback
    if not shown and timestamp.isdecimal() and len(timestamp) < 12:
        shown = f"{datetime.fromtimestamp(int(timestamp), UTC):%Y-%m-%d %H:%M} UTC"
    return linked(shown, address) if address else shown


def unescaped(text: str) -> str:
    """The text with Slack's three entities decoded; &amp; comes last, so that a person's own "&lt;" stays as it was."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _lines(text: str) -> str:
    """The text with quotations marked: lines that begin with ">", and everything after ">>>"."""
    before, everything, rest = text.partition("&gt;&gt;&gt;")
    if everything and (not before or before.endswith("\n")):
        return f"{_lines(before)}{marked(_inline(rest.strip()), Style.QUOTE)}"
    groups = [(quoted, list(lines)) for quoted, lines in groupby(text.split("\n"), key=_is_quoted)]
    return "\n".join(_quotation(lines) if quoted else _inline("\n".join(lines)) for quoted, lines in groups)


def _is_quoted(line: str) -> bool:
    return line.startswith("&gt;")


def _quotation(lines: list[str]) -> str:
    return marked(_inline("\n".join(line.removeprefix("&gt;").removeprefix(" ") for line in lines)), Style.QUOTE)


def _inline(text: str) -> str:
    found, at = [], 0
    for token in _INLINE.finditer(text):
        found += [unescaped(text[at : token.start()]), _one(token)]
        at = token.end()
    return "".join([*found, unescaped(text[at:])])


def _one(found: re.Match[str]) -> str:
    kind = found.lastgroup if found.lastgroup != "tone" else "emoji"
    written = found[kind or 0]
    if kind == "code":
        return marked(unescaped(written), Style.CODE)
    if kind == "token":
        return _token(written)
    if kind == "emoji":
        name = f"{written}::skin-tone-{found['tone']}" if found["tone"] else written
        return character(name) or _own_emoji(found[0], written)
    return marked(_inline(written), _STYLES[kind or "bold"])


def _own_emoji(whole: str, name: str) -> str:
    """A workspace's own emoji or a word between colons; either stays as it is."""
    return marked(whole, Style.EMOJI, name) if re.fullmatch(r"[a-z0-9_\-]*[a-z][a-z0-9_\-]*", name) else whole


def _token(written: str) -> str:
    """One <…> of Slack's notation as marked text."""
    target, _, label = written.partition("|")
    target, label = unescaped(target), unescaped(label)
    sort = target[:1]
    if sort == "@":
        return mention(target[1:], label)
    if sort == "#":
        return channel(target[1:], label)
    if sort == "!":
        return _special(target[1:], label)
    return linked(_inline_emoji(label) or shown_address(target), target)


def _inline_emoji(label: str) -> str:
    return re.sub(rf":({_EMOJI_NAME}):", lambda found: character(found[1]) or found[0], label)


def shown_address(target: str) -> str:
    return target.removeprefix("mailto:").removeprefix("tel:")


def _special(target: str, label: str) -> str:
    """<!here>, <!subteam^S…> or <!date^…> as marked text."""
    kind, _, rest = target.partition("^")
    if kind == "subteam":
        return mention(rest, label) if label else marked("@subteam", Style.MENTION, rest)
    if kind == "date":
        timestamp, _, more = rest.partition("^")
        return date(timestamp, label, more.partition("^")[2])
    return label or f"@{kind}"
