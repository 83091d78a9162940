"""Whether a line can be what somebody wrote: it has the letters of one language, where such letters can stand."""

import re
from collections.abc import Callable

_LATIN = tuple(
    map(
        frozenset,
        (
            "ãçéáíóêõàúâôü",  # Portuguese
            "áéíóúñü",  # Spanish
            "éèàçêùâîôûïëœ",  # French
            "äöüßé",  # German
            "àèéìòùî",  # Italian
            "åäöæøéü",  # the Nordic languages
            "ëïéèöüáó",  # Dutch
            "áéíóúýþðæö",  # Icelandic
            "àçèéíïòóúü",  # Catalan
            "ąćęłńóśźż",  # Polish
            "áäčďéěíĺľňóôŕřšťúůýž",  # Czech, Slovak
            "áéíóöőúüű",  # Hungarian
            "ăâîșțşţ",  # Romanian
            "čćđšž",  # Croatian, Slovene
            "çğıöşüâî",  # Turkish
            "ąčęėįšųūž",  # Lithuanian
            "āčēģīķļņšūž",  # Latvian
            "äöõüšž",  # Estonian
            "àáâãèéêìíòóôõùúýăđĩũơư\u0300\u0301\u0303\u0309\u0323"
            + "".join(map(chr, range(0x1EA0, 0x1EFA))),  # Vietnamese
        ),
    )
)
_WESTERN = frozenset().union(*_LATIN[:9])
_CENTRAL = frozenset().union(*_LATIN[9:14], _LATIN[3])
_SIGNS = frozenset("\xa0’‘“”„–—…•«»€£°´¿¡§©®™ªº²³½¼¾·×÷✓→")
_PUNCTUATION = frozenset("、。「」『』・ー〜～！？：；，．（）【】《》")
_OTHERS: tuple[tuple[str, str], ...] = (
    ("Russian, Bulgarian", "а-яё№"),
    ("Ukrainian", "а-щьюяґєії№"),
    ("Belarusian", "а-зй-шыьэюяёіў№"),
    ("Serbian, Macedonian", "а-ик-шђѓѕјљњћќџ№"),
    ("Greek", "\u0384\u0385\u0390\u03ac-\u03ce"),
    ("Hebrew", "\u05b0-\u05ea\u200e\u200f"),
    ("Arabic", "\u060c-\u0652\u067e\u0686\u0688\u0691\u0698\u06a9\u06af\u06be\u06c1\u06cc\u06d2\u200c-\u200f"),
    ("Thai", "\u0e01-\u0e5b"),
    ("Korean", "\uac00-\ud7a3"),
    ("Japanese", "\u3005\u3040-\u30ff\u4e00-\u9fff\uff01-\uff5e\uff61-\uff9f"),
    ("Chinese", "\u4e00-\u9fff\uff01-\uff5e"),
)
_SCRIPTS = tuple(re.compile(f"[{letters}]") for _, letters in _OTHERS)
_TORN = re.compile(
    r"(?<=[A-Z])[À-ÖØ-ÞŸ](?=[a-zà-ÿ])|\b[À-ÖØ-Þ](?=[À-ÖØ-Þ][à-öø-ÿ])"
    r"|(?<=[^\W\d_])[¿¡£€§©°«„‡¤¥²³½¼¾]|[²³½¼¾](?=[^\W\d_])"  # a sign inside a word
    r"|[¿¡](?!\w)|(?<=[^\W\d_])\xa0(?=[a-z])|[‘“](?!\w)"  # or where it begins nothing
    r"|\d[^\W\d_\x00-\x7f\u0e00-\uffffºªèé]|[^\W\d_\x00-\x7f\u0e00-\uffff]\d"  # a letter beside a digit
    r"|[A-Za-z][\u0370-\u1dff\u2e80-\uffff](?<![０-９])|[\u0370-\u1dff][A-Za-z]"  # a word of two scripts
    r"|(?<![lLdDjJcCnNsStTmMuU])’(?!s\b|t\b|re\b|ve\b|ll\b|d\b|m\b|S\b|T\b)(?<=\w’)(?=\w)"  # no elision
)


def one_language(line: str) -> bool:
    """Whether all its letters are of one language, each where such a letter can stand."""
    return _fits(line, lambda letters: any(letters <= alphabet for alphabet in _LATIN))


def related_languages(line: str) -> bool:
    """The same for languages that share a code page."""
    return _fits(line, lambda letters: letters <= _WESTERN or letters <= _CENTRAL)


def _fits(line: str, latin: Callable[[frozenset[str]], bool]) -> bool:
    if _TORN.search(line) or any(map(_turns_large, line, line[1:])):
        return False
    foreign = frozenset(line.replace("İ", "ı").lower()) - _SIGNS
    letters = frozenset(sign for sign in foreign if not sign.isascii())
    if latin(letters):
        return True
    rest = letters - _PUNCTUATION
    return any(all(map(script.match, rest)) for script in _SCRIPTS)


def _turns_large(before: str, sign: str) -> bool:
    """Whether a capital follows within a word, as happens only in ASCII product names."""
    return before.islower() and sign.isupper() and not (before.isascii() and sign.isascii())
