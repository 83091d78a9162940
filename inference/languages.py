"""Which language a text is written in: by lingua, an n-gram model of its own, so that no text leaves the machine.

Cost, one thread: 7 ms to import and set up, 2 s and 260 MB with the first text (its models are read then), 0.45 ms a
text. Its low-accuracy mode takes 21 MB and 0.09 ms, and misreads two to three times as many short requests (English 6.7
-> 17.7 %, Spanish 5.0 -> 14.3 %, Portuguese 1.7 -> 5.0 %), too many for figures by language to mean anything.
"""

import re
from functools import cache
from hashlib import blake2b
from threading import Condition

from cachetools import LRUCache, cached
from lingua import Language, LanguageDetector, LanguageDetectorBuilder

from bot.domain.languages import DETECTED

_LEAST_LEAD = 0.05
"""How far the likeliest language must be ahead. On eight languages' tweets and short requests it turns half of the
wrong answers into none, and 1 to 5 % of the right ones. "ok", "status" and "C++" get no language."""
_ENOUGH = 1_000
"""Characters that are looked at: the beginning of a long text suffices."""
_REMEMBERED = 1_024
"""How many texts' languages are remembered: more than are asked about at once."""
_NO_LANGUAGE = re.compile("[\ud800-\udfff]|https?://\\S+|\\S+@\\S+")
"""Half a character (a lone surrogate), which lingua cannot take, and addresses, which are no words."""


def language_of(text: str, least_lead: float = _LEAST_LEAD) -> str | None:
    """Its ISO 639-1 code, one of DETECTED; None if it cannot be told. Safe to call from any thread.

    With `least_lead` 0 the likeliest language counts, however close the next.
    """
    code, lead = _likeliest(_NO_LANGUAGE.sub(" ", text[:_ENOUGH]))
    return None if lead < least_lead else code


def _digest(words: str) -> bytes:
    return blake2b(words.encode("utf-8"), digest_size=16).digest()


@cached(LRUCache(_REMEMBERED), key=_digest, condition=Condition())
def _likeliest(words: str) -> tuple[str | None, float]:
    """(code, how far ahead). The encoders and the decision ask about one text at the same moment: it is computed once.

    The digest is remembered, not the text.
    """
    likely = _detector().compute_language_confidence_values(words)
    if likely[0].value == 0.0:
        return None, 0.0
    return likely[0].language.iso_code_639_1.name.lower(), likely[0].value - likely[1].value


@cache
def _detector() -> LanguageDetector:
    spoken = [one for one in Language.all() if one.iso_code_639_1.name.lower() in DETECTED]
    return LanguageDetectorBuilder.from_languages(*spoken).build()
