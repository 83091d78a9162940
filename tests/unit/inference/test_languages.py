"""Which language a text is in, by the real detector: short requests as people type them, and non-language texts."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from lingua import ConfidenceValue

from bot.domain.languages import DETECTED
from inference import languages
from inference.languages import language_of


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("where is my refund, please", "en"),
        ("the card machine takes money twice", "en"),
        ("onde vejo minha fatura", "pt"),
        ("nao consigo entrar na minha conta", "pt"),
        ("quiero cambiar mi tarjeta", "es"),
        ("me devuelven el dinero?", "es"),
        ("je n'arrive pas à me connecter", "fr"),
        ("ich komme nicht in mein Konto", "de"),
        ("не могу войти в аккаунт", "ru"),
        ("मैं लॉग इन नहीं कर पा रहा हूँ", "hi"),
        ("لا أستطيع تسجيل الدخول", "ar"),
        ("אני רוצה החזר כספי", "he"),
        ("ฉันต้องการคืนเงิน", "th"),
        ("我要退款", "zh"),
        ("返金してください", "ja"),
        ("환불해 주세요", "ko"),
    ],
)
def test_requests_are_told_apart(text: str, code: str) -> None:
    assert language_of(text) == code
    assert code in DETECTED


@pytest.mark.parametrize(
    "text", ["", " \n", "ok", "C++", "12345", "-20 €", "😀", "\ud800", "https://example.com/onde-vejo-a-fatura"]
)
def test_what_is_in_no_language_has_none(text: str) -> None:
    assert language_of(text) is None


def test_whoever_needs_an_answer_takes_the_likeliest() -> None:
    assert (language_of("status"), language_of("status", least_lead=0.0)) == (None, "pl")
    assert language_of("😀", least_lead=0.0) is None


def test_half_a_character_does_not_hide_the_rest() -> None:
    assert language_of("quiero cambiar mi tarjeta \ud83d") == "es"


def test_a_long_text_is_told_by_its_beginning() -> None:
    assert language_of("não consigo abrir a fatura do mês passado. " * 50_000) == "pt"


def test_who_ask_about_one_text_at_the_same_moment_have_it_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read, real = list[str](), languages._detector()

    class Counting:
        def compute_language_confidence_values(self, words: str) -> list[ConfidenceValue]:
            read.append(words)
            return real.compute_language_confidence_values(words)

    monkeypatch.setattr(languages, "_detector", Counting)
    text = "nobody has ever asked about this very sentence"
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda lead: language_of(text, lead), (0.0, 0.05, 1.1)))
    assert answers == ["en", "en", None]
    assert read == [text]
