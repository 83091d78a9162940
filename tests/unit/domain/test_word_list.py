"""Words of a list match as whole words, whatever their case and accents, in any script."""

import pytest

from bot.domain.word_list import WordIndex, contains, phrase


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        ("invoice", "Where is my INVOICE?"),
        ("fatura", "a fátura não chegou"),
        ("canción", "una cancion"),
        ("purchase order", "our Purchase\n  order, please"),
        ("e-mail", "My E-Mail does not work"),
        ("straße", "STRASSE 5"),
        ("счёт", "где мой СЧЕТ"),
        ("فاتورة", "أين فاتورة الشهر"),
        ("बिल", "मेरा बिल गलत है"),
        ("請求書", "先月の請求書をください"),
        ("发票", "我要发票"),
        ("ใบแจ้งหนี้", "ขอใบแจ้งหนี้ด้วย"),
        ("송장", "송장 주세요"),
        ("404", "it says 404!"),
    ],
)
def test_a_word_is_found(listed: str, text: str) -> None:
    assert WordIndex({3: [phrase(listed)]}).found_in(text) == {3}


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        ("voice", "Where is my invoice?"),
        ("art", "start the article"),
        ("purchase order", "order a purchase"),
        ("счёт", "счётчик сломан"),
        ("40", "it says 404"),
        ("发票", "发一张票"),
    ],
)
def test_part_of_a_word_is_not_the_word(listed: str, text: str) -> None:
    assert WordIndex({0: [phrase(listed)]}).found_in(text) == set()


def test_one_pass_finds_every_list_that_has_a_word_in_the_text() -> None:
    lists = {0: [phrase("refund"), phrase("money back")], 1: [phrase("back")], 2: [phrase("vpn")]}
    assert WordIndex(lists).found_in("I want my money back") == {0, 1}


@pytest.mark.parametrize("written", ["", "  ", "!?", "€", "🎫"])
def test_what_has_no_letter_and_no_digit_is_no_word(written: str) -> None:
    with pytest.raises(ValueError, match="no letter and no digit"):
        phrase(written)


def test_signs_that_would_be_lost_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'C\+\+': signs are not compared, so it would be found as 'c'"):
        phrase("C++")


def test_a_longer_phrase_contains_the_shorter_one() -> None:
    assert contains(phrase("unpaid invoice number"), phrase("Invoice"))
    assert not contains(phrase("invoices"), phrase("invoice"))
    assert contains(phrase("请求发票"), phrase("发票"))
