"""What in a text may tell who somebody is: kinds and counts, never the words. Check digits are python-stdnum's."""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from stdnum import iban, luhn
from stdnum.br import cpf
from stdnum.es import nif


class Kind(StrEnum):
    """What was found."""

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


def _tax_id(written: str) -> bool:
    return bool(cpf.is_valid(written) or nif.is_valid(written))


_FOUND: Mapping[Kind, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    Kind.EMAIL: (re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\b"), lambda _: True),
    Kind.IBAN: (
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", re.IGNORECASE),
        lambda found: bool(iban.is_valid(found, check_country=False)),
    ),
    Kind.CARD: (re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])"), _card),
    Kind.TAX_ID: (re.compile(r"(?<![\w.-])(?:\d{3}\.?\d{3}\.?\d{3}-?\d{2}|\d{8}-?[A-Z])(?![\w-])"), _tax_id),
    Kind.PHONE: (re.compile(r"(?<![\w.,:/#-])[+(]?\d(?:[ ()./-]{0,2}\d){8,14}(?![\w:-])"), _phone),
}
"""In this order; what one has found the next does not look at. A phone number is what is left: figures in groups, or
behind + or 0. Order numbers are figures without groups, dates too short."""


def personal_data(text: str) -> Mapping[Kind, int]:
    """How many of each kind it holds; a kind that it does not hold is not in it."""
    counts: dict[Kind, int] = {}
    for kind, (pattern, valid) in _FOUND.items():
        found = [match for match in pattern.finditer(text) if valid(match[0])]
        for match in found:
            text = text[: match.start()] + "x" * len(match[0]) + text[match.end() :]
        if found:
            counts[kind] = len(found)
    return counts


def texts_with(texts: Sequence[str]) -> Mapping[Kind, int]:
    """Of how many of the texts each kind is in."""
    found = [personal_data(text) for text in texts]
    return {kind: count for kind in Kind if (count := sum(kind in one for one in found))}
