"""The settings under [platforms.web], its emoji and its addresses."""

import pytest

from bot.domain.errors import ConfigError
from bot.domain.messages import Place
from bot.platforms import Kind, kinds, web

_kind: Kind = web


def test_an_empty_table_makes_the_lead_the_one_who_corrects() -> None:
    assert web.parse({}, {}) == web.Config(("lead",))


def test_all_mistakes_are_named_at_once_with_the_choices() -> None:
    with pytest.raises(ConfigError) as caught:
        web.parse({"leads": ["lead", "boss", 7], "tokne": "x"}, {})
    assert caught.value.mistakes == (
        "platforms.web.tokne: no such setting; there is leads",
        "platforms.web.leads: nobody is called 'boss'; choices are customer, employee, lead",
        "platforms.web.leads: nobody is called 7; choices are customer, employee, lead",
    )


def test_leads_that_are_no_list_are_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"platforms\.web\.leads: write a list"):
        web.parse({"leads": "lead"}, {})


@pytest.mark.parametrize(
    ("written", "normal"),
    [("💰", "💰"), (" ⚖️ ", "⚖"), ("👍🏽", "👍"), ("🧑‍🤝‍🧑", "🧑‍🤝‍🧑"), ("🇪🇸", "🇪🇸"), ("❤️", "❤"), ("1️⃣", "1⃣")],
)
def test_an_emoji_loses_skin_tone_and_variation_selector(written: str, normal: str) -> None:
    assert web.emoji(written) == normal
    assert web.emoji(normal) == normal


@pytest.mark.parametrize("written", ["", "moneybag", ":x:", "💰 💰", "a💰", "💰" * 13, "+", "\x00"])
def test_what_is_no_emoji_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValueError, match="write one emoji, like 💰"):
        web.emoji(written)


def test_a_team_room_is_a_simple_name() -> None:
    assert web.place("billing") == Place("web", "billing")


@pytest.mark.parametrize("written", ["", "a b", "#billing", "../x", "x" * 41, "customer", "employee"])
def test_a_wrong_room_name_says_how_one_is_written(written: str) -> None:
    with pytest.raises(ValueError, match="room"):
        web.place(written)


def test_the_folder_is_found_among_the_platforms() -> None:
    assert kinds()["web"].parse({}, {}) == web.Config()
