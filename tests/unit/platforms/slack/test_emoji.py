"""Every way to write an emoji gives the same emoji."""

import pytest

from bot.platforms.slack.emoji import EmojiNames, aliases, normal


@pytest.mark.parametrize("written", ["moneybag", "party_parrot", "e-mail", "счёт", "ありがとう", "-1", "8ball"])
def test_custom_and_ordinary_names_stay_what_they_are(written: str) -> None:
    assert normal(written) == written


@pytest.mark.parametrize("written", ["", "::", "💰", "❤️", "1️⃣", "two words", "a:b", "x" * 101])
def test_what_is_no_short_name_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValueError, match="moneybag"):
        normal(written)


def test_a_workspaces_own_alias_is_the_emoji_it_stands_for() -> None:
    own = aliases({"cash": "alias:moneybag", "parrot": "https://emoji.example/parrot.png", "ok2": "alias:thumbsup"})
    meant = EmojiNames({"moneybag", "+1"}, own).meant
    assert (meant("cash"), meant("ok2"), meant("parrot")) == ("moneybag", "+1", "parrot")


def test_settings_that_name_an_alias_mean_the_emoji_behind_it_too() -> None:
    meant = EmojiNames({"cash"}, {"cash": "moneybag", "dough": "cash"}).meant
    assert {meant(name) for name in ("cash", "moneybag", "dough")} == {"cash"}


def test_aliases_in_a_circle_are_no_trap() -> None:
    assert EmojiNames(set(), {"a": "b", "b": "a"}).meant("a") in ("a", "b")
