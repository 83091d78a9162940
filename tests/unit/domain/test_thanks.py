"""Thanks end a conversation and greetings may begin one, in every language of the lists."""

import tomllib
from pathlib import Path

import pytest

from bot.domain import thanks
from bot.domain.small_talk import is_small_talk
from bot.domain.thanks import is_thanks

LISTED = tomllib.loads(Path(thanks.__file__).with_suffix(".toml").read_text("utf-8"))["thanks"]


@pytest.mark.parametrize("language", LISTED)
def test_every_phrase_of_the_list_is_small_talk_that_ends_something(language: str) -> None:
    assert [one for one in LISTED[language] if not is_thanks(one)] == []


@pytest.mark.parametrize(
    "text",
    ["Hi all, thanks a lot!", "olá, muito obrigada", "你好，谢谢", "ขอบคุณมากครับ", "👍", "🎉🎉 !!", "Merci beaucoup"],
)
def test_with_a_greeting_or_as_a_sign_it_still_asks_for_nothing(text: str) -> None:
    assert is_thanks(text)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "bom dia",
        "你好",
        "สวัสดีครับ",
        "Guten Tag",
        "thanks, but it is still broken",
        "no thanks needed",
        "",
        "  ",
    ],
)
def test_greetings_and_what_says_more_are_none(text: str) -> None:
    assert not is_thanks(text)


def test_a_greeting_is_small_talk_all_the_same() -> None:
    assert is_small_talk("hello")
