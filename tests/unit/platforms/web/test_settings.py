"""The settings under [platforms.web], its emoji and its addresses."""

from dataclasses import replace

import pytest

from bot.domain.errors import ConfigError
from bot.domain.messages import Place
from bot.platforms import platform_modules
from bot.platforms.web import PLATFORM, Config
from tests.fakes_web import TASK, FakeWorld


def test_an_empty_table_makes_the_lead_the_one_who_corrects() -> None:
    assert PLATFORM.parse({}, {}) == Config(("lead",))


def test_all_mistakes_are_named_at_once_with_the_choices() -> None:
    with pytest.raises(ConfigError) as caught:
        PLATFORM.parse({"leads": ["lead", "boss", 7], "tokne": "x"}, {})
    assert caught.value.mistakes == (
        "platforms.web.tokne: no such setting; there are leads and networks",
        "platforms.web.leads: nobody is called 'boss'; choices are customer, employee, lead",
        "platforms.web.leads: nobody is called 7; choices are customer, employee, lead",
    )


def test_leads_that_are_no_list_are_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"platforms\.web\.leads: write a list"):
        PLATFORM.parse({"leads": "lead"}, {})


def test_networks_that_are_none_are_mistakes() -> None:
    assert str(PLATFORM.parse({"networks": ["192.168.7.0/24"]}, {}).networks[0]) == "192.168.7.0/24"
    wrongs: list[object] = ["192.168.7.0/24 x", "192.168.7.1/24", "example.com", 7, {}]
    for wrong in wrongs:
        with pytest.raises(ConfigError, match=r"platforms\.web\.networks: .* is no network; write a list like"):
            PLATFORM.parse({"networks": [wrong]}, {})


@pytest.mark.parametrize(
    ("written", "normal"),
    [("💰", "💰"), (" ⚖️ ", "⚖"), ("👍🏽", "👍"), ("🧑‍🤝‍🧑", "🧑‍🤝‍🧑"), ("🇪🇸", "🇪🇸"), ("❤️", "❤"), ("1️⃣", "1⃣")],
)
def test_an_emoji_loses_skin_tone_and_variation_selector(written: str, normal: str) -> None:
    assert PLATFORM.emoji(written) == normal
    assert PLATFORM.emoji(normal) == normal


@pytest.mark.parametrize("written", ["", "moneybag", ":x:", "💰 💰", "a💰", "💰" * 13, "+", "\x00"])
def test_what_is_no_emoji_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValueError, match="write one emoji, like 💰"):
        PLATFORM.emoji(written)


def test_a_team_room_is_a_simple_name() -> None:
    assert PLATFORM.place("billing") == Place("web", "billing")


@pytest.mark.parametrize("written", ["", "a b", "#billing", "../x", "x" * 41, "customer", "employee"])
def test_a_wrong_room_name_says_how_one_is_written(written: str) -> None:
    with pytest.raises(ValueError, match="room"):
        PLATFORM.place(written)


def test_the_folder_is_found_among_the_platforms() -> None:
    assert platform_modules()["web"].parse({}, {}) == Config()


@pytest.mark.parametrize("written", ["boss", 7, None])
def test_a_lead_is_one_of_the_chats_people(written: object) -> None:
    assert PLATFORM.lead("employee") == "employee"
    with pytest.raises(ValueError, match="choices are customer, employee, lead"):
        PLATFORM.lead(written)


def test_there_is_nothing_to_install() -> None:
    assert PLATFORM.install() == {}


async def test_the_check_finds_rooms_of_teams_or_says_how_to_give_them_one() -> None:
    world = FakeWorld()
    found = [finding async for finding in PLATFORM.check(Config(), world.around())]
    assert [(finding.ok, finding.remedy) for finding in found] == [(True, "")]
    homeless = replace(TASK, labels=tuple(replace(label, deliver_to={}) for label in TASK.labels))
    found = [finding async for finding in PLATFORM.check(Config(), world.around(homeless))]
    assert [(finding.ok, "deliver_to" in finding.remedy) for finding in found] == [(False, True)]
