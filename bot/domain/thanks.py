"""Thanks and assent: small talk that ends something, and asks for nothing, not even for an answer."""

import tomllib
from functools import cache
from pathlib import Path

from bot.domain.rich_text import spoken
from bot.domain.small_talk import folded_words, is_small_talk
from bot.domain.word_list import WordIndex, phrase

_FILE = Path(__file__).with_suffix(".toml")


def is_thanks(text: str) -> bool:
    """Whether it says thank you, or shows that somebody is pleased, and nothing besides; a greeting alone does not."""
    said = spoken(text)
    if not is_small_talk(said):
        return False
    return bool(_known().found_in(said)) or (bool(said.strip()) and not folded_words(said))


@cache
def _known() -> WordIndex:
    languages = tomllib.loads(_FILE.read_text("utf-8"))["thanks"]
    return WordIndex({0: [phrase(one) for phrases in languages.values() for one in phrases]})
