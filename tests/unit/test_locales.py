"""Every language says every sentence with the same words put in."""

import string

import pytest

from bot.locales import _sentences, available, choose


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", available())
def test_every_language_is_complete(language: str) -> None:
    english, other = _sentences("en"), _sentences(language)
    assert other.keys() == english.keys()
    assert {key: fields(text) for key, text in other.items()} == {key: fields(text) for key, text in english.items()}


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [("pt-BR", "pt-BR"), ("pt", "pt-BR"), ("PT_br", "pt-BR"), ("es-419", "es"), ("de", "en"), (None, "en"), ("", "en")],
)
def test_the_nearest_language_is_chosen(wanted: str | None, chosen: str) -> None:
    assert choose(wanted, ("en", "pt-BR", "es")) == chosen
