"""Greetings, thanks and the like, which ask for nothing, in the languages that people write in. Never guessed."""

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_suffix(".toml")
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
_DRAWN_OUT = re.compile(r"(\w)\1{2,}")


def is_small_talk(text: str) -> bool:
    """Whether nobody could act on the text: it has only known phrases, or no letter and no digit at all.

    Anything unknown counts as a request, even a single word or number, in any script.
    """
    words = folded_words(text)
    if not words:
        return True
    says, beside = _phrases()
    said, at = False, 0
    while at < len(words):
        phrase = _longest(words, at, says | beside)
        if not phrase:
            return False
        said = said or phrase in says
        at += len(phrase)
    return said


def languages() -> frozenset[str]:
    """The languages in which it is recognised."""
    return frozenset(_tables())


def _longest(words: tuple[str, ...], at: int, known: frozenset[tuple[str, ...]]) -> tuple[str, ...]:
    """The longest known phrase that begins there; empty if none does."""
    most = min(len(words) - at, max(map(len, known)))
    return next((words[at : at + size] for size in range(most, 0, -1) if words[at : at + size] in known), ())


def folded_words(text: str) -> tuple[str, ...]:
    """The words in the form that is compared: without accents, case, punctuation, emoji and drawn-out letters.

    A word is what is between spaces and punctuation, vowel signs of Hindi and Thai included, which are no letters.
    """
    plain = unicodedata.normalize("NFKD", _KEYCAP.sub(" ", text).casefold().replace("’", "'"))
    spaced = "".join(one if unicodedata.category(one)[0] in "LMN" or one in "_'" else " " for one in _bare(plain))
    words = (word.strip("'") for word in spaced.split())
    return tuple(_DRAWN_OUT.sub(r"\1", word) for word in words if any(map(str.isalnum, word)))


def _bare(text: str) -> str:
    """The text without accents and without hints for drawing it."""
    return "".join(one for one in text if not unicodedata.combining(one) and unicodedata.category(one) != "Cf")


@cache
def _phrases() -> tuple[frozenset[tuple[str, ...]], frozenset[tuple[str, ...]]]:
    """(phrases that may stand alone, phrases that may stand beside them), of all languages: people mix them."""
    tables = _tables().values()
    says, beside = (
        frozenset(folded_words(one) for table in tables for one in table[key]) for key in ("says", "beside")
    )
    return says, beside


@cache
def _tables() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(_FILE.read_text("utf-8"))
