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
    return bool(luhn.is_valid(re.sub(r"\D", "", written)))


def _phone(written: str) -> bool:
    digits = re.sub(r"\D", "", written)
    return 9 <= len(digits) <= 15 and (written[0] in "+(0" or bool(re.search(r"\d[ ./-]+\d", written)))


_IDS = (cpf, cnpj, nif, ssn, curp, rfc, rut, cuit, pt_nif)
"""The ids of Brazil, Spain, the United States, Mexico, Chile, Argentina and Portugal."""


def _tax_id(written: str) -> bool:
    return any(kind.is_valid(written) for kind in _IDS)


_FOUND: Mapping[Kind, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    Kind.EMAIL: (re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\b"), lambda _: True),
    Kind.IBAN: (
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", re.IGNORECASE),
        lambda found: bool(iban.is_valid(found, check_country=False)),
    ),
    Kind.CARD: (re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])"), _card),
    Kind.TAX_ID: (
        re.compile(
            r"(?<![\w.-])(?:\d{3}\.?\d{3}\.?\d{3}-?\d{2}|\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}|[XYZ]?-?\d{7,8}-?[A-Z]|"
            r"\d{3}-\d{2}-\d{4}|\d{1,2}\.\d{3}\.\d{3}-[\dK]|\d{2}-\d{8}-\d|"
            r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z\d]\d|[A-ZÑ&]{4}\d{6}[A-Z\d]{3}|"
            r"(?<=nif )\d{3} ?\d{3} ?\d{3}|(?<=nif: )\d{3} ?\d{3} ?\d{3})(?![\w-])",
            re.IGNORECASE,
        ),
        _tax_id,
    ),
    Kind.PHONE: (re.compile(r"(?<![\w.,:/#-])[+(]?\d(?:[ ()./-]{0,2}\d){8,14}(?![\w:-])"), _phone),
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
    spans: list[tuple[Kind, int, int]] = []
    for kind, (pattern, valid) in _FOUND.items():
        found = [match for match in pattern.finditer(text) if valid(match[0])]
        spans += [(kind, *match.span()) for match in found]
        for match in found:  # what one kind has found is hidden from the next
            text = text[: match.start()] + "x" * len(match[0]) + text[match.end() :]
    return spans


def texts_with(texts: Sequence[str]) -> Mapping[Kind, int]:
    """Kind -> how many of the texts hold it."""
    found = [personal_data(text) for text in texts]
    return {kind: count for kind in Kind if (count := sum(kind in one for one in found))}
