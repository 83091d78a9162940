"""Kinds and counts of personal data; numbers that only resemble it are not counted."""

import re

import pytest

from bot.domain.personal_data import Kind, masked, personal_data, texts_with

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


PEOPLE = """
write to [ann.lee+x@example.co.uk] please | my address is [JOE@EXAMPLE.COM] | contato: [maria.silva@empresa.com.br]
mi correo es [pepe_99@correo.es], gracias | reset for [o'brien.k@mail.example.org] | ([x@y.io]) did not work
call me: [+49 30 1234567] | or [(11) 91234-5678] after six | my number is [+1 415-555-0132] | tel. [020 7946 0958]
ligue para [+55 11 98765-4321] | mi móvil: [+34 612 345 678] | llámame al [612 34 56 78] | fone [(21) 3333-4444]
cell [415.555.0132] | whatsapp [+351 912 345 678] | phone:[+44 7700 900123] | [0049 170 1234567] is mine
my card [4111 1111 1111 1111] was declined | cartão [5500-0000-0000-0004] | tarjeta [378282246310005] rechazada
visa [4012888888881881], exp 12/29 | the card is [6011 1111 1111 1117]
IBAN [DE89 3704 0044 0532 0130 00], thanks | conta [PT50000201231234567890154] | cuenta [ES91 2100 0418 4502 0005 1332]
pay to [GB29NWBK60161331926819] | iban: [fr1420041010050500013m02606]
meu CPF é [529.982.247-25] | CPF [52998224725] | CNPJ [16.727.230/0001-97] da empresa | cnpj [16727230000197]
mi NIF es [54362315K] | DNI [54362315-K] | NIE [X2482300W] | o meu NIF: [501964843] | nif [501 964 843]
my SSN is [536-90-4399] | CURP [BOXW310820HNERXN09] | RFC [GODE561231GR8] | RUT [12.531.909-2] | CUIT [20-26756539-3]
"""
ORDINARY = """
order 4111111111111112 is late | tracking number 1Z999AA10123456784 | since 2026-11-23 12:00:05 | version 10.20.30.40
invoice 123456789 | https://example.com/t/1234-5678-9012 | ask @ann at home | error 0x80070057 | room 12.03.114
order L-20418 from 23/11/2026 | 3 x 100 for 1,299.00 EUR | pedido 987654321 | ticket #12345-67 | ISBN 9780306406157
"""


def test_of_what_people_write_nearly_all_is_found_and_nothing_else_is_touched() -> None:
    """Forty-two notations from countries of three languages; measured: all are found, and nothing similar is."""
    written = [one.strip() for line in PEOPLE.strip().splitlines() for one in line.split(" | ")]
    secrets = [re.search(r"\[(.+)\]", one) for one in written]
    told = [
        (one.replace("[", "").replace("]", ""), found[1]) for one, found in zip(written, secrets, strict=True) if found
    ]
    missed = [secret for text, secret in told if secret in masked(text)]
    assert len(told) == 42
    assert missed == []
    for ordinary in (one.strip() for line in ORDINARY.strip().splitlines() for one in line.split(" | ")):
        assert masked(ordinary) == ordinary


COPIED = """
+49\u00a030\u00a01234567 | \u202a+55 11 98765\u20114321\u202c | +49\u201330\u20131234567 | \uff0b49 30 1234567
612\u202f345\u202f678
(11)98765\u20134321 | ann@exa\u00admple.com | ann\u200b@example.com | ann\uff20example.com
4111\u00a01111\u00a01111\u00a01111
DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000 | 529.982.247\u201325
\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669
tel:+493012345678 | Tel.:030 1234567 | DE89-3704-0044-0532-0130-00 | ES9121000418450200051332 | AT61 1904 3002 3457 3201
4111.1111.1111.1111 | 4111  1111  1111  1111 | 529 982 247 25 | 54.362.315-K | 54362315 K | NIF:501964843
SSN:536904399
AB 12 34 56 C | 1 85 05 78 006 084 91 | 089 / 12 34 56 78 | +55 11 9 8765 4321 | 0034 612345678
"""
"""Numbers as telephones, pages and word processors hand them over, and further notations."""


@pytest.mark.parametrize("written", [one.strip() for line in COPIED.strip().splitlines() for one in line.split(" | ")])
def test_what_was_copied_is_found_wherever_it_stands(written: str) -> None:
    for text in (written, f"hello, it is {written} thanks for everything", f"({written})"):
        once = masked(text)
        assert not re.search(r"[1-9\u0661-\u0669]", once), once
        assert "ann" not in once
        assert len(once) == len(text) and masked(once) == once
        assert once.endswith(text[text.index(written) + len(written) :])


@pytest.mark.parametrize("text", [text for text, _ in FOUND] + NOTHING)
def test_what_is_masked_keeps_its_shape_and_is_masked_once(text: str) -> None:
    once = masked(text)
    assert len(once) == len(text) and masked(once) == once
    assert (once == text) == (not personal_data(text))
