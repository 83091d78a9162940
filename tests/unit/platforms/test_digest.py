"""The digest in every language: figures, one picture, points to consider, and no message text."""

import pytest

from bot.domain.drift import Measure
from bot.domain.report_posts import Digest
from bot.locales import available
from bot.platforms.digest import digest, sparkline
from tests.samples import TASK

DAYS = (0, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0, 0, 14)
MADE = Digest(
    "routing", DAYS, 40, 7, 3, (("billing", "it"),), (6,), (23,), (*(one.value for one in Measure), "moods"), 12
)


def test_the_week_is_told_in_figures_and_one_picture() -> None:
    assert digest(MADE, "en", TASK) == [
        "The week of routing: 40 requests, 7 moved by leads, 3 asked about.",
        "The last 14 days: ▁▁▂▃▃▃▄▅▁▁▁▁▁█ (at most 14 a day)",
        "billing got what belongs to IT: 6",
        "23 messages about one thing fit no team: a new one?",
        "Other teams get more than in the weeks before.",
        "More or fewer messages than in the weeks before fit no team.",
        "People write about other things than in the weeks before.",
        "12 deserve a look: switchboard review",
    ]


@pytest.mark.parametrize("language", available())
def test_every_language_says_all_of_it(language: str) -> None:
    lines = digest(MADE, language, TASK)
    assert len(lines) == 8
    assert "40" in lines[0] and "▁▁▂▃▃▃▄▅▁▁▁▁▁█" in lines[1] and "IT" in lines[2] and "23" in lines[3]


@pytest.mark.parametrize("language", available())
def test_a_week_without_requests_is_one_line(language: str) -> None:
    assert len(digest(Digest("routing", (0,) * 14, 0, 0, 0, (), (), (), (), 0), language, TASK)) == 1


def test_a_team_that_is_no_more_is_called_as_it_was() -> None:
    gone = Digest("routing", (1,), 1, 1, 0, (("faxes", "it"),), (1,), (), (), 0)
    assert digest(gone, "en", TASK)[2] == "faxes got what belongs to IT: 1"


@pytest.mark.parametrize(("counts", "drawn"), [((), ""), ((0, 0), "▁▁"), ((5,), "█"), ((1, 2, 4), "▃▅█")])
def test_a_picture_has_a_bar_a_count(counts: tuple[int, ...], drawn: str) -> None:
    assert sparkline(counts) == drawn
