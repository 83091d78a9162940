"""A text without a person's name and words."""

import re
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

_INSTEAD = "…"
_NO_NAME = 3
"""A shorter part of a name counts as an ordinary word, and a line shorter than `_NO_QUOTE` quotes nobody."""
_NO_QUOTE = 8
_ORDINARY = Path(__file__).with_name("ordinary_words.txt")

_ADDRESSED = re.compile(
    r"(?:@|\b(?:hi|hello|hey|dear|thanks|thank you|oi|olá|ola|caro|cara|prezado|prezada|obrigado|obrigada|dona|hola|"
    r"querido|querida|estimado|estimada|gracias|mr|mrs|ms|sr|sra)[.,]? )$",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?:\b(?:in|since|by|until|till|from|of|on|before|after|during|last|next|this|every|early|late|em|desde|até|de|en|"
    r"hasta)|\d(?:st|nd|rd|th)?) $",
    re.IGNORECASE,
)
_TOLD_OF = re.compile(
    r" (?:\w+ed|is|was|has|had|says|said|wants|needs|asks|wrote|writes|thinks|did|does|got|paid|sent|é|está|es|tem|"
    r"tiene|disse|dijo|quer|quiere)\b"
)
_SENTENCE_BEGINS = re.compile(r"(?:^|[.!?:;\n])\s*$")


def without(text: str, names: Iterable[str], texts: Iterable[str]) -> str:
    """The text with every name, every part of one, and every line of the texts replaced by an ellipsis.

    Names are replaced wherever they stand, in upper or lower case. Only a part that is also an ordinary word (Will,
    May, Grace) is replaced where it is written and used like a name, and stays where it is the word.
    """
    known = list(names)
    lines = {line.strip() for said in texts for line in said.splitlines()}
    here = text.casefold()  # of thousands of lines hardly any occurs in one text: only those become a pattern
    parts = {part for name in known for part in name.split() if len(part) >= _NO_NAME and part.casefold() in here}
    ordinary = {part for part in parts if part.casefold() in _ordinary_words()}
    whole = {name for name in known if len(name) >= _NO_NAME and name.casefold() in here} | parts
    quoted = [line for line in lines if len(line) >= _NO_QUOTE and line.casefold() in here]
    left = _replaced(text, [re.escape(line) for line in quoted])
    left = _replaced(left, [rf"\b{re.escape(name)}\b" for name in whole - ordinary])
    for part in sorted(ordinary):
        left = _without_word(left, part)
    return left


def _replaced(text: str, patterns: Collection[str]) -> str:
    """Replace the patterns, the longest first: a name before a part of it."""
    if not patterns:
        return text
    return re.sub("|".join(sorted(patterns, key=len, reverse=True)), _INSTEAD, text, flags=re.IGNORECASE)


def _without_word(text: str, part: str) -> str:
    name = re.compile(rf"\b{re.escape(part[:1].upper() + part[1:])}\b")
    return name.sub(lambda found: _INSTEAD if _names(text[: found.start()], text[found.end() :]) else found[0], text)


def _names(before: str, after: str) -> bool:
    """Whether a capitalised word between these is a person: addressed, beside the rest of a name, or spoken of."""
    if _ADDRESSED.search(before) or after.startswith(("'s", "’s", f" {_INSTEAD}")) or before.endswith(f"{_INSTEAD} "):
        return True
    if before.endswith(", ") and re.match(r"\s*(?:[,.!?\n]|$)", after):
        return True
    if _SENTENCE_BEGINS.search(before):
        return after.startswith(",") or _TOLD_OF.match(after) is not None
    return _TIME.search(before) is None and re.match(r" \d", after) is None


@cache
def _ordinary_words() -> frozenset[str]:
    """Names that are also ordinary words, in the languages the bot speaks."""
    return frozenset(_ORDINARY.read_text("utf-8").split())
