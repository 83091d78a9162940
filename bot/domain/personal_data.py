"""Finds what may identify somebody in a text: kinds and counts, and the text without. python-stdnum checks digits."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from stdnum import iban, luhn
from stdnum.ar import cuit
from stdnum.br import cnpj, cpf
from stdnum.cl import rut
from stdnum.es import nif
from stdnum.fr import nir
from stdnum.mx import curp, rfc
from stdnum.pt import nif as pt_nif
from stdnum.us import ssn


class Kind(StrEnum):
    """A kind of personal data."""

    EMAIL = "e-mail"
    PHONE = "phone"
    CARD = "card"
    IBAN = "iban"
    TAX_ID = "tax id"


def _card(written: str) -> bool:
    digits = re.sub(r"\D", "", written)
    return 13 <= len(digits) <= 19 and bool(luhn.is_valid(digits))


def _phone(written: str) -> bool:
    digits = re.sub(r"\D", "", written)
    return 9 <= len(digits) <= 15 and (written[0] in "+(0" or bool(re.search(r"\d[ ./-]+\d", written)))


def _iban(written: str) -> bool:
    return bool(iban.is_valid(written, check_country=False))


_IDS = (cpf, cnpj, nif, ssn, curp, rfc, rut, cuit, pt_nif, nir)
"""The ids of Brazil, Spain, the United States, Mexico, Chile, Argentina, Portugal and France."""
_NINO = re.compile(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]", re.IGNORECASE)
"""The national insurance number of the United Kingdom, which has no check digit."""


def _tax_id(written: str) -> bool:
    bare = re.sub(r"[ .]", "", written)
    return any(kind.is_valid(written) or kind.is_valid(bare) for kind in _IDS) or bool(_NINO.fullmatch(written))


_NAMED = "".join(
    rf"|(?<={name}{sign})\d{{3}} ?\d{{3}} ?\d{{3}}" for name in ("nif", "ssn") for sign in (" ", ":", ": ")
)
"""Numbers that could be any number, where their kind is written before them."""
_FOUND: Mapping[Kind, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    Kind.EMAIL: (re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\b"), lambda _: True),
    Kind.IBAN: (
        re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b", re.IGNORECASE),
        _iban,
    ),
    Kind.CARD: (re.compile(r"(?<![\w.-])\d(?:[ .-]{0,2}\d){12,18}(?![\w-])"), _card),
    Kind.TAX_ID: (
        re.compile(
            r"(?<![\w.-])(?:\d{3}[. ]?\d{3}[. ]?\d{3}[ -]?\d{2}|\d{2}[. ]?\d{3}[. ]?\d{3}[/ ]?\d{4}[ -]?\d{2}|"
            r"[XYZ]?-?\d{7,8}[ -]?[A-Z]|\d{1,2}\.\d{3}\.\d{3}[ -]?[A-Z]|"
            r"\d{3}-\d{2}-\d{4}|\d{1,2}\.\d{3}\.\d{3}-[\dK]|\d{2}-\d{8}-\d|"
            r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}|[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]|"
            rf"[A-Z]{{4}}\d{{6}}[HM][A-Z]{{5}}[A-Z\d]\d|[A-ZÑ&]{{4}}\d{{6}}[A-Z\d]{{3}}{_NAMED})(?![\w-])",
            re.IGNORECASE,
        ),
        _tax_id,
    ),
    Kind.PHONE: (re.compile(r"(?<![\w.,/#-])(?<!\d:)[+(]?\d(?:[ ()./-]{0,3}\d){8,14}(?![\w:-])"), _phone),
}
"""Searched in this order; what one kind has found is hidden from the next. A phone number is what is left: figures in
groups, or behind + or 0. Order numbers are figures without groups, and dates are too short."""


def personal_data(text: str) -> Mapping[Kind, int]:
    """Kind -> how many the text holds; kinds that it does not hold are left out."""
    return dict(Counter(kind for kind, _, _ in _spans(text)))


def masked(text: str) -> str:
    """The text with every letter and figure of what was found made an x or a 0, so that its form stays.

    Idempotent.
    """
    for _, begin, end in _spans(text):
        text = text[:begin] + _DIGIT.sub("0", _LETTER.sub("x", text[begin:end])) + text[end:]
    return text


_LETTER, _DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")


def _spans(text: str) -> list[tuple[Kind, int, int]]:
    """(kind, start, end) of everything that is found, kind by kind."""
    plainly, places = _plainly(text)
    spans: list[tuple[Kind, int, int]] = []
    for kind, (pattern, valid) in _FOUND.items():
        found = [(match.start(), end) for match in pattern.finditer(plainly) if (end := _end(match, valid))]
        spans += [(kind, places[start], places[end - 1] + 1) for start, end in found]
        for start, end in found:  # what one kind has found is hidden from the next
            plainly = plainly[:start] + "x" * (end - start) + plainly[end:]
    return spans


def _end(match: re.Match[str], valid: Callable[[str], bool]) -> int:
    """Where what was found ends, without words after it that only look like a part of it; 0: it is none."""
    found = match[0]
    while found and not valid(found):
        found = found.rpartition(" ")[0]
    return match.start() + len(found) if found else 0


_UNSEEN = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
"""Signs that nobody sees; telephones put some around a number that is copied."""
_SPACES, _DASHES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]"), re.compile("[\u2010-\u2015\u2212\uff0d]")
_WIDE = {wide: chr(wide - 0xFEE0) for wide in map(ord, "＋＠．（）／：")}


def _plainly(text: str) -> tuple[str, Sequence[int]]:
    """The text with ordinary spaces, hyphens and figures, without signs that nobody sees; where each sign stood."""
    if text.isascii():
        return text, range(len(text))
    places = [place for place, sign in enumerate(text) if not _UNSEEN.match(sign)]
    plainly = _DASHES.sub("-", _SPACES.sub(" ", _UNSEEN.sub("", text))).translate(_WIDE)
    return _DIGIT.sub(lambda figure: str(int(figure[0])), plainly), places


def texts_with(texts: Sequence[str]) -> Mapping[Kind, int]:
    """Kind -> how many of the texts hold it."""
    found = [personal_data(text) for text in texts]
    return {kind: count for kind in Kind if (count := sum(kind in one for one in found))}
