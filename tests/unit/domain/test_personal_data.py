"""Kinds and counts of what tells who somebody is; figures that look like it are not it."""

import pytest

from bot.domain.personal_data import Kind, personal_data, texts_with

FOUND = [
    ("write to ann.lee+x@example.co.uk please", {Kind.EMAIL: 1}),
    ("call me: +49 30 1234567 or (11) 91234-5678", {Kind.PHONE: 2}),
    ("my card 4111 1111 1111 1111 was declined", {Kind.CARD: 1}),
    ("IBAN DE89 3704 0044 0532 0130 00, thanks", {Kind.IBAN: 1}),
    ("meu CPF é 529.982.247-25", {Kind.TAX_ID: 1}),
    ("mi NIF es 54362315K", {Kind.TAX_ID: 1}),
]
NOTHING = [
    "order 4111111111111112 is late",
    "tracking number 1Z999AA10123456784",
    "since 2026-11-23 12:00:05",
    "version 10.20.30.40 and error 0x80070057",
    "invoice 123456789",
    "https://example.com/t/1234-5678-9012",
    "ask @ann at home",
]


@pytest.mark.parametrize(("text", "expected"), FOUND)
def test_what_tells_who_somebody_is_is_counted_by_its_kind(text: str, expected: dict[Kind, int]) -> None:
    assert personal_data(text) == expected


@pytest.mark.parametrize("text", NOTHING)
def test_other_figures_and_signs_are_nobody(text: str) -> None:
    assert personal_data(text) == {}


def test_a_text_counts_once_whatever_it_holds() -> None:
    assert texts_with(["a@b.com and c@d.org", "no", "e@f.net +49 30 1234567"]) == {Kind.EMAIL: 2, Kind.PHONE: 1}
