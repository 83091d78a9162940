"""Languages of short messages, and of what is none."""

import pytest

from inference.languages import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I was charged twice for my order", "en"),
        ("fui cobrado duas vezes pelo mesmo pedido", "pt"),
        ("me han cobrado dos veces el mismo pedido", "es"),
        ("ich wurde zweimal belastet", "de"),
        ("j'ai été débité deux fois", "fr"),
        ("私は二度請求されました", "ja"),
        ("меня дважды списали", "ru"),
    ],
)
def test_short_messages_are_told_apart(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("text", ["", "   ", "12345", "🙈", "\ud800", "मुझे मदद चाहिए"], ids=ascii)
def test_what_is_in_none_of_the_languages_is_in_none(text: str) -> None:
    assert language_of(text) is None


def test_a_long_text_is_told_by_its_beginning() -> None:
    assert language_of("my invoice is wrong, please send me another one. " * 2_000) == "en"
