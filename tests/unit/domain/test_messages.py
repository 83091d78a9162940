"""Which text is stored, and whether there is anything to classify."""

import pytest

from bot.domain.messages import MAX_TEXT, clean, clean_name, has_words, joined
from bot.domain.rich_text import Style, cited, linked, marked, plain, runs
from bot.domain.small_talk import languages
from bot.locales import available


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  hello \n", "hello"),
        ("a\x00b", "ab"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        ("e\u0301", "é"),
        ("שלום עולם", "שלום עולם"),
        ("x" * 100_000, "x" * MAX_TEXT),
        ("", ""),
    ],
)
def test_whatever_is_written_can_be_stored(written: str, kept: str) -> None:
    assert clean(written) == kept
    assert clean(clean(written)) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hi",
        "Hello there!",
        "🙂🙂",
        "thanks!!!",
        "bom dia",
        "?",
        "\u200b\u200b",
        "oi",
        "olá bom dia",
        "hola!",
        "👋",
        "thx",
        "gracias 🙏",
        "Obrigada pela ajuda!!",
        "Buenos días a todos",
        "hellooo",
        "ok, thanks a lot",
        "what’s up",
        "OLÁ, TUDO BEM?",
        "muchas gracias, un saludo",
        "oi, good morning",
        "ola\u0301",
        "1️⃣",
        "👍🏽",
        "…",
        "Hi\u200b",
        "k",
        "Vale, gracias",
        "de nada 😊",
    ],
)
def test_nothing_to_classify(text: str) -> None:
    assert not has_words(text)


@pytest.mark.parametrize(
    "text",
    [
        "refund??",
        "hi, where is my parcel",
        "где моя посылка",
        "我的包裹在哪里",
        "אין לי כסף",
        "मुझे बिल चाहिए",
        "बिल",
        "发票",
        "票",
        "請求書",
        "ใบแจ้งหนี้",
        "فاتورة",
        "счёт",
        "PIN?",
        "IBAN?",
        "Wi-Fi",
        "4711",
        "12345",
        "x",
        "¿factura?",
        "VPN",
        "team",
        "all day",
        "a todos",
        "hi 4711",
        "thanks, but no parcel",
        "ok?? refund",
        "हिसाब 🙏",
        "2FA",
    ],
)
def test_something_to_classify(text: str) -> None:
    assert has_words(text)


def test_a_burst_is_one_text_without_its_greeting() -> None:
    assert joined(["hi", "my card was charged", "twice!"]) == "my card was charged\ntwice!"


def test_a_greeting_alone_stays() -> None:
    assert joined(["hi"]) == "hi"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("\u2066a\u2069\u200e\u200f\u061c.pdf", "a.pdf"),
        ("zero\u200b\ufeff\u2060width", "zerowidth"),
        ("ad\u00admin\u3164", "admin"),
        ("two\nlines\tand\x07a bell", "two lines anda bell"),
        ("x\u200dy", "xy"),
        ("\u200d", ""),
        ("👩\u200d👧 family", "👩\u200d👧 family"),
        ("می\u200cخواهم.pdf", "می\u200cخواهم.pdf"),
        ("חשבון.pdf", "חשבון.pdf"),
        ("José", "José"),
    ],
)
def test_names_show_themselves_as_they_are(name: str, shown: str) -> None:
    assert clean_name(name) == shown


def test_a_text_that_is_too_long_keeps_its_marks() -> None:
    long = f"{linked('form', 'https://x.example')} {'x' * MAX_TEXT}"
    kept = clean(long)
    assert (len(plain(kept)), runs(kept)[0].value(Style.LINK)) == (MAX_TEXT, "https://x.example")


def test_a_marked_greeting_is_a_greeting_and_a_marked_request_a_request() -> None:
    assert not has_words(marked("hello", Style.BOLD))
    assert not has_words(f"thanks {marked(':party_parrot:', Style.EMOJI, 'party_parrot')}")
    assert has_words(cited("I was charged twice", "Ann"))


def test_small_talk_is_known_in_every_language_that_is_spoken() -> None:
    assert languages() >= set(available())
