"""Text with its marks: bold, links, mentions, quotes and whatever else platforms write in a notation of their own.

A marked text is one string. What is marked is between U+FFF9 and U+FFFA, the mark between U+FFFA and U+FFFB: the
characters that Unicode has for annotations within a program. Platforms parse their notation into it and render their
notation from it; people cannot type a mark, because `bare` removes these characters from what they write. A text
without marks is just itself, and `plain` gives the words that the voices read.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from bot.domain.control_characters import without_controls

_ANCHOR, _SEPARATOR, _TERMINATOR = "\ufff9", "\ufffa", "\ufffb"
_ANNOTATIONS = re.compile("[\ufff9-\ufffb]")
_TOKEN = re.compile("\ufff9|\ufffa[^\ufff9-\ufffb]*(?:\ufffb|$)")
_ADDRESS = re.compile(r"(?:https?://|mailto:|tel:|tg://)[^\s<>|\"\x00-\x1f]+", re.IGNORECASE)


class Style(StrEnum):
    """What a mark says about its text."""

    BOLD = "bold"
    ITALIC = "italic"
    UNDERLINE = "underline"
    STRIKE = "strike"
    SPOILER = "spoiler"
    CODE = "code"
    PRE = "pre"
    """A block of code; the value is its language, if it names one."""
    LINK = "link"
    """The value is the address."""
    MENTION = "mention"
    """Of a person or a group; the value is its id on its platform."""
    CHANNEL = "channel"
    """The value is the channel's id on its platform."""
    EMOJI = "emoji"
    """One of a platform's own pictures; the value is its id there."""
    QUOTE = "quote"
    """Words that the writer set apart as somebody's."""
    CITED = "cited"
    """What the message points at: replied to, forwarded, the thread's beginning. The value is its author's name."""


@dataclass(frozen=True, slots=True)
class Mark:
    style: Style
    value: str = ""
    by: str = ""
    """For a citation its author's id on their platform; empty if unknown."""


@dataclass(frozen=True, slots=True)
class Run:
    """Characters that have the same marks, the outermost mark first."""

    text: str
    marks: tuple[Mark, ...] = ()

    def value(self, style: Style) -> str | None:
        """The value of its mark of this style; None if it has no such mark."""
        return next((mark.value for mark in self.marks if mark.style is style), None)

    def has(self, style: Style) -> bool:
        return self.value(style) is not None


def bare(written: str) -> str:
    """What somebody wrote, without the characters that marks are made of."""
    return _ANNOTATIONS.sub("", written)


def marked(text: str, style: Style, value: str = "", by: str = "") -> str:
    """The text, which may have marks, with one more around all of it; empty where the text is."""
    if not plain(text):
        return ""
    named = f"{style}:{_word(by)}" if _word(by) else str(style)
    told = f"{named} {_line(value)}" if value else named
    return f"{_ANCHOR}{text}{_SEPARATOR}{told}{_TERMINATOR}"


def linked(text: str, address: str) -> str:
    """The text as a link; unchanged if the address cannot be followed."""
    return marked(text, Style.LINK, address) if is_address(address) else text


def is_address(address: str) -> bool:
    """Whether it may be a link: to the web, to mail, or to a telephone number."""
    return _ADDRESS.fullmatch(address) is not None


def plain(text: str) -> str:
    """The words alone, as the voices read them."""
    return _ANNOTATIONS.sub("", _TOKEN.sub("", text))


def own_words(text: str) -> str:
    """The text without what it points at; all of it if there is nothing else."""
    own = stripped(written(run for run in runs(text) if not run.has(Style.CITED)))
    return own or text


def spoken(text: str) -> str:
    """The words without a platform's own emoji, whose names nobody wrote."""
    return "".join(run.text for run in runs(text) if not run.has(Style.EMOJI))


def spelled(text: str) -> str:
    """The words with the addresses behind them, for places where links are impossible."""
    return "".join(_spelled(run) for run in _merged(runs(text)))


def runs(text: str) -> tuple[Run, ...]:
    """The text in pieces with the same marks. A mark that was cut in two is dropped, and its words stay."""
    levels: list[list[Run]] = [[]]
    at = 0
    for token in _TOKEN.finditer(text):
        _append(levels[-1], text[at : token.start()])
        at = token.end()
        if token[0] == _ANCHOR:
            levels.append([])
        elif len(levels) > 1:
            inner, mark = levels.pop(), _mark(token[0].strip(_SEPARATOR + _TERMINATOR))
            levels[-1] += [Run(run.text, (mark, *run.marks)) if mark else run for run in inner]
    _append(levels[-1], text[at:])
    return tuple(run for level in levels for run in level)


def written(pieces: Iterable[Run]) -> str:
    """The marked text of these runs: the inverse of `runs`."""
    found = []
    for mark, group in groupby(pieces, key=lambda run: run.marks[0] if run.marks else None):
        if mark is None:
            found.append("".join(bare(run.text) for run in group))
        else:
            found.append(
                marked(written(Run(run.text, run.marks[1:]) for run in group), mark.style, mark.value, mark.by)
            )
    return "".join(found)


def renamed(text: str, names: Callable[[Mark], str | None]) -> str:
    """The text with each mention called what `names` returns for it; None leaves it as it is."""
    if not {run.marks[-1].style for run in runs(text) if run.marks} & {Style.MENTION, Style.CHANNEL}:
        return text
    return written(_renamed(run, names) for run in runs(text))


def mentions(text: str) -> frozenset[Mark]:
    """The people and channels that it mentions by id."""
    named = (Style.MENTION, Style.CHANNEL)
    return frozenset(mark for run in runs(text) for mark in run.marks if mark.style in named and mark.value)


def without_mention(text: str, of: str) -> str:
    """The text without the mention of this id, and without the comma or colon behind it."""
    kept: list[Run] = []
    gone = False
    for run in runs(text):
        if run.value(Style.MENTION) == of:
            gone = True
            continue
        words = run.text
        if gone:
            before = plain(kept[-1].text) if kept else ""
            words = re.sub(r"^[,:]?[ \t]*", "" if not before or before[-1:].isspace() else " ", words)
        gone = False
        kept.append(Run(words, run.marks))
    return written(run for run in kept if run.text).strip()


def cited(text: str, author: str, by: str = "") -> str:
    """The text as a citation, on lines of its own before the message's words. `by` is its author's id."""
    return marked(text.strip(), Style.CITED, author, by)


def flattened(text: str, *, quotes: bool) -> str:
    """The text with its citation as a line that names the author and, with `quotes`, quotes as lines after a ">".

    For use within a quotation, in which platforms allow no other. Nothing in it changes how the words around it read.
    """
    text = without_controls(text)
    apart = (Style.CITED, Style.QUOTE) if quotes else (Style.CITED,)
    found = []
    for mark, group in groupby(runs(text), key=lambda run: next((m for m in run.marks if m.style in apart), None)):
        inner = written(Run(run.text, tuple(m for m in run.marks if m.style not in apart)) for run in group)
        if mark is None:
            found.append(inner)
        elif mark.style is Style.CITED:
            found += [marked(f"↪ {mark.value}: " if mark.value else "↪ ", Style.BOLD), marked(inner, Style.ITALIC)]
        else:
            found.append("> " + inner.replace("\n", "\n> "))
    return "".join(found)


def honest(run: Run) -> str:
    """A link's words, with its address behind them if they look like another address."""
    address = run.value(Style.LINK) or ""
    host = re.sub(r"^[a-z]+:(?://)?(?:www\.)?([^/?#:]*).*$", r"\1", address, flags=re.IGNORECASE)
    names = re.findall(r"[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}", run.text, flags=re.IGNORECASE)
    if all(host.lower().endswith(name.lower().removeprefix("www.")) for name in names):
        return run.text
    return f"{run.text} ({shown(address)})"


# --- parts of it, counted as the platforms with the strictest limits do: in UTF-16 code units ---


def units(text: str) -> int:
    """How long the words are in UTF-16 code units: an emoji counts as two."""
    return len(plain(text).encode("utf-16-le", "surrogatepass")) // 2


def sliced(text: str, start: int, end: int | None = None) -> str:
    """The text from one character of the words to another, with the marks on them."""
    end = len(plain(text)) if end is None else end
    kept, at = [], 0
    for run in runs(text):
        piece = run.text[max(0, start - at) : max(0, end - at)]
        kept += [Run(piece, run.marks)] if piece else []
        at += len(run.text)
    return written(kept)


def stripped(text: str) -> str:
    """The text without white space around its words."""
    words = plain(text)
    return sliced(text, len(words) - len(words.lstrip()), len(words.rstrip()))


def pieces(text: str, first: int, following: int) -> list[str]:
    """The whole text in pieces of at most so many units, cut between lines or words where there are any."""
    found: list[str] = []
    rest, room = text, first
    while units(rest) > room:
        at = _end(plain(rest), room)
        found.append(stripped(sliced(rest, 0, at)))
        rest, room = stripped(sliced(rest, at)), following
    return [*found, rest]


def head(text: str, most: int) -> str:
    """At most so many units of the text, the last an ellipsis if something was left out."""
    if units(text) <= most:
        return text
    return f"{sliced(text, 0, _fitting(plain(text), most - 1)).rstrip()}…"


def one_line(text: str) -> str:
    """The text with every run of white space as one space."""
    return re.sub(r"\s+", " ", text).strip()


def _end(words: str, room: int) -> int:
    """Where to cut so that what is before fits: after the last line, else the last word, that is not too far back."""
    most = _fitting(words, room)
    for sign in ("\n", " "):
        at = words.rfind(sign, most // 2, most + 1)
        if at > 0:
            return at
    return max(most, 1)


def _fitting(words: str, room: int) -> int:
    encoded = words.encode("utf-16-le", "surrogatepass")
    return len(words) if len(encoded) <= 2 * room else len(encoded[: 2 * room].decode("utf-16-le", "ignore"))


def _append(level: list[Run], text: str) -> None:
    words = bare(text)
    if words:
        level.append(Run(words))


def _mark(told: str) -> Mark | None:
    named, _, value = told.partition(" ")
    style, _, by = named.partition(":")
    return Mark(Style(style), value, by) if style in _STYLES else None


def _renamed(run: Run, names: Callable[[Mark], str | None]) -> Run:
    last = run.marks[-1] if run.marks else None
    name = names(last) if last is not None and last.style in (Style.MENTION, Style.CHANNEL) else None
    return Run(name, run.marks) if name else run


def _merged(pieces: Sequence[Run]) -> list[Run]:
    """The runs, with adjacent ones that belong to one link joined."""
    groups = groupby(pieces, key=lambda run: run.value(Style.LINK))
    return [
        Run("".join(run.text for run in group), (Mark(Style.LINK, link),) if link else ()) for link, group in groups
    ]


def _spelled(run: Run) -> str:
    address = run.value(Style.LINK)
    if not address or shown(address) in run.text or run.text in address:
        return run.text
    return f"{run.text} ({shown(address)})"


def shown(address: str) -> str:
    """An address as people read it."""
    return re.sub(r"^(?:mailto:|tel:)", "", address, flags=re.IGNORECASE)


def _line(value: str) -> str:
    return re.sub(r"[\x00-\x1f]", " ", bare(value)).strip()


def _word(value: str) -> str:
    return re.sub(r"\s", "", _line(value))


_STYLES = frozenset(Style)
